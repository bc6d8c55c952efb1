"""Results can be moved, packed and gone on with elsewhere: nothing is run again, and every command works on them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.pack import to_toml
from denxanh.experiments.packed_inputs import PackedInputs
from denxanh.experiments.results.run_tables import read_rows
from denxanh.experiments.runs.ledger import Ledger
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.network_reader import network_of
from denxanh.sim.plan import Plan

EXPERIMENT = """
places = [{place = "data/tiny.sumocfg", duration = "2min"}]
controllers = ["program", {name = "fixed-time", plan = "plans/plan.json"}]
seeds = 1
[resample]
method = "jitter"
sd = 5.0
"""


def project(folder: Path, tiny: Any) -> Path:
    """A folder with an experiment file and all that it names, by relative paths."""
    shutil.copytree(tiny.folder, folder / "data")
    network = network_of(open_scenario(str(folder / "data/tiny.sumocfg")))
    plan = Plan({name: i.program for name, i in network.intersections.items()})
    (folder / "plans").mkdir()
    (folder / "plans/plan.json").write_text(json.dumps(plan.to_json()), encoding="utf-8")
    (folder / "experiment.toml").write_text(EXPERIMENT, encoding="utf-8")
    return folder / "experiment.toml"


@pytest.fixture(scope="module")
def elsewhere(tiny_place: Any, cli: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of an experiment and of a comparison, packed, the originals gone; unpacked in another folder."""
    there, here = tmp_path_factory.mktemp("there"), tmp_path_factory.mktemp("here")
    file = project(there / "project", tiny_place)
    done = cli("experiment", "project/experiment.toml", "--out", "results", cwd=there)
    assert done.returncode == 0, done.stderr
    done = cli(
        *("compare", "data/tiny.sumocfg", "-c", "program", "-c", "fixed-time:plan=plans/plan.json"),
        *("--end", "+100", "--seeds", "1", "--out", "../compared"),
        cwd=file.parent,
    )
    assert done.returncode == 0, done.stderr
    for name, archive in (("results", "results.zip"), ("compared", "compared.tar.gz")):
        packed = cli("pack", name, "--out", here / archive, cwd=there)
        assert packed.returncode == 0, packed.stderr
        shutil.unpack_archive(here / archive, here)
    shutil.rmtree(there)
    return here


