"""Priority and police as layers, on a street of vertical queues where the times are known."""

import json
from dataclasses import replace

import numpy as np
import pytest

from denxanh.controllers.layers.police import Police
from denxanh.controllers.layers.priority import Priority
from denxanh.controllers.predictive.predictive import Predictive
from denxanh.controllers.registry import make_controller
from denxanh.sim.controller import Request
from denxanh.sim.errors import InputError
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady

STREET = corridor(3)
SIDES = steady("S0_0", 0.15, 600) | steady("S1_0", 0.15, 600) | steady("S2_0", 0.15, 600)


def travel_time(controller, departs, vclass="emergency", network=STREET):
    """s that one vehicle needs from W to E, entering at ``departs`` s; on free road 4 · 200 m / 12.5 m/s = 64 s."""

    class Watched(PointQueueWorld):
        gone = None

        def advance(self, steps):
            super().advance(steps)
            if self.gone is None and self.steps > departs + 2 and not self.priority_vehicles():
                self.gone = self.steps

    world = Watched(network, SIDES | {"W_0": [departs]}, classes={"W_0.0": vclass})
    play(world, controller, 600.0)
    return world.gone - departs


@pytest.mark.parametrize("over", ["max-pressure", "program", "webster", "volume-density"])
def test_the_layers_keep_the_rules(over):
    check_controller(Priority(over=over), seconds=200.0)
    check_controller(Police(over=over, hold="J1@1@60-120"), seconds=200.0)


@pytest.mark.parametrize("departs", [100.0, 117.0, 139.0])
@pytest.mark.parametrize("over", ["program", "max-pressure"])
def test_an_ambulance_meets_green_only(over, departs):
    """At the limit it needs 64 s, rounded up to whole steps; without priority some of these wait 20 s and more."""
    assert travel_time(Priority(over=over), departs) <= 66.0


def test_without_priority_it_waits():
    assert max(travel_time(Police(), d) for d in (100.0, 117.0, 139.0)) > 80.0


def test_who_waited_longest_goes_first_after_an_ambulance(crossing, look):
    """Recovery: the exit phase, for ten seconds, then the strategy below."""
    policy = Priority(over="max-pressure").start(crossing)["J0"]
    ambulance = Request("a", "emergency", 0, 20.0, 12.5, 1.6)
    rows = [(1, 1.0, 0.0), *[(0, 5.0, 0.0)] * 5]  # max-pressure itself would stay with the five
    assert policy(replace(look(rows), requests=(ambulance,))).phase == 0
    assert policy(replace(look(rows, time=101.0), red=np.array([0.0, 40.0]))).phase == 1
    assert policy(look(rows, phase=1, elapsed=9.0, time=113.0)).phase == 1
    assert policy(look(rows, phase=1, elapsed=10.0, time=114.0)).phase == 0


def test_an_emergency_cuts_a_red_but_never_a_minimum_green(crossing, look):
    policy = Priority().start(crossing)["J0"]
    ambulance = Request("a", "emergency", 1, 20.0, 12.5, 1.6)
    assert policy(replace(look(elapsed=2.0), requests=(ambulance,))).phase == 0
    assert policy(replace(look(elapsed=5.0, time=103.0), requests=(ambulance,))).phase == 1


def test_one_that_does_not_get_through_is_not_waited_for_longer_than_presence(crossing, look):
    policy = Priority(over="longest-queue", presence=60.0).start(crossing)["J0"]
    stuck = Request("a", "emergency", 0, 20.0, 0.0, 1.6)
    rows = [(1, 1.0, 0.0)] * 3
    phases = [policy(replace(look(rows, time=100.0 + s), requests=(stuck,))).phase for s in (0.0, 60.0, 61.0)]
    assert phases == [0, 0, 1]


