"""A coordinated program as SUMO's file has it, and as SUMO runs it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import numpy as np

from denxanh.experiments.optimize.evaluation.evaluator import Program, SumoEvaluator
from denxanh.experiments.optimize.evaluation.measures import RunOutput
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.actuation import (
    ActuatedPlan,
    Actuation,
    SignalActuation,
    signal_settings,
)
from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.experiments.optimize.problem.space import Space
from denxanh.sim.network import Network
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario


def test_a_common_coordinated_setting_takes_the_longest_stage_and_clips_minima_to_planned_greens(
    pair: Network,
) -> None:
    space = Space(pair)
    timing = space.plan(space.existing()).timings["A"]
    greens = (8.0, 12.0, 30.0, 9.0)
    stages = tuple(replace(s, green=g) for s, g in zip(timing.stages, greens, strict=True))
    setting = Actuation(min_green=20.0, max_green=50.0, coordinated=True)
    own = signal_settings(pair.intersections["A"], replace(timing, stages=stages), setting)
    assert own.coordinated == 2
    assert own.greens == ((8.0, 50.0), (12.0, 50.0), (20.0, 50.0), (9.0, 50.0))


def test_a_coordinated_program_ends_its_longest_stage_with_the_cycle(pair: Network) -> None:
    space = Space(pair)
    plan = space.plan(space.existing())
    timing = plan.timings["A"]
    own = SignalActuation(((5.0, 20.0),) * 4, 2.0, coordinated=1)
    xml = plan_xml(plan, pair, actuation=Actuation(signals={"A": own}))
    logic = next(one for one in ElementTree.fromstring(xml) if one.get("id") == "A")
    params = {one.get("key"): one.get("value") for one in logic.iter("param")}
    assert (params["coordinated"], params["cycleTime"], params["max-gap"]) == ("true", "80", "2")
    greens = [one for one in logic.iter("phase") if one.get("minDur")]
    assert [one.get("state") for one in greens] == [timing.stages[k].state for k in (2, 3, 0, 1)]
    assert [one.get("latestEnd") for one in greens] == ["16", "36", "56", "76"]
    assert [one.get("earliestEnd") for one in greens] == [None, None, None, "76"]
    # below zero: SUMO's remainder of (time - offset) is negative until a positive offset has passed
    assert float(logic.get("offset", "")) == (timing.offset + timing.starts()[2]) % 80 - 80
    other = next(one for one in ElementTree.fromstring(xml) if one.get("id") == "B")
    assert "coordinated" not in {one.get("key") for one in other.iter("param")}


def states_in_sumo(scenario: Scenario, plans: Sequence[Plan]) -> list[list[tuple[float, str]]]:
    """(time, state) of each second of the first signal, under each of the plans."""
    evaluator = SumoEvaluator(load_network(scenario.net), (scenario,))
    name = sorted(plans[0].timings)[0]
    event = f'<timedEvent type="SaveTLSStates" source="{name}" dest="states.xml"/></additional>'
    shown: list[list[tuple[float, str]]] = []

    def read(run: RunOutput) -> np.ndarray[Any, Any]:
        states = ElementTree.parse(run.folder / "states.xml").getroot()
        shown.append([(float(e.get("time", "")), e.get("state", "")) for e in states])
        return np.zeros(1)

    for plan in plans:
        xml = evaluator.program(plan).xml.replace("</additional>", event)
        evaluator.read([Program(xml, tuple(plan.timings))], [Case(0, 1)], read)
    return shown


def test_sumo_runs_a_coordinated_program_in_its_cycle(tiny_place: Any) -> None:
    """Where every stage keeps its planned green, it shows the fixed plan from the first cycle on."""
    network = load_network(tiny_place.net)
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=400.0)
    plan = Space(network).plan(Space(network).existing())
    planned = {
        name: SignalActuation(tuple((s.green, s.green) for s in timing.stages), 3.0, coordinated=0)
        for name, timing in plan.timings.items()
    }
    rigid = ActuatedPlan(plan.timings, "", Actuation(signals=planned))
    fixed, actuated = states_in_sumo(scenario, [plan, rigid])
    assert len(fixed) > 350
    assert fixed == actuated


def test_a_coordinated_program_that_begins_before_its_offset_is_in_its_cycle_at_once(tiny_place: Any) -> None:
    network = load_network(tiny_place.net)
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=400.0)
    own = Space(network).plan(Space(network).existing())
    plan = Plan({name: replace(timing, offset=17.0) for name, timing in own.timings.items()})
    free = {
        name: SignalActuation(tuple((5.0, s.green) for s in timing.stages), 3.0, coordinated=0)
        for name, timing in plan.timings.items()
    }
    (shown,) = states_in_sumo(scenario, [ActuatedPlan(plan.timings, "", Actuation(signals=free))])
    timing = plan.timings[sorted(plan.timings)[0]]
    main = timing.stages[0]
    ends = [now for (_, state), (now, then) in itertools.pairwise(shown) if state == main.state != then]
    assert len(ends) >= 4
    assert {(now - timing.offset - main.green) % timing.cycle for now in ends} == {0.0}
