"""SCATS-like and SCOOT-like control: steps worked out by hand, and what they settle at."""

import itertools

import numpy as np
import pytest

from denxanh.controllers.adaptive import scoot_like
from denxanh.controllers.adaptive.scats_like import ScatsLike
from denxanh.controllers.adaptive.scoot_like import ScootLike
from denxanh.controllers.adaptive.stepping import Group, at_least, groups
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady


@pytest.mark.parametrize("controller", [ScatsLike(), ScootLike()], ids=lambda c: c.name)
def test_it_keeps_the_rules(controller):
    check_controller(controller, seconds=200.0)


@pytest.mark.parametrize(("saturation", "cycle"), [(0.96, 66.0), (0.95, 60.0), (0.85, 60.0), (0.84, 54.0)])
def test_scats_cycles_step_towards_the_target(saturation, cycle):
    assert ScatsLike().next_cycle(60.0, saturation) == cycle


@pytest.mark.parametrize(("saturation", "cycle"), [(0.91, 64.0), (0.9, 60.0), (0.79, 56.0)])
def test_scoot_cycles_step_towards_the_target(saturation, cycle):
    assert ScootLike().next_cycle(60.0, saturation) == cycle


def test_cycles_stay_within_their_bounds():
    assert ScatsLike(longest=120.0).next_cycle(118.0, 1.2) == 120.0
    assert ScatsLike(shortest=30.0).next_cycle(32.0, 0.2) == 30.0


def test_a_group_is_as_long_as_its_fullest_signal_needs():
    group = Group(60.0, ScatsLike().next_cycle)
    group.follow(0.0)
    group.saturation.update(a=0.5, b=1.1)
    group.follow(59.0)
    assert (group.origin, group.cycle) == (0.0, 60.0)
    group.follow(60.0)
    assert (group.origin, group.cycle) == (60.0, 66.0)


def test_signals_of_one_arterial_share_their_cycle():
    shared = groups(corridor(3), ScatsLike().next_cycle, 30.0, 120.0)
    assert len({id(group) for group in shared.values()}) == 1


def test_shares_are_equal_parts_of_what_exceeds_the_least():
    assert at_least(np.array([0.7, 0.3]), np.array([0.1, 0.1])) == pytest.approx([0.7, 0.3])
    assert at_least(np.array([0.99, 0.01]), np.array([0.1, 0.1])) == pytest.approx([0.9, 0.1])


@pytest.mark.parametrize("controller", [ScatsLike(), ScootLike()], ids=lambda c: c.name)
def test_the_busier_road_gets_the_longer_green(controller):
    """0.3 against 0.1 veh/s, from equal greens: after half an hour the greens stand nearly as the flows."""
    world = PointQueueWorld(corridor(1), steady("W_0", 0.3, 2400) | steady("S0_0", 0.1, 2400))
    play(world, controller, 2400.0)
    late = [row for row in world.shown if row[0] > 1600]
    greens = {"Gr": 0.0, "rG": 0.0}
    for (start, _, state), (end, _, _) in itertools.pairwise(late):
        if state in greens:
            greens[state] += end - start
    assert 1.7 <= greens["Gr"] / greens["rG"] <= 4.5


@pytest.mark.parametrize(("arrives", "step"), [(26.0, "later"), (56.0, "earlier")])
def test_scoot_steps_its_offset_towards_a_platoon(arrives, step):
    """Green 0–27 s of 60 s: a platoon that ends in its last second wants it later, one before it earlier."""
    intersection = corridor(1).intersections["J0"]
    signal = scoot_like._Signal(ScootLike(), intersection, Group(60.0, ScootLike().next_cycle))
    for k in range(4):
        signal.profile[int((arrives + 2 * k) % 60 / 2), 0] = 1.0
    waits = {d: signal.waiting(d) for d in (-4.0, 0.0, 4.0)}
    better, worse = (4.0, -4.0) if step == "later" else (-4.0, 4.0)
    assert waits[better] < waits[0.0] < waits[worse]
