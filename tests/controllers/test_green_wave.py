"""The green wave on a one-way street, where the best offsets are known."""

import itertools

import pytest

from denxanh.controllers.fixed.green_wave import GreenWave
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady


def test_it_keeps_the_rules():
    check_controller(GreenWave(), seconds=200.0)


def test_one_way_offsets_are_the_travel_times():
    """200 m at 12.5 m/s: each signal turns green 16 s after the one before."""
    timings = GreenWave(tolerance=0.0).make_plan(corridor(4)).timings
    offsets = [timings[f"J{i}"].offset for i in range(4)]
    steps = [(b - a) % 60.0 for a, b in itertools.pairwise(offsets)]
    assert steps == pytest.approx([16.0, 16.0, 16.0])


def test_who_meets_the_first_green_meets_them_all():
    """Every vehicle waits at the first signal only: as long as with one signal alone."""
    waited = []
    for signals in (1, 4):
        world = PointQueueWorld(corridor(signals), steady("W_0", 0.1, 600))
        play(world, GreenWave(tolerance=0.0), 900.0)
        assert world.left == 60
        waited.append(world.waited)
    assert waited[1] == pytest.approx(waited[0], rel=0.02)
