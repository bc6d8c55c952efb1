"""Plans by time of day."""

import itertools
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.experiments.optimize.problem.day_schedule import day_xml, schedule, schedule_json
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan, Stage, Timing

PLANS = [Plan({"J": Timing((Stage("Gr", 10.0 + k), Stage("rG", 10.0)))}) for k in range(3)]


@given(
    st.lists(st.lists(st.integers(0, 20), min_size=5, max_size=5), min_size=3, max_size=3),
    st.integers(1, 3),
    st.integers(0, 10),
    st.integers(1, 2),
)
@settings(max_examples=40, deadline=None)
def test_the_schedule_is_the_cheapest_there_is(rows: list[list[int]], most: int, price: int, dwell: int):
    cost = np.array(rows, dtype=float)
    day = schedule(PLANS, cost, range(6), most=most, switch_cost=price, dwell=dwell)

    def total(choice: tuple[int, ...]) -> float:
        runs = [len(list(group)) for _, group in itertools.groupby(choice)]
        if len(set(choice)) > most or min(runs) < dwell:
            return np.inf
        return sum(cost[p, t] for t, p in enumerate(choice)) + price * (len(runs) - 1)

    assert day.cost == pytest.approx(min(total(c) for c in itertools.product(range(3), repeat=5)))
    changes = {switch.time: PLANS.index(day.plans[switch.plan]) for switch in day.switches}
    running = [changes[max(time for time in changes if time <= t)] for t in range(5)]
    assert total(tuple(running)) == pytest.approx(day.cost)


def test_a_dear_switch_keeps_one_plan():
    cost = np.array([[1.0, 9.0], [9.0, 2.0], [4.0, 4.0]])
    assert len(schedule(PLANS, cost, [0, 1, 2]).plans) == 2
    assert schedule(PLANS, cost, [0, 1, 2], switch_cost=100).plans == (PLANS[2],)


def test_sumo_is_told_when_to_switch(pair: Network):
    timing = pair.intersections["A"].program
    plans = [Plan({"A": replace(timing, offset=float(k))}) for k in range(3)]
    day = schedule(plans, np.array([[1.0, 9.0], [9.0, 2.0], [9.0, 9.0]]), [25200, 27000, 28800])
    root = ElementTree.fromstring(day_xml(day, pair))
    assert [(logic.get("programID"), logic.get("offset")) for logic in root.iter("tlLogic")] == [
        ("denxanh-0", "0"),
        ("denxanh-1", "1"),
    ]
    (waut,) = root.iter("WAUT")
    assert waut.get("startProg") == "denxanh-0"
    assert [(s.get("time"), s.get("to")) for s in waut] == [("27000", "denxanh-1")]
    assert [j.get("junctionID") for j in root.iter("wautJunction")] == ["A"]
    assert schedule_json(day, ["a.json", "b.json"]) == [
        {"from": "07:00:00", "plan": "a.json"},
        {"from": "07:30:00", "plan": "b.json"},
    ]
    other = Plan({"A": replace(timing, stages=timing.stages[:3])})
    with pytest.raises(InputError, match="different stages"):
        day_xml(replace(day, plans=(day.plans[0], other)), pair)


def test_a_table_of_another_shape_is_refused():
    with pytest.raises(InputError, match="do not fit"):
        schedule(PLANS, np.zeros((2, 2)), [0, 1, 2])
