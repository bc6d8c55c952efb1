"""Lanes that movements share, and links with little traffic: nobody starves under a strategy without a cycle."""

from dataclasses import fields, replace

import numpy as np
import pytest

from denxanh.controllers.actuated.delay_based import DelayBased
from denxanh.controllers.actuated.sotl import Sotl
from denxanh.controllers.adaptive.rolling_horizon import RollingHorizon
from denxanh.controllers.greens import LONGEST_RED, count_reached, may_leave, reached
from denxanh.controllers.pressure.capacity_aware import CapacityAware
from denxanh.controllers.pressure.cyclic_max_pressure import CyclicMaxPressure
from denxanh.controllers.pressure.longest_queue import LongestQueue
from denxanh.controllers.pressure.max_pressure import MaxPressure
from denxanh.controllers.pressure.max_wave import MaxWave
from denxanh.controllers.pressure.position_weighted import PositionWeighted
from denxanh.controllers.pressure.switching_loss import SwitchingLoss
from denxanh.controllers.registry import controllers, load
from denxanh.sim.controller import Green, Observation, Vehicles
from denxanh.sim.network import Approach, Link, Phase, Segment
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.testing.check_controller import corridor

BY_SCORE = (CapacityAware, LongestQueue, MaxPressure, MaxWave, PositionWeighted, SwitchingLoss)
ACYCLIC = (*BY_SCORE, Sotl, RollingHorizon)
THROUGH, LEFT, SIDE = range(3)  # links, and the phases that serve them alone


def shared(states=("Grr", "rGr", "rrG")):
    """A network of one signal: links 0 and 1 leave the one lane of the street, link 2 the one of the side street."""
    network = corridor(1)
    plain = network.intersections["J0"]
    stages = tuple(
        Stage(state, 20.0, (Interval(state.replace("G", "y").replace("g", "y"), 3.0),)) for state in states
    )
    lanes = (("W_0", (THROUGH, LEFT)), ("S0_0", (SIDE,)))
    ends = (("W_0", "E_0"), ("W_0", "N0_0"), ("S0_0", "N0_0"))
    foes = ~np.eye(3, dtype=np.bool_)
    intersection = replace(
        plain,
        links=tuple(Link(k, a, b, "", "s", 0.0, 12.5, crossing=False) for k, (a, b) in enumerate(ends)),
        n_links=3,
        approaches=tuple(
            Approach(lane, links, 12.5, 200.0, (Segment(lane, 0.0, 1.0),), 0.5) for lane, links in lanes
        ),
        phases=tuple(Phase(k, state, "", 5.0, np.inf) for k, state in enumerate(states)),
        program=Timing(stages),
        foes=foes,
        yields=np.zeros((3, 3), dtype=np.bool_),
    )
    return replace(network, intersections={"J0": intersection})


def look(network, street, side=0, *, phase=SIDE, wait=10.0, red=10.0, elapsed=30.0):
    """``street`` are the links of the queue in the street's lane from the stop line on, ``side`` the queue there."""
    links = np.array([*street, *[SIDE] * side], dtype=np.int64)
    queue = [*range(len(street)), *range(side)]
    n = len(links)
    vehicles = Vehicles(
        np.array([0] * len(street) + [1] * side, dtype=np.int64),
        links,
        np.array([2.0 + 7.5 * k for k in queue]),
        np.zeros(n),
        np.full(n, wait),
        np.full(n, 7.5),
        tuple(str(k) for k in range(n)),
    )
    reds = np.full(3, red)
    reds[[network.intersections["J0"].phases[phase].serves(k) for k in range(3)]] = 0.0
    return Observation(
        network.intersections["J0"],
        500.0,
        phase,
        elapsed,
        vehicles,
        exit_count=np.zeros(2),
        exit_halted=np.zeros(2),
        exit_room=np.full(2, 200.0),
        red=reds,
    )


def ask(controller, network, seen):
    return controller.start(network)["J0"](seen)


def test_a_phase_reaches_up_to_the_first_vehicle_that_it_does_not_serve():
    network = shared()
    seen = look(network, [THROUGH, LEFT, LEFT, THROUGH], side=2)
    free = reached(seen, may_leave(network.intersections["J0"]))
    assert free.tolist() == [
        [True, True, False, False, True, False],
        [True, False, False, False, True, False],
        [True, False, False, False, True, True],
    ]
    served = count_reached(seen, may_leave(seen.intersection), np.ones(6, dtype=np.bool_))
    assert [served[p, p] for p in range(3)] == [1.0, 0.0, 2.0]


@pytest.mark.parametrize("state", ["sGr", "gGr"])
def test_a_turn_on_red_and_a_yielding_green_do_not_block_a_lane(state):
    network = shared((state, "rGr", "rrG"))
    seen = look(network, [THROUGH, LEFT, LEFT])
    assert reached(seen, may_leave(seen.intersection))[0].tolist() == [True, True, True]