def test_a_bus_extends_its_green_by_the_extension_at_most(crossing, look):
    """The strategy below wants to leave; a bus 5 s away is let through, one 13 s away is not."""
    rows = [(1, 1.0, 0.0)] * 5
    for free, phase in ((5.0, 0), (13.0, 1)):
        policy = Priority(over="longest-queue", extension=12.0).start(crossing)["J0"]
        bus = Request("b", "bus", 0, free * 12.5, 12.5, free)
        assert policy(replace(look(rows), requests=(bus,))).phase == phase


def test_a_bus_ends_a_red_early_unless_somebody_has_waited_too_long(crossing, look):
    bus = Request("b", "bus", 1, 60.0, 12.5, 4.8)
    rows = [(0, 5.0, 0.0)] * 5  # longest-queue would stay
    assert Priority(over="longest-queue").start(crossing)["J0"](look(rows)).phase == 0
    assert (
        Priority(over="longest-queue").start(crossing)["J0"](replace(look(rows), requests=(bus,))).phase == 1
    )
    late = replace(look(rows), requests=(bus,), red=np.array([80.0, 0.0]))
    assert Priority(over="longest-queue", patience=75.0).start(crossing)["J0"](late).phase == 0


def test_a_layer_shows_the_greens_of_the_strategy_below(monkeypatch):
    monkeypatch.setattr(Predictive, "more_phases", lambda self, network: {"J0": ("GrGr",)})
    assert Priority(over="predictive").more_phases(STREET) == {"J0": ("GrGr",)}
    assert Priority(over="actuated").more_phases(STREET) == {}


def test_classes_that_are_not_asked_for_are_not_served(crossing, look):
    bus = Request("b", "bus", 1, 60.0, 12.5, 4.8)
    policy = Priority(over="longest-queue", classes="emergency").start(crossing)["J0"]
    assert policy(replace(look([(0, 5.0, 0.0)] * 5), requests=(bus,))).phase == 0


@pytest.mark.parametrize("over", ["nothing", "priority:over=nothing", "sumo-program:file=x"])
def test_a_layer_over_what_it_cannot_stand_on_is_refused(over):
    with pytest.raises(InputError):
        make_controller("priority", {"over": over})


def test_an_unknown_class_is_refused():
    with pytest.raises(InputError, match="no priority for the class 'car'"):
        make_controller("priority", {"classes": "car+bus"})


def shown(controller, seconds=200.0, begin=0.0):
    world = PointQueueWorld(corridor(1), {}, begin=begin)
    play(world, controller, seconds)
    return [(time - begin, state) for time, _, state in world.shown]


def test_an_officer_holds_a_phase_and_the_plan_comes_back_to_its_clock():
    """The plan: 27 s each and 3 s of yellow, so W is green at 0, 60, 120, 180; the order is 40 to 100 s."""
    states = shown(Police(hold="J0@0@40-100"))
    assert states[:6] == [(0.0, "Gr"), (27.0, "yr"), (30.0, "rG"), (40.0, "ry"), (43.0, "Gr"), (100.0, "yr")]
    assert (180.0, "Gr") in states


def test_an_officer_works_through_phases(tmp_path):
    orders = [{"signal": "J0", "from": "00:00", "to": "00:02:30", "phases": [[0, 40], [1, 20]]}]
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(orders), "utf-8")
    states = shown(Police(orders=str(path)), seconds=150.0)
    assert [(t, s) for t, s in states if "G" in s] == [
        (0.0, "Gr"),
        (43.0, "rG"),
        (66.0, "Gr"),
        (109.0, "rG"),
        (132.0, "Gr"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "no order"),
        ("{", "not JSON"),
        ('[{"signal": "X", "from": 0, "to": 9, "phases": [[0, 1]]}]', "no signal 'X'"),
        ('[{"signal": "J0", "from": 0, "to": 9, "phases": [[7, 1]]}]', "no phase 7"),
        ('[{"signal": "J0", "from": 9, "to": 0, "phases": [[0, 1]]}]', "no order"),
    ],
)
def test_orders_that_cannot_be_followed_are_refused(tmp_path, text, words):
    path = tmp_path / "orders.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match=words):
        Police(orders=str(path)).start(corridor(1))
