"""Greens, yellows and all-reds by rule: what they come to, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from denxanh.experiments.specification.safety_rules import parse_rules
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.signals.rules import Rules
from denxanh.sim.simulation import Simulation
from denxanh.sim.supervisor import Limits, Supervisor
from denxanh.sim.testing.check_controller import PointQueueWorld, corridor, steady


def street(**change: Any) -> Any:
    """A corridor of one signal: 50 km/h, 14 m over the junction, greens of 27 s, yellow 3 s."""
    network = corridor(1)
    intersection = network.intersections["J0"]
    stages = (
        Stage("Gr", 27.0, (Interval("yr", 3.0),)),
        Stage("rG", 27.0, (Interval("ry", 3.0),)),
    )
    intersection = replace(
        intersection,
        program=Timing(stages),
        links=tuple(replace(link, length=14.0) for link in intersection.links),
        approaches=tuple(replace(approach, speed=50 / 3.6) for approach in intersection.approaches),
        **change,
    )
    return replace(network, intersections={"J0": intersection})


def test_ite_by_hand() -> None:
    """50 km/h: 1 + 13.89 / 6.1 = 3.28 s, to the next tenth; (14 + 6.1) / 13.89 = 1.45 s. The cycle stays."""
    intersection = Rules(yellow="ite", all_red="ite").apply(street()).intersections["J0"]
    assert [i.duration for i in intersection.program.stages[0].change] == [3.3, 1.5]
    assert intersection.program.stages[0].change[1].state == "rr"
    assert intersection.program.stages[0].green == pytest.approx(25.2)
    assert intersection.program.cycle == pytest.approx(60.0)
    assert (intersection.yellow, intersection.all_red) == (3.3, 1.5)


def test_nothing_is_shortened() -> None:
    intersection = Rules(yellow=2.0, all_red=1.0).apply(street()).intersections["J0"]
    assert [i.duration for i in intersection.program.stages[1].change] == [3.0, 1.0]
    network = street()
    assert Rules().apply(network) is network


def test_minimum_and_maximum_green_of_the_phases() -> None:
    intersection = Rules(min_green=7.0, max_green=40.0).apply(street()).intersections["J0"]
    assert {(phase.min_green, phase.max_green) for phase in intersection.phases} == {(7.0, 40.0)}
    long = Rules(min_green=90.0).apply(street()).intersections["J0"]
    assert {phase.min_green for phase in long.phases} == {27.0}  # the plan itself shows no more


def test_greens_that_would_become_too_short_are_refused() -> None:
    with pytest.raises(InputError, match=r"signal 'J0', phase 0: .* leave 4 s of its 27 s green"):
        Rules(yellow=16.0, all_red=10.0).apply(street())


def test_what_reaches_the_world_keeps_the_rules() -> None:
    network = Rules(min_green=9.0, yellow=4.0, all_red=2.0).apply(street())
    world = PointQueueWorld(network, steady("W_0", 0.2, 300) | steady("S0_0", 0.2, 300))

    def restless(seen: Any) -> Any:
        from denxanh.sim.controller import Green

        return Green(1 - seen.phase, 1.0) if not seen.minimum_left else Green(seen.phase, seen.minimum_left)

    supervisor = Supervisor(network, {"J0": restless}, Limits())
    for question in Simulation(world, 300.0, ["J0"]):
        supervisor.answer(question)
    assert supervisor.events == []
    times = [time for time, _, _ in world.shown]
    lasted = {
        state: min(b - a for (a, _, s), b in zip(world.shown, times[1:], strict=False) if s == state)
        for state in {s for _, _, s in world.shown[:-1]}
    }
    assert lasted["yr"] == lasted["ry"] == 4.0
    assert lasted["rr"] == 2.0
    assert min(lasted["Gr"], lasted["rG"]) == 9.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("min_gren=3", "did you mean 'min_green'"),
        ("max_red", "is not key=value"),
        ("yellow=slow", "give s, or plan or ite"),
        ("min_green=-3", "give a positive time in s"),
        ("max_green=ite", "max_green is 'ite'"),
        ("yellow=99", "yellow is 99.0"),
    ],
)
def test_rules_that_mean_nothing_are_refused(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_rules(text)


def test_rules_are_read() -> None:
    assert parse_rules("min_green=7, yellow=ite") == {"min_green": 7.0, "yellow": "ite"}