def test_a_vehicle_whose_link_is_not_known_holds_nobody_back():
    network = shared()
    seen = look(network, [LEFT, -1, LEFT, LEFT])
    assert reached(seen, may_leave(seen.intersection))[1].tolist() == [True, True, True, True]
    assert count_reached(seen, may_leave(seen.intersection), np.ones(4, dtype=np.bool_))[1, 1] == 3.0


@pytest.mark.parametrize("kind", BY_SCORE, ids=lambda kind: kind.name)
def test_a_phase_that_the_head_of_the_lane_cannot_use_is_not_shown(kind):
    """Five left turns behind one vehicle that goes straight: their phase lets nobody go."""
    network = shared()
    seen = look(network, [THROUGH, *[LEFT] * 5], side=2, phase=LEFT)
    assert ask(kind(whole_lane=True), network, seen).phase != SIDE
    assert ask(kind(), network, seen).phase == SIDE
    assert ask(kind(), network, look(network, [LEFT] * 5, side=2)).phase == LEFT


def test_sotl_gathers_only_who_is_reached():
    network = shared()
    for controller, expected in ((Sotl(whole_lane=True), LEFT), (Sotl(), THROUGH)):
        policy = controller.start(network)["J0"]
        seen = look(network, [THROUGH, *[LEFT] * 5])
        policy(seen)
        assert policy(replace(seen, time=560.0)).phase == expected, controller


def test_rolling_horizon_serves_the_head_of_the_lane_first():
    network = shared()
    seen = look(network, [THROUGH, *[LEFT] * 5], phase=SIDE)
    assert ask(RollingHorizon(whole_lane=True), network, seen).phase == LEFT
    assert ask(RollingHorizon(), network, seen).phase == THROUGH


def test_delay_based_holds_no_green_for_a_blocked_vehicle():
    network = shared()
    for controller, expected in ((DelayBased(whole_lane=True), LEFT), (DelayBased(), SIDE)):
        policy = controller.start(network)["J0"]
        seen = look(network, [THROUGH, *[LEFT] * 5], phase=LEFT)
        policy(replace(seen, time=490.0))
        assert policy(seen).phase == expected, controller


def test_cyclic_max_pressure_gives_a_blocked_phase_no_more_than_its_share():
    network = shared()
    seen = look(network, [THROUGH, *[LEFT] * 40], phase=SIDE)
    greens = []
    for controller in (CyclicMaxPressure(whole_lane=True), CyclicMaxPressure()):
        policy = controller.start(network)["J0"]
        policy(seen)
        greens.append(policy(replace(seen, phase=THROUGH)).seconds)
    assert greens[0] > 40.0
    assert greens[1] < 25.0


@pytest.mark.parametrize("kind", ACYCLIC, ids=lambda kind: kind.name)
def test_who_has_waited_for_the_longest_red_gets_the_next_green(kind):
    """Each link is red for 49 of 69 s under the plan; one vehicle waits beside queues of twenty."""
    network = shared()
    limit = LONGEST_RED * 49.0
    late = look(network, [THROUGH] * 20, side=1, phase=THROUGH, wait=limit + 1.0, red=limit + 1.0)
    assert ask(kind(), network, late) == Green(SIDE, 5.0)
    in_time = look(network, [THROUGH] * 20, side=1, phase=THROUGH, wait=limit - 1.0, red=limit - 1.0)
    assert ask(kind(), network, in_time).phase == THROUGH
    assert ask(kind(longest_red=0.0), network, late).phase == THROUGH


@pytest.mark.parametrize(("wait", "red"), [(200.0, 10.0), (10.0, 200.0)])
def test_neither_an_old_red_nor_a_wait_in_a_queue_alone_is_late(wait, red):
    """A vehicle that just came to a link that was long red, and one that has stood through greens."""
    network = shared()
    seen = look(network, [THROUGH] * 20, side=1, phase=THROUGH, wait=wait, red=red)
    assert ask(MaxPressure(), network, seen).phase == THROUGH


def test_a_late_link_behind_another_waits_for_the_head_of_its_lane():
    network = shared()
    seen = look(network, [THROUGH, LEFT], side=20, phase=SIDE, wait=200.0, red=200.0)
    assert ask(MaxPressure(), network, seen).phase == THROUGH


def test_a_minimum_green_goes_before_a_late_link():
    network = shared()
    seen = look(network, [LEFT], phase=SIDE, wait=200.0, red=200.0, elapsed=2.0)
    assert ask(MaxPressure(), network, seen) == Green(SIDE, 3.0)


def test_every_strategy_that_counts_vehicles_by_phase_knows_both():
    """Those of the registry that choose a phase by its vehicles, and no other."""
    declared = {
        name: {field.name for field in fields(load(name))}
        for name in controllers()
        if load(name).__module__.startswith("denxanh.controllers.")
    }
    by_red = {name for name, known in declared.items() if "longest_red" in known}
    assert by_red == {kind.name for kind in ACYCLIC}
    by_lane = {name for name, known in declared.items() if "whole_lane" in known}
    assert by_lane == by_red | {"delay-based", "max-pressure-cyclic"}
