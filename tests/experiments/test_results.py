"""What an experiment leaves: tables, SQL, exports, checks, parts put together, results of earlier versions."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from denxanh import experiments
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import run_folder
from denxanh.sim.errors import InputError

V1 = Path(__file__).parent / "results_v1"
TEXT = """
places = ["{place}"]
controllers = ["program", "max-pressure", "max-pressure:interval=5"]
demand = [0.8, 1]
seeds = 3
end = 90
vehicles_per_day = 20000
worth_s = 1.0
resample = {{method = "bootstrap", block = 60.0}}
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, tiny_place: Any, cli: Callable[..., Any]) -> Path:
    """A finished experiment of 18 runs."""
    folder = tmp_path_factory.mktemp("done")
    (folder / "experiment.toml").write_text(TEXT.format(place=tiny_place.config), encoding="utf-8")
    ended = cli("experiment", "experiment.toml", "--out", "out", "--jobs", "2", cwd=folder)
    assert ended.returncode == 0, ended.stderr
    assert "18 runs, 0 done, 18 to do" in ended.stderr
    return folder / "out"


def test_the_folder_explains_itself(done: Path) -> None:
    text = (done / "README.md").read_text("utf-8")
    for name in (
        "runs.csv",
        "summary.csv",
        "statistics.json",
        "ledger.sqlite",
        "report.html",
        "experiment.toml",
    ):
        assert name in text
        assert (done / name).is_file()


def test_three_lines_in_a_notebook(done: Path) -> None:
    results = experiments.load(done)
    assert len(results) == 18
    assert results.runs["delay_s"].dtype == np.float64
    vehicles = results.where(controller="program", seed=2, demand=1.0).table("vehicles")
    assert set(vehicles["run"]) == {
        results.where(controller="program", seed=2, demand=1.0).runs["id"][0][:16]
    }
    with pytest.raises(InputError, match="there is no column"):
        results.where(controler="program")


def test_the_accounts_of_every_run_add_up(done: Path) -> None:
    runs = experiments.load(done).runs
    parts = sum(runs[name] for name in ("arrived", "running", "waiting", "lost"))
    assert np.array_equal(runs["loaded"], parts)
    assert (runs["loaded"] > 0).all()


def test_statistics_hold_every_method(done: Path) -> None:
    found = json.loads((done / "statistics.json").read_text("utf-8"))
    group = next(g for g in found["groups"] if g["metric"] == "delay_s" and g["demand"] == 1.0)
    pair = group["pairs"][0]
    hours = pair["effect"]["vehicle_hours_per_day"]
    assert hours == pytest.approx(pair["difference"] * 20000 / 3600)
    assert pair["bootstrap_interval"][0] <= pair["difference"] <= pair["bootstrap_interval"][1]
    assert 0 < pair["wilcoxon_p"] <= 1
    assert pair["power"]["seeds_needed_cautious"] >= pair["power"]["seeds_needed"] >= 2
    assert len(group["families"]) == 3
    assert group["controllers"]["program"]["gridlock_rate"] == 0.0


def test_sql_over_runs_and_vehicles(done: Path, here: Callable[..., Any]) -> None:
    ended = here(
        "query", done,
        "SELECT r.controller, count(*) AS n FROM vehicles v JOIN runs r USING (run) WHERE r.demand = 1 "
        "GROUP BY 1 ORDER BY 1",
    )  # fmt: skip
    rows = list(csv.DictReader(ended.stdout.splitlines()))
    vehicles = experiments.load(done).where(demand=1.0, controller="program").table("vehicles")["run"]
    assert [row["controller"] for row in rows] == ["max-pressure", "max-pressure:interval=5", "program"]
    assert int(rows[2]["n"]) == len(vehicles) > 0
    refused = here("query", done, "SELECT nothing FROM runs")
    assert refused.status == 2
    assert "duckdb says" in refused.stderr


def test_sql_over_movements(done: Path, here: Callable[..., Any]) -> None:
    ended = here(
        "query", done,
        "SELECT level, sum(served) AS served FROM movements JOIN runs USING (run) WHERE controller = 'program' "
        "GROUP BY 1",
    )  # fmt: skip
    served = {row["level"]: float(row["served"]) for row in csv.DictReader(ended.stdout.splitlines())}
    assert set(served) == {"movement", "lane group", "approach", "intersection"}
    assert len(set(served.values())) == 1
    assert served["movement"] > 0