@pytest.mark.parametrize("name", ["results", "compared"])
def test_packed_results_are_gone_on_with_and_nothing_is_run_again(
    name: str, elsewhere: Path, here: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = {row.id: (row.sha256, row.attempts) for row in read_rows(elsewhere / name)}
    assert len(before) == 2
    verified = here("verify", elsewhere / name, "--sample", "2")
    assert verified.status == 0, verified.stdout
    done = here("experiment", elsewhere / name / "experiment.toml", "--out", elsewhere / name)
    assert done.status == 0, done.stderr
    assert "2 done, 0 to do" in done.stderr
    assert {row.id: (row.sha256, row.attempts) for row in read_rows(elsewhere / name)} == before


def test_results_that_were_moved_are_verified_and_reported(
    elsewhere: Path, here: Any, tmp_path: Path
) -> None:
    shutil.copytree(elsewhere / "compared", tmp_path / "moved")
    (tmp_path / "moved/report.html").unlink()
    assert here("report", tmp_path / "moved").status == 0
    assert (tmp_path / "moved/report.html").is_file()
    assert here("verify", tmp_path / "moved", "--sample", "1").status == 0


def test_packed_results_prove_themselves_and_their_damage_is_named(
    elsewhere: Path, here: Any, tmp_path: Path
) -> None:
    for name in ("results", "compared"):
        with Ledger(elsewhere / name / "ledger.sqlite", read_only=True) as ledger:
            ledger.require_intact()
    out = tmp_path / "results"
    shutil.copytree(elsewhere / "results", out)
    (out / "experiment.toml").write_text(
        (out / "experiment.toml").read_text("utf-8") + "\n", encoding="utf-8"
    )
    for command in (("report",), ("pack", "--out", str(tmp_path / "a.zip"))):
        assert "not the file that the experiment was run from" in here(command[0], out, *command[1:]).stderr
    with sqlite3.connect(out / "ledger.sqlite") as db:
        db.execute("UPDATE runs SET controller = 'webster' WHERE controller = 'program'")
    for command in (("report",), ("pack", "--out", str(tmp_path / "a.zip"))):
        assert "description of the run was changed" in here(command[0], out, *command[1:]).stderr
    assert not (tmp_path / "a.zip").exists()


def test_the_experiment_file_of_an_archive_has_relative_paths(elsewhere: Path) -> None:
    data = tomllib.loads((elsewhere / "results/experiment.toml").read_text("utf-8"))
    (place,) = data["places"]
    assert (place["name"], place["end"]) == ("tiny", 120.0)
    assert (elsewhere / "results" / place["place"]).is_file()
    assert data["controllers"][1]["plan"].startswith("inputs/")
    assert data["resample"] == {"method": "jitter", "sd": 5.0}
    with sqlite3.connect(elsewhere / "compared/ledger.sqlite") as db:
        stored = str(
            db.execute("SELECT json FROM scenarios").fetchall()
            + db.execute("SELECT task FROM runs").fetchall()
        )
    assert '"inputs/' in stored
    assert "there" not in stored


def test_an_experiment_that_was_moved_with_its_project_goes_on(
    tiny_place: Any, here: Any, tmp_path: Path
) -> None:
    file = project(tmp_path / "a", tiny_place)
    done = here("experiment", file, "--out", tmp_path / "a/out")
    assert done.status == 0, done.stderr
    (tmp_path / "a").rename(tmp_path / "b")
    for experiment in ("experiment.toml", "out/experiment.toml"):
        again = here("experiment", tmp_path / "b" / experiment, "--out", tmp_path / "b/out")
        assert again.status == 0, again.stderr
        assert "2 done, 0 to do" in again.stderr
    with Ledger(tmp_path / "b/out/ledger.sqlite", read_only=True) as ledger:
        for row in ledger.rows():
            assert ledger.specification(row.id).scenario.routes[0].is_relative_to(tmp_path / "b/out/demand")


def test_files_that_name_each_other_stay_where_they_were_to_each_other(tmp_path: Path) -> None:
    a, b, c = tmp_path / "x/net/a.add.xml", tmp_path / "x/more/b.xml", tmp_path / "y/n,et.xml"
    inputs = PackedInputs([a, c], [(a, b)])
    place = Path(inputs.place(a)).parent
    assert (place / "../more/b.xml").parts[-2:] == ("more", "b.xml")
    assert Path(inputs.place(b)).parts == (*Path(inputs.place(a)).parts[:-2], "more", "b.xml")
    assert inputs.place(c) == "inputs/2-y/n-et.xml"


@pytest.mark.parametrize(
    "data",
    [
        {"a": [1, 2.5, 'Phố "Huế"\\\n'], "b": True, "c": {"d": {"e f": [{"g": 1}]}, "h": -0.5}},
        {"places": [{"place": "x", "end": 1e-7}], "events": [], "safety": {}},
    ],
)
def test_toml_is_read_as_it_was_written(data: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(data)) == data


def test_what_cannot_be_packed_is_told(tmp_path: Path, here: Any) -> None:
    assert "no ledger found" in here("pack", tmp_path).stderr
    with Ledger(tmp_path / "ledger.sqlite"):
        pass
    assert "cannot be told from its name" in here("pack", tmp_path, "--out", tmp_path.parent / "a.rar").stderr
    assert "would hold itself" in here("pack", tmp_path, "--out", tmp_path / "a.zip").stderr
    assert "no run is done" in here("report", tmp_path).stderr
