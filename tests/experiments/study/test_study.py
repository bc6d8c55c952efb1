"""A study keeps its clock, goes on where it stopped, refuses what does not fit, and leaves what a planner needs."""

from __future__ import annotations

import json
import re
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
from denxanh.experiments.formats.plan_source import open_plans
from denxanh.experiments.optimize.job.conventional import NotRaced
from denxanh.experiments.optimize.job.other_fidelity import fidelity_sentences
from denxanh.experiments.report.decision.cautions import NOBODY_WALKS
from denxanh.experiments.report.decision.first_screen import first_screen
from denxanh.experiments.results.summary import Group
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.sheet.sheet_content import signal_sheets
from denxanh.experiments.study import study, study_days, study_plans, study_state
from denxanh.experiments.study.place_check import Report
from denxanh.experiments.study.study import run_study
from denxanh.experiments.study.study_clock import StudyClock, interrupted_after
from denxanh.experiments.study.study_folder import _sheet_head, summary_lines, write_plans, write_study
from denxanh.experiments.study.study_options import StudyOptions
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.language.text import Text
from denxanh.sim.network_reader import network_of
from denxanh.sim.run import store
from tests.experiments.report.conftest import make_metrics


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

    monkeypatch.setattr(study_plans, "conventional_plan_file", no_time)
    state = study_state.Study(tmp_path, StudyOptions(), StudyClock(60.0), 1, "", lambda text: None)
    found = study_plans.conventional_controller(state, scenario)
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
    kinds = len(lines[0].split(",")) - 8
    filled = [lines[0]] + [
        line.rstrip(",") + "," + ",".join(["40"] * kinds) for line in lines[1:] if line.split(",")[5]
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


class Cut:
    """A time that is over when its block is interrupted."""

    def __init__(self, seconds: float) -> None:
        self.fired = False

    def __enter__(self) -> Cut:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> bool:
        self.fired = kind is KeyboardInterrupt
        return self.fired


def made(controller: str, delay: float | None, seed: int = 201, place: str = "tiny") -> RunRow:
    """A row of a run that is done with this delay, or pending."""
    if delay is None:
        return RunRow(place, controller, seed, "pending")
    return RunRow(place, controller, seed, metrics=make_metrics(delay), wall_s=1.0)


def test_runs_that_were_done_when_the_time_ended_count(
    tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = study_days.execute_runs

    def first_run_alone(out: Path, runs: Any, **options: Any) -> None:
        whole(out, runs[:1], **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(study_days, "execute_runs", first_run_alone)
    monkeypatch.setattr(study_days, "interrupted_after", Cut)
    said: list[str] = []
    state = study_state.Study(tmp_path, StudyOptions(), StudyClock(60.0), 1, "", said.append)
    state.names = {"program": "assumed plan"}
    scenario = open_scenario(str(tiny_place.config))
    rows, late = study_days.one_day(state, scenario, [("program", {}), ("max-pressure", {})], 201, 60.0)
    assert late
    assert [(row.controller, row.done) for row in rows] == [("program", True)]
    assert said[0].startswith("day 1, assumed plan: ")  # by the name of the page, not by controller and file
    assert study_days.first_day(state, scenario, [("program", {}), ("max-pressure", {})]) > 0


def test_a_first_day_that_was_cut_off_is_a_page_that_says_so(
    tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = study_state.Study(
        tmp_path, StudyOptions(), StudyClock(60.0, time.monotonic() - 100.0), 1, "", lambda text: None
    )
    rows = [made("program", 40.0), made("conventional", 30.0), made("actuated", None)]
    monkeypatch.setattr(study_days, "one_day", lambda *_, **__: (rows, True))
    scenario = open_scenario(str(tiny_place.config))
    controllers: list[study_state.Named] = [("program", {}), ("conventional", {}), ("actuated", {})]
    found = study_days.held_out_days(state, scenario, controllers, {"program": "assumed plan"}, 1.0)
    assert [(row.controller, row.done) for row in found] == [("assumed plan", True), ("conventional", True)]
    assert state.partial is not None
    assert state.skipped == [state.partial]
    for text, there, name in (
        (state.partial.en, "complete are", "actuated"),
        (state.partial.vi, "đã xong", "điều khiển theo xe"),
    ):
        done, missing = text.split("; ", 1)
        assert there in done
        assert name not in done
        assert name in missing
    result = study.StudyResult(
        tmp_path, scenario, str(tiny_place.config), Report((), (), (), (), ""), (), found, {}, tuple(state.skipped),
        state.options, state.clock, None, state.partial,
    )  # fmt: skip
    write_study(result, command="denxanh study")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<ul class="findings"><li>' in page
    assert state.partial.capitalised().en in page
    none = [made("program", None)]
    monkeypatch.setattr(study_days, "one_day", lambda *_, **__: (none, True))
    with pytest.raises(RunError, match="no run of a day ended"):
        study_days.held_out_days(state, scenario, controllers, {}, 1.0)


def test_the_plans_are_judged_in_the_other_fidelity_as_they_are(
    tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their files: made anew for the other fidelity, the conventional plan would be another one."""
    scenario = open_scenario(str(tiny_place.config))
    there = replace(scenario, name="tiny:sublane")
    monkeypatch.setattr(study_days, "other_fidelity", lambda _: there)
    asked: list[list[study_state.Named]] = []

    def day(*given: Any, **_: Any) -> tuple[list[RunRow], bool]:
        controllers, seed, folder = given[2], given[3], given[5]
        assert folder == study_state.FIDELITY
        asked.append(controllers)
        labels = [study_days.controller_label(*one) for one in controllers]
        rows = [made(label, 50.0 - 10 * k + seed % 3, seed, there.name) for k, label in enumerate(labels)]
        return rows, False

    monkeypatch.setattr(study_days, "one_day", day)
    state = study_state.Study(tmp_path, StudyOptions(), StudyClock(600.0), 1, "", lambda text: None)
    here = [
        made(name, delay + seed % 3, seed)
        for seed in (201, 202, 203)
        for name, delay in (("assumed plan", 60.0), ("conventional", 45.0))
    ]
    plans: dict[str, study_state.Named] = {"conventional": ("fixed-time", {"plan": "/x/conventional.json"})}
    found = study_days.in_other_fidelity(state, scenario, scenario, here, plans)
    assert found is not None
    assert asked == 3 * [[("program", {}), ("fixed-time", {"plan": "/x/conventional.json"})]]
    assert [row.controller for row in found.rows] == 3 * ["assumed plan"] + 3 * ["conventional"]
    (said,) = fidelity_sentences(here, found, of=["conventional"])
    assert said.en.startswith("conventional over assumed plan in tiny:sublane: the gain holds, 10.0 s/veh (")
    assert said.en.endswith("3 pairs), here 15.0 s/veh (15.0…15.0, 3 pairs).")
    assert study_days.in_other_fidelity(state, scenario, scenario, here, {}) is None
    monkeypatch.setattr(study_days, "one_day", lambda *_, **__: ([], True))
    late = study_days.in_other_fidelity(state, scenario, scenario, here, plans)
    assert late is not None
    assert late.reason is not None
    assert fidelity_sentences(here, late)[0].en.startswith("Not judged in tiny:sublane: --time was over")


def studied(tiny_place: Any, folder: Path, *, counts: Path | None = None) -> study.StudyResult:
    """A study of three days that ended: actuated is proven over conventional, that not over the assumed plan."""
    scenario = open_scenario(str(tiny_place.config))
    plan = folder / "conventional.json"
    timings = existing_plan(network_of(scenario))
    name, timing = next(iter(timings.timings.items()))
    first = timing.stages[0]
    longer = replace(timing, stages=(replace(first, green=first.green + 1.0), *timing.stages[1:]))
    store.write_json(plan, replace(timings, timings={**timings.timings, name: longer}).to_json())
    delays = {
        "assumed plan": (60.0, 190.0, 130.0),
        "conventional": (32.0, 33.5, 31.0),
        "actuated": (28.0, 29.2, 27.1),
    }
    rows = tuple(
        made(controller, delay, 201 + day)
        for controller, days in delays.items()
        for day, delay in enumerate(days)
    )
    options = StudyOptions(counts=counts)
    clock = StudyClock(60.0, time.monotonic() - 100.0)
    return study.StudyResult(
        folder / "out", scenario, str(tiny_place.config), Report((), (), (), (), ""), (), rows,
        {"conventional": plan}, (), options, clock,
    )  # fmt: skip


def test_the_page_says_which_plan_is_to_install_and_with_which_settings(
    tiny_place: Any, tmp_path: Path
) -> None:
    result = studied(tiny_place, tmp_path)
    result.folder.mkdir()
    screen = write_study(result, command="denxanh study")
    assert screen is not None
    assert screen.recommendation.candidate == "actuated"
    page = (result.folder / "report.html").read_text("utf-8")
    findings = page[page.index('<ul class="findings">') :].partition("</ul>")[0]
    assert (
        "to-install/ has the conventional plan, to install until there are detectors: 75 % less delay"
        in findings
    )
    assert "(not proven: " in findings
    assert "to-install/sheet-en.pdf" in findings
    assert "to-install/ có phương án thông thường, để cài đặt cho đến khi có đầu dò" in findings
    assert "Settings of actuated: passage time 2 s; detection within 15 m" in findings
    assert "Thông số điều khiển theo xe" in findings
    said = (result.folder / "assumptions.md").read_text("utf-8").partition("# Những điều")[2]
    for english in ("has no states", "holds one plan", "no yellow: they"):
        assert english not in said
    assert "UTDF chỉ chứa một phương án" in said
    verdicts = page[page.index('<ul class="verdicts">') :].partition("</ul>")[0]
    vietnamese = "".join(re.findall('<span lang="vi">(.*?)</span>', verdicts))
    assert "điều khiển theo xe" in vietnamese
    assert "actuated" not in vietnamese
    assert any("to-install/ has the conventional plan" in line for line in summary_lines(result, screen))


def test_the_sheet_says_what_its_plan_is_and_rests_on(tiny_place: Any, tmp_path: Path) -> None:
    counts = tmp_path / "counts.csv"
    counts.write_text("", encoding="utf-8")
    result = studied(tiny_place, tmp_path, counts=counts)
    result = replace(result, scenario=replace(result.scenario, name="ha-noi/hoang-dao-thuy"))
    named = {row.controller: row for row in result.rows}
    screen = first_screen(
        Group("tiny", 1.0, {name: [r for r in result.rows if r.controller == name] for name in named}),
        None,
        assumed_plan=True,
    )
    head = _sheet_head(result, screen, "conventional")
    source = replace(
        open_plans(result.plans["conventional"], str(tiny_place.config)), scenario=result.scenario
    )
    sheets = signal_sheets(source, date="2026-01-31", head=head)
    plans = {dict(sheet.facts)[Text("Plan", "Phương án")] for sheet in sheets}
    assert plans - {Text("assumed", "giả định")} == {
        Text("conventional plan (until detectors exist)", "phương án thông thường (đến khi có đầu dò)")
    }  # the first signal's plan is new
    for sheet in sheets:
        facts = {label.vi: value for label, value in sheet.facts}
        assert facts["Địa điểm"].vi == "Trần Duy Hưng – Hoàng Đạo Thúy, Hà Nội"
        assert facts["Lưu lượng"].en == "counted: counts.csv, 00:00–00:05"
        notes = [note.en for note in sheet.notes]
        assert NOBODY_WALKS.en not in notes  # the invented runs have people on foot