def test_exports_agree_with_the_runs(done: Path, here: Callable[..., Any], tmp_path: Path) -> None:
    from scipy.io import netcdf_file

    assert here("export", done, "--csv", "--netcdf", "--out", tmp_path).status == 0
    runs = experiments.load(done).runs
    with (tmp_path / "runs.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [float(row["delay_s"]) for row in rows] == pytest.approx(runs["delay_s"].tolist())
    with netcdf_file(tmp_path / "runs.nc", mmap=False) as file:
        assert file.variables["delay_s"].units == b"s/veh"
        assert file.variables["delay_s"][:].tolist() == runs["delay_s"].tolist()
        first = b"".join(file.variables["controller"][0]).rstrip(b"\0").decode()
    assert first == runs["controller"][0]


def test_verify_repeats_runs_and_finds_a_changed_table(
    done: Path, here: Callable[..., Any], tmp_path: Path
) -> None:
    good = here("verify", done, "--sample", "2")
    assert good.status == 0, good.stdout
    assert "2 runs done again, the same to the last byte" in good.stdout
    spoilt = tmp_path / "spoilt"
    shutil.copytree(done, spoilt)
    table = next(spoilt.glob("runs/*/*/vehicles.parquet"))
    table.write_bytes(table.read_bytes()[:-1] + b"?")
    bad = here("verify", spoilt, "--sample", "0")
    assert bad.status == 1
    assert f"{table}: the content of the file was changed after the run" in bad.stdout


def test_a_lost_folder_is_run_again(done: Path, cli: Callable[..., Any], tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(done, torn)
    before = experiments.load(torn).runs["tripinfo_sha256"].tolist()
    shutil.rmtree(next(torn.glob("runs/*/*")))
    shutil.copy(done / "experiment.toml", tmp_path / "experiment.toml")
    ended = cli("experiment", tmp_path / "experiment.toml", "--out", torn, "--jobs", "1")
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("s/veh") == 1  # one run, no more
    assert experiments.load(torn).runs["tripinfo_sha256"].tolist() == before


def test_shards_merge_to_the_same_results(done: Path, cli: Callable[..., Any], tmp_path: Path) -> None:
    shutil.copy(done / "experiment.toml", tmp_path / "experiment.toml")
    for part in ("1/2", "2/2"):
        out = tmp_path / f"part-{part[0]}"
        ended = cli(
            "experiment", "experiment.toml", "--shard", part, "--out", out, "--jobs", "2", cwd=tmp_path
        )
        assert ended.returncode == 0, ended.stderr
        assert len(experiments.load(out)) == 9
    ended = cli("merge", tmp_path / "whole", tmp_path / "part-1", tmp_path / "part-2", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    whole, calm = experiments.load(tmp_path / "whole").runs, experiments.load(done).runs
    for name in ("id", "tripinfo_sha256", "delay_s", "seed"):
        assert whole[name].tolist() == calm[name].tolist()
    assert (tmp_path / "whole" / "summary.csv").read_bytes() == (done / "summary.csv").read_bytes()
    again = cli("merge", tmp_path / "whole", tmp_path / "part-1", cwd=tmp_path)
    assert "0 runs taken over" in again.stderr


def test_a_part_that_was_spoilt_is_left_out(done: Path, here: Callable[..., Any], tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(done, spoilt)
    table = next(spoilt.glob("runs/*/*/vehicles.parquet"))
    table.write_bytes(b"nothing")
    merged = here("merge", tmp_path / "whole", spoilt)
    assert "left out: it will be run again" in merged.stderr
    assert len(experiments.load(tmp_path / "whole")) == 17


def test_results_of_version_1_are_read_and_taken_over(tmp_path: Path) -> None:
    results = experiments.load(V1)
    assert results.runs["status"].tolist() == ["done"] * 4
    assert results.runs["delay_s"][0] == pytest.approx(13.870416666666666)
    assert len(results.table("vehicles")["depart_s"]) == 4 * 24
    manifest = results.manifest(results.runs["id"][0])
    assert manifest["tripinfo_sha256"] == results.runs["tripinfo_sha256"][0]
    copy = tmp_path / "copy"
    shutil.copytree(V1, copy)
    with Ledger(copy / "ledger.sqlite") as ledger:  # opened to write, it becomes one of today's
        rows = list(ledger.rows())
        run = ledger.specification(rows[0].id)
    assert [row.sha256 for row in rows] == results.runs["tripinfo_sha256"].tolist()
    assert (run.place, run.seed, run.scenario.net.name) == ("tiny", 1, "tiny.net.xml")
    assert rows[0].folder == run_folder(copy, rows[0].id)
    assert run_folder(copy, rows[0].id).is_dir()
    assert V1.joinpath("ledger.sqlite").read_bytes()[:16] == b"SQLite format 3\0"


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        ledger.set_fact("version", 99)
    with pytest.raises(InputError, match="a newer denxanh"):
        experiments.load(tmp_path)
    with pytest.raises(InputError, match="no ledger found"):
        experiments.load(tmp_path / "nothing")
