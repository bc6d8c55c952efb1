"""A study keeps its clock, goes on where it stopped, refuses what does not fit, and leaves what a planner needs."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.controllers.fixed.fixed_time import read_plan
from denxanh.experiments.formats.existing_plan import existing_plan
from denxanh.experiments.optimize.job.conventional import NotRaced
from denxanh.experiments.study import study
from denxanh.experiments.study.study import run_study
from denxanh.experiments.study.study_clock import StudyClock, interrupted_after
from denxanh.experiments.study.study_folder import write_plans, write_study
from denxanh.experiments.study.study_options import StudyOptions
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import network_of
from denxanh.sim.run import store


def test_a_block_is_interrupted_even_while_it_waits_for_others() -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(time.sleep, 2.0)
        with interrupted_after(0.05) as up:
            waiting.result()
        assert up.fired
        assert not waiting.done()


def test_no_interrupt_leaves_its_block() -> None:
    for _ in range(50):
        with interrupted_after(0.0):
            sum(range(1000))
    with interrupted_after(60.0) as up:
        pass
    assert not up.fired
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt), interrupted_after(60.0):
        signal.raise_signal(signal.SIGINT)


def test_the_clock_says_what_is_left() -> None:
    clock = StudyClock(1200.0, time.monotonic() - 300.0)
    assert clock.text() == "15 of 20 min left"
    assert clock.left(0.5) == pytest.approx(300.0, abs=5.0)
    assert StudyClock(60.0, time.monotonic() - 100.0).text() == "0 of 60 s left"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"counts": Path("none.csv")}, "file not found"),
        ({"plan": Path("none.json")}, "file not found"),
        ({"time": 5.0}, "--time is 5"),
    ],
)
def test_options_that_cannot_be_used_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        StudyOptions(**options)


def test_counts_have_their_own_hours(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="--day and --counts are mutually exclusive"):
        StudyOptions(counts=tmp_path / "counts.csv", day="06:00-22:00")


def test_hours_are_for_built_in_places(tiny_place: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--day is for built-in places"):
        run_study(str(tiny_place.config), StudyOptions(day="06:00-07:00"), tmp_path / "out", jobs=1)


def test_an_existing_plan_that_does_not_fit_is_refused_before_anything_is_made(
    tiny_place: Any, tmp_path: Path
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="the plan is not JSON"):
        run_study(str(tiny_place.config), StudyOptions(plan=plan), tmp_path / "out", jobs=1)
    store.write_json(plan, existing_plan(network_of(open_scenario("ha-noi/pho-hue"))).to_json())
    with pytest.raises(InputError, match="which is not here; make the plan for this network"):
        run_study(str(tiny_place.config), StudyOptions(plan=plan), tmp_path / "out", jobs=1)
    assert not (tmp_path / "out").exists()


def test_without_time_for_a_race_the_conventional_plan_is_that_of_the_queue_model(
    tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = open_scenario(str(tiny_place.config))
    plan = existing_plan(network_of(scenario))

    def no_time(*_: Any, until: float, **__: Any) -> Path:
        assert until < time.monotonic() + 60.0
        raise NotRaced(plan)

    monkeypatch.setattr(study, "conventional_plan_file", no_time)
    state = study._Study(tmp_path, StudyOptions(), StudyClock(60.0), 1, "", lambda text: None)
    found = study._conventional(state, scenario)
    assert found is not None
    (name, parameters), file = found
    assert name == "fixed-time"
    assert parameters == {"plan": str(file)}
    assert read_plan(str(file)).to_json() == plan.to_json()
    assert "chosen by the queue model alone" in str(state.skipped[0])


def test_a_folder_with_something_else_is_left_alone(tiny_place: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="the folder has other files"):
        run_study(str(tiny_place.config), StudyOptions(), tmp_path, jobs=1)
    (tmp_path / "thesis.txt").unlink()
    (tmp_path / "study.json").write_text(json.dumps({"key": {"place": "another"}}), encoding="utf-8")
    with pytest.raises(InputError, match="a study of another place, demand, counts or plan"):
        run_study(str(tiny_place.config), StudyOptions(), tmp_path, jobs=1)


def test_a_plan_goes_out_as_sheets_and_in_every_format_that_the_place_can_have(
    tiny_place: Any, tmp_path: Path
) -> None:
    scenario = open_scenario(str(tiny_place.config))
    plan = tmp_path / "plan.json"
    store.write_json(plan, existing_plan(network_of(scenario)).to_json())
    notes = write_plans(scenario, str(tiny_place.config), "conventional", plan, tmp_path / "to-install")
    found = {
        str(path.relative_to(tmp_path / "to-install")) for path in (tmp_path / "to-install").rglob("*.*")
    }
    assert {"plan.json", "sheet-vi.pdf", "sheet-en.pdf", "sheet-vi.xlsx", "sheet-en.xlsx"} < found
    assert {"formats/utdf.csv", "formats/gian_do_pha.csv", "formats/plan.add.xml"} < found
    assert not any(name.endswith(".geojson") for name in found)
    assert any(note.en.startswith("no geojson: tiny: the network has no projection") for note in notes)


@pytest.mark.slow
def test_a_study_from_counts_to_the_sheet_and_on(
    tiny_place: Any, cli: Callable[..., Any], tmp_path: Path
) -> None:
    counts = tmp_path / "counts.csv"
    assert cli("counts", tiny_place.config, "--out", counts).returncode == 0
    lines = counts.read_text("utf-8-sig").splitlines()
    kinds = len(lines[0].split(",")) - 7
    filled = [lines[0]] + [
        line.rstrip(",") + "," + ",".join(["40"] * kinds) for line in lines[1:] if line.split(",")[4]
    ]
    counts.write_text("\n".join(filled) + "\n", encoding="utf-8")
    out = tmp_path / "study"
    options = StudyOptions(counts=counts, time=3600.0, days_wanted=2)  # far more than it needs
    found = run_study(str(tiny_place.config), options, out, jobs=2)
    screen = write_study(found, command="denxanh study")
    assert screen is not None
    assert {row.seed for row in found.rows} == {201, 202}
    assert found.rows[0].controller == "assumed plan"
    assert {"conventional", "actuated"} < {row.controller for row in found.rows}
    for name in (
        "report.html", "assumptions.md", "check.txt", "README.md", "runs.csv", "replay.html", "to-install/sheet-vi.pdf",
        "to-install/sheet-en.xlsx", "to-install/formats/utdf.csv",
    ):  # fmt: skip
        assert (out / name).is_file(), name
    assert "Demand from counts" in (out / "report.html").read_text("utf-8")
    assert (
        "no geojson: tiny: the network has no projection"
        in (out / "assumptions.md").read_text("utf-8").lower()
    )
    runs = {path: path.stat().st_mtime_ns for path in (out / "comparison" / "runs").rglob("manifest.json")}
    more = run_study(str(tiny_place.config), replace(options, days_wanted=3), out, jobs=2)
    assert {row.seed for row in more.rows} == {201, 202, 203}
    assert runs == {path: path.stat().st_mtime_ns for path in runs}  # nothing was done again
    other = tmp_path / "other.csv"
    other.write_text(counts.read_text("utf-8").replace("40", "41"), encoding="utf-8")
    refused = cli("study", tiny_place.config, "--counts", other, "--out", out)
    assert refused.returncode == 2
    assert "a study of another place, demand, counts or plan" in refused.stderr
