"""``denxanh check PLACE -c CONTROLLER`` refuses what a run of the controller would refuse, before anything runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.formats.existing_plan import existing_plan
from denxanh.experiments.study.place_check import check_controller
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import DenxanhError
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario


@pytest.fixture(scope="module")
def scenario(tiny_place: Any) -> Scenario:
    return open_scenario(str(tiny_place.config))


@pytest.fixture(scope="module")
def plan(scenario: Scenario) -> dict[str, Any]:
    return existing_plan(network_of(scenario)).to_json()


def without(plan: dict[str, Any], **change: Any) -> dict[str, Any]:
    """The plan with another signal A0."""
    return {
        **plan,
        "intersections": {**plan["intersections"], "A0": {**plan["intersections"]["A0"], **change}},
    }


Content = Callable[[dict[str, Any]], Any]
FILES: dict[str, tuple[str, Content, str]] = {
    "plan without stages": ("fixed-time:plan=", lambda p: without(p, stages=[]), "there is no stage"),
    "plan of another network": (
        "fixed-time:plan=",
        lambda p: {**p, "intersections": {"X": p["intersections"]["A0"]}},
        "signal 'X'",
    ),
    "plan of conflicting greens": (
        "fixed-time:plan=",
        lambda p: without(
            p, stages=[{"state": "G" * len(p["intersections"]["A0"]["stages"][0]["state"]), "green": 9}]
        ),
        "A0",
    ),
    "plan below a layer": ("police:over=fixed-time:plan=", lambda p: without(p, offset="x"), "is not a time"),
    "schedule without its plan": (
        "time-of-day:schedule=",
        lambda _: [{"from": "07:00", "plan": "none.json"}],
        "cannot be read",
    ),
    "schedule of no time": ("time-of-day:schedule=", lambda _: [{"from": "7", "plan": "a"}], "no schedule"),
    "order for no signal": (
        "police:orders=",
        lambda _: [{"signal": "Z", "from": 0, "to": 9, "phases": [[0, 60]]}],
        "no signal 'Z'",
    ),
    "order of no phase": (
        "police:orders=",
        lambda _: [{"signal": "A0", "from": 0, "to": 9, "phases": [[99, 60]]}],
        "no phase 99",
    ),
    "program file of no signal": ("sumo-program:file=", lambda _: None, "there is no signal 'Q'"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_a_run_would_refuse(
    name: str, scenario: Scenario, plan: dict[str, Any], tmp_path: Path
) -> None:
    controller, content, said = FILES[name]
    file = tmp_path / ("x.add.xml" if controller.startswith("sumo") else "x.json")
    logic = '<tlLogic id="Q" programID="q" type="static"><phase state="G" duration="9"/></tlLogic>'
    program = f"<additional>{logic}</additional>"
    file.write_text(program if file.suffix == ".xml" else json.dumps(content(plan)), "utf-8")
    with pytest.raises(DenxanhError, match=said) as refusal:
        check_controller(scenario, f"{controller}{file}")
    assert "\n" not in str(refusal.value)


def test_what_can_run_is_said(scenario: Scenario, plan: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(plan), "utf-8")
    given = f"fixed-time:plan={tmp_path / 'x.json'}"
    assert check_controller(scenario, given) == f"{given}: controls 2 of 2 signals"
    assert check_controller(scenario, "program") == "program: SUMO runs the signals"
    assert check_controller(scenario, "conventional") == "conventional: its plan is computed when it runs"


def test_a_controller_that_raises_is_one_sentence(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("J7")

    monkeypatch.setattr("denxanh.controllers.fixed.webster.webster_plan", broken)
    with pytest.raises(DenxanhError, match=r"it raised KeyError: 'J7'"):
        check_controller(scenario, "webster")


def test_the_command_names_each_controller(tiny_place: Any, here: Any) -> None:
    done = here("check", tiny_place.config, "-c", "max-pressure", "-c", "sumo:actuated")
    assert done.status == 0, done.stderr
    assert "max-pressure: controls 2 of 2 signals" in done.stdout
    assert "sumo:actuated: SUMO runs the signals" in done.stdout
    assert "ready" in done.stdout
