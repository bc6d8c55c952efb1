"""Figures and rules of the editor, and jobs that outlive the server."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the workbench needs the extra serve")

from denxanh.experiments.workbench.plan_edits import EditRules, with_cycle
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of, timings
from denxanh.sim.plan import Plan, Timing
from denxanh.sim.timing.arterials import arterials
from tests.experiments.workbench.conftest import Server, until

PLACE = "ha-noi/hoang-dao-thuy"


@pytest.fixture(scope="module")
def street() -> Network:
    return network_of(open_scenario("ha-noi/pho-hue"))


def edited(plan: dict[str, Any], signal: str, stage: int, **times: float) -> dict[str, Any]:
    """The plan with another green or change interval (by its number) of a stage."""
    made = copy.deepcopy(plan)
    one = made["intersections"][signal]["stages"][stage]
    for name, value in times.items():
        if name == "green":
            one["green"] = value
        else:
            one["change"][int(name[1:])]["duration"] = value
    return made


def test_figures_of_the_existing_plan_are_those_of_the_model(server: Any) -> None:
    data = server.opened(PLACE)
    found = server.post("evaluate", place=PLACE, plan=data["plan"])[1]
    assert found["delay"] > 0
    signal = next(iter(data["signals"]))
    assert len(found["roads"][signal]) == len(data["signals"][signal]["roads"])
    assert max(road["queue"] for road in found["roads"][signal]) > 0
    again = server.post("evaluate", place=PLACE, plan=data["plan"])[1]
    assert again == found


def test_a_longer_green_shortens_the_queue_of_its_road(server: Any) -> None:
    data = server.opened(PLACE)
    (signal,) = data["signals"]
    own = data["plan"]["intersections"][signal]["stages"]
    plan = edited(data["plan"], signal, 0, green=own[0]["green"] + 20)
    before = server.post("evaluate", place=PLACE, plan=data["plan"])[1]["roads"][signal]
    after = server.post("evaluate", place=PLACE, plan=plan)[1]["roads"][signal]
    assert before != after
    assert any(b["lost"] < a["lost"] for a, b in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ({"green": 4.0}, "below the minimum green of 5 s"),
        ({"green": -2.0}, "below the minimum green of 5 s"),
        ({"c0": 1.0}, "shorter yellow"),
        ({"c1": 0.5}, "less time to clear"),
    ],
    ids=["minimum green", "no green", "yellow", "clearance"],
)
def test_a_move_against_a_rule_is_refused_with_the_reason(
    server: Any, times: dict[str, float], reason: str
) -> None:
    data = server.opened(PLACE)
    (signal,) = data["signals"]
    found = server.post("evaluate", place=PLACE, plan=edited(data["plan"], signal, 0, **times))[1]
    assert reason in found["refused"]["en"]
    assert data["signals"][signal]["name"] in found["refused"]["vi"]
    assert found["refused"]["en"] != found["refused"]["vi"]
    kept = server.post("keep", place=PLACE, slot="1", plan=edited(data["plan"], signal, 0, **times))[1]
    assert "refused" in kept
    assert "1" not in server.opened(PLACE)["own"]


def test_a_cycle_that_ends_the_green_wave_of_a_street_is_refused(street: Network) -> None:
    rules = EditRules(street, [one.signals for one in arterials(street)])
    plan = Plan(timings(street))
    assert rules.fault(plan) is None
    name, timing = next(iter(plan.timings.items()))
    other = with_cycle(street.intersections[name], timing, timing.cycle + 7)
    assert isinstance(other, Timing)
    fault = rules.fault(Plan({**plan.timings, name: other}))
    assert fault is not None
    assert "green wave" in fault.en
    assert "làn sóng xanh" in fault.vi


def test_no_offset_is_against_a_rule(street: Network) -> None:
    rules = EditRules(street, [one.signals for one in arterials(street)])
    shifted = {name: Timing(t.stages, (t.offset + 13) % t.cycle) for name, t in timings(street).items()}
    assert rules.fault(Plan(shifted)) is None


@pytest.mark.parametrize("change", [-6.0, 0.0, 1.0, 17.0, 50.0])
def test_another_cycle_keeps_changes_minima_and_its_sum(street: Network, change: float) -> None:
    for name, timing in timings(street).items():
        intersection = street.intersections[name]
        found = with_cycle(intersection, timing, timing.cycle + change)
        assert isinstance(found, Timing)
        assert found.cycle == pytest.approx(timing.cycle + change)
        assert [s.change for s in found.stages] == [s.change for s in timing.stages]
        assert all(s.green >= p.min_green for s, p in zip(found.stages, intersection.phases, strict=True))
        if not change:
            assert [s.green for s in found.stages] == [s.green for s in timing.stages]


def test_a_cycle_below_the_minima_is_refused(street: Network) -> None:
    name, timing = next(iter(timings(street).items()))
    found = with_cycle(street.intersections[name], timing, 10)
    assert not isinstance(found, Timing)
    assert "too short" in found.en


@pytest.mark.parametrize(
    "plan",
    [
        None,
        [],
        {},
        {"schema": "denxanh-plan/1"},
        {"schema": "denxanh-plan/1", "intersections": {"x": {"stages": []}}},
    ],
    ids=str,
)
def test_a_plan_that_is_none_is_refused(server: Any, plan: Any) -> None:
    server.opened(PLACE)
    assert server.post("evaluate", place=PLACE, plan=plan)[0] == 422


def test_other_stages_may_come_with_a_plan_if_they_are_safe(server: Any) -> None:
    """An optimised plan has stages of its own: judged as before a run, with minimum greens by their links."""
    data = server.opened(PLACE)
    (signal,) = data["signals"]
    plan = copy.deepcopy(data["plan"])
    stages = plan["intersections"][signal]["stages"]
    stages.append(copy.deepcopy(stages[0]))  # the first stage twice in a cycle
    assert server.post("evaluate", place=PLACE, plan=plan)[1]["delay"] > 0
    assert server.post("keep", place=PLACE, slot="1", plan=plan)[1] == {"kept": True}
    kept = server.opened(PLACE)["own"]["1"]
    assert kept["plan"]["intersections"] == plan["intersections"]
    assert len(kept["signals"][signal]["stages"]) == len(stages)
    short = edited(plan, signal, len(stages) - 1, green=4.0)
    assert "minimum green" in server.post("evaluate", place=PLACE, plan=short)[1]["refused"]["en"]
    unsafe = copy.deepcopy(plan)
    unsafe["intersections"][signal]["stages"][0]["state"] = "G" * len(stages[0]["state"])
    assert "together" in server.post("evaluate", place=PLACE, plan=unsafe)[1]["refused"]["en"]
    wrong = copy.deepcopy(plan)
    for stage in wrong["intersections"][signal]["stages"]:
        stage["state"] += "r"
        for interval in stage["change"]:
            interval["state"] += "r"
    assert server.post("evaluate", place=PLACE, plan=wrong)[0] == 422


def test_a_kept_plan_is_there_again(server: Any) -> None:
    data = server.opened(PLACE)
    (signal,) = data["signals"]
    green = data["plan"]["intersections"][signal]["stages"][0]["green"]
    plan = edited(data["plan"], signal, 0, green=green + 3)
    assert server.post("keep", place=PLACE, slot="2", plan=plan)[1] == {"kept": True}
    assert server.opened(PLACE)["own"]["2"]["plan"]["intersections"] == plan["intersections"]
    assert server.post("keep", place=PLACE, slot="../2", plan=plan)[0] == 422


def test_a_job_outlives_the_server_and_is_listed_again(tmp_path: Any) -> None:
    first = Server(tmp_path)
    status, found = first.post(
        "start", kind="compare", place=PLACE, controllers=["program"], seeds=2, simulated=5
    )
    assert status == 200, found
    first.kill()
    second = Server(tmp_path)
    try:
        job = second.job(found["id"])
        assert job["state"] in ("waiting", "running", "done")
        job = second.ended(found["id"])
        assert job["state"] == "done", job
        assert "report.html" in {file["name"] for file in job["files"]}
        assert job["result"] in {one["name"] for one in second.post("lists")[1]["results"]}
    finally:
        second.kill()


def test_a_job_is_cancelled_and_goes_on(server: Any) -> None:
    """The second job waits for the first one, and can be cancelled while it waits."""
    form = {"kind": "compare", "place": PLACE, "controllers": ["program"], "seeds": 20, "simulated": 30}
    running = server.post("start", **form)[1]["id"]
    waiting = server.post("start", **{**form, "seeds": 1, "simulated": 5})[1]["id"]
    until(lambda: server.job(running)["output"])
    assert server.job(waiting)["state"] == "waiting"
    assert server.post("again", id=running)[0] == 422
    server.post("cancel", id=waiting)
    assert server.ended(waiting)["state"] == "cancelled"
    server.post("cancel", id=running)
    assert server.ended(running)["state"] == "cancelled"
    server.post("again", id=waiting)
    assert server.ended(waiting)["state"] == "done"
    server.post("remove", id=waiting)
    assert waiting not in {job["id"] for job in server.post("jobs")[1]["jobs"]}


def test_sheets_of_an_edited_plan(server: Any) -> None:
    data = server.opened(PLACE)
    server.post("keep", place=PLACE, slot="1", plan=data["plan"])
    assert server.post("start", kind="sheet", place=PLACE, slot="3")[0] == 422
    job = server.ended(server.post("start", kind="sheet", place=PLACE, slot="1")[1]["id"])
    assert job["state"] == "done", job["output"]
    assert {file["name"] for file in job["files"]} >= {"sheet-vi.pdf", "sheet-en.pdf", "sheet-vi.xlsx"}


def test_a_result_without_a_report_is_listed_and_its_plan_can_be_begun_from(server: Any) -> None:
    """An optimisation that had no time for held-out runs leaves a plan alone."""
    data = server.opened(PLACE)
    folder = server.folder / "a" / "optimize-x"
    folder.mkdir(parents=True)
    (folder / "optimize.json").write_text("{}", encoding="utf-8")
    (folder / "plan.json").write_text(json.dumps(data["plan"]), encoding="utf-8")
    other = server.folder / "plans-of-another-place"
    other.mkdir()
    for name, text in (
        ("plan.json", json.dumps({"schema": "denxanh-plan/1", "intersections": {}})),
        ("x", "{"),
    ):
        (other / name).write_text(text, encoding="utf-8")
    results = {one["name"]: one for one in server.post("lists")[1]["results"]}
    assert "plan.json" in {file["name"] for file in results["optimize-x"]["files"]}
    found = server.post("plans", place=PLACE)[1]["plans"]
    plans = {one["name"]: one["plan"] for one in found}
    assert plans[str(folder / "plan.json")]["intersections"] == data["plan"]["intersections"]
    assert str(other / "plan.json") not in plans
