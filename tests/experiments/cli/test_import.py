"""``denxanh import`` and ``calibrate`` as a user types them: a place that checks and runs, refusals in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

TOWN = Path(__file__).parents[2] / "networks" / "importing" / "small_town.osm"


def test_a_town_is_imported_checked_and_run(here: Any, tmp_path: Path) -> None:
    done = here(
        "import", "osm", TOWN, "--name", "Thị trấn", "--saturation", "0.3", "--out", tmp_path / "town"
    )
    assert done.status == 0
    assert "2 signals" in done.stdout
    assert "ready: 2 signals can be controlled" in done.stdout
    assert "Cầu vượt Thử is grade-separated" in done.stdout
    assert {p.name for p in (tmp_path / "town").iterdir()} == {
        *("about.md", "import.html", "import.json"),
        *("demand.rou.xml", "net.net.xml", "thi-tran.sumocfg"),
    }
    page = (tmp_path / "town" / "import.html").read_text(encoding="utf-8")
    assert "Simulated in SUMO" in page
    assert "short-yellow at 2 signals" in page
    assert "vàng ngắn hơn ITE ở 2 đèn" in page  # what the check found, in Vietnamese too
    assert "is closed" not in page
    ran = here("run", tmp_path / "town", "-c", "max-pressure", "--end", "60", "--out", tmp_path / "run")
    assert ran.status == 0
    assert "thi-tran · max-pressure" in ran.stdout


def test_sumo_files_are_adopted_by_name(here: Any, tiny_place: Any, tmp_path: Path) -> None:
    out = tmp_path / "mine"
    assert here("import", "sumo", tiny_place.config, "--name", "mine", "--out", out).status == 0
    checked = here("check", out)
    assert checked.status == 0
    assert "can be controlled" in checked.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("osm", "nowhere.osm", "--name", "x"), ("nowhere.osm", "there is no such file")),
        (("osm", TOWN, "--name", "x", "--bbox", "1,2,3"), ("--bbox '1,2,3' is not four numbers",)),
        (("osm", TOWN, "--name", "x", "--saturation", "0"), ("the degree of saturation is 0",)),
        (("osm", TOWN, "--name", "…"), ("has no letter or digit",)),
        (("osm", TOWN, "--name", "../../x"), ("the name '../../x' is a path; give a name",)),
        (("osm", TOWN.parent, "--name", "x"), ("this is a folder; give the file to import",)),
        (("sumo", TOWN.parent, "--name", "x"), ("this is a folder; give the file to import",)),
        (("plain", TOWN.parent, "--name", "x"), ("this is a folder; give the file to import",)),
        (("sumo", "nowhere.sumocfg", "--name", "x"), ("nowhere.sumocfg", "there is no such file")),
        (("opendrive", TOWN, "--name", "x"), ("a file name of OpenDRIVE ends in .xodr",)),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_sentence(
    arguments: tuple[Any, ...], words: tuple[str, ...], here: Any, tmp_path: Path
) -> None:
    ended = here("import", *arguments, "--out", tmp_path / "out")
    assert ended.status == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("denxanh: ")
    for word in words:
        assert word in line
    assert not list(tmp_path.iterdir())


def test_calibrate_measures_with_the_seeds_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    from denxanh.experiments.cli.app import app
    from denxanh.networks.calibration import saturation_report

    asked: list[tuple[list[int], int]] = []

    def measured(seeds: range, *, jobs: int, on_progress: Any) -> str:
        asked.append((list(seeds), jobs))
        on_progress("| fidelity |")
        return ""

    monkeypatch.setattr(saturation_report, "saturation", measured)
    done = CliRunner().invoke(app, ["calibrate", "saturation", "--seeds", "2", "--jobs", "3"])
    assert (done.exit_code, done.output.strip()) == (0, "| fidelity |")
    assert asked == [([1, 2], 3)]
    assert CliRunner().invoke(app, ["calibrate", "saturation", "--seeds", "0"]).exit_code == 2
