"""The rules that pick the best phase, each against numbers worked out by hand."""

import math

import numpy as np
import pytest

from denxanh.controllers.pressure.capacity_aware import CapacityAware, normalised
from denxanh.controllers.pressure.cyclic_max_pressure import CyclicMaxPressure, split
from denxanh.controllers.pressure.longest_queue import LongestQueue
from denxanh.controllers.pressure.max_wave import MaxWave
from denxanh.controllers.pressure.position_weighted import PositionWeighted
from denxanh.controllers.pressure.switching_loss import SwitchingLoss
from denxanh.sim.controller import Green
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady

ALL = (
    CapacityAware(),
    CyclicMaxPressure(),
    LongestQueue(),
    MaxWave(),
    PositionWeighted(),
    SwitchingLoss(),
)


def ask(controller, crossing, seen):
    return controller.start(crossing)["J0"](seen)


@pytest.mark.parametrize("controller", ALL, ids=lambda c: c.name)
def test_it_keeps_the_rules(controller):
    check_controller(controller, seconds=200.0)


@pytest.mark.parametrize("controller", ALL, ids=lambda c: c.name)
def test_it_serves_both_directions_of_a_crossing(controller):
    """0.12 veh/s each way at 0.5 veh/s saturation: everybody gets through, nobody is forgotten."""
    world = PointQueueWorld(corridor(1), steady("W_0", 0.12, 600) | steady("S0_0", 0.12, 600))
    play(world, controller, 800.0)
    assert world.left == 144


def test_longest_queue_ignores_who_still_moves(crossing, look):
    rows = [(0, 50.0, 9.0), (0, 60.0, 9.0), (1, 1.0, 0.0)]
    assert ask(LongestQueue(), crossing, look(rows)) == Green(1, 10.0)


def test_max_wave_counts_who_is_on_the_way(crossing, look):
    rows = [(1, 150.0, 9.0), (1, 190.0, 9.0), (0, 1.0, 0.0)]
    assert ask(MaxWave(), crossing, look(rows)).phase == 1
    assert ask(MaxWave(reach=100.0), crossing, look(rows)).phase == 0


def test_position_weights_fall_linearly_with_distance(crossing, look):
    # Li & Jabari: two vehicles at 150 of 200 m weigh 2 · 0.25 = 0.5, one at 80 m weighs 0.6
    rows = [(0, 150.0, 9.0), (0, 150.0, 9.0), (1, 80.0, 9.0)]
    assert ask(PositionWeighted(), crossing, look(rows)).phase == 1
    # a third one at 150 m tips it: 0.75
    assert ask(PositionWeighted(), crossing, look([*rows, (0, 150.0, 9.0)], phase=1)).phase == 0


def test_a_full_road_has_pressure_one():
    """Gregoire et al. (2015), eq. 6 with C = 10, C∞ = 50, m = 4."""
    pressure = normalised(np.array([0.0, 5.0, 10.0, 20.0]), np.array(10.0), 50.0, 4.0)
    # q = 5: (5/50 + 1.8 / 16) / (1 + 1/8) = 0.2125 / 1.125
    assert pressure == pytest.approx([0.0, 0.2125 / 1.125, 1.0, 1.0])


def test_capacity_aware_shows_no_green_into_a_full_road(crossing, look):
    rows = [(0, 1.0, 0.0)] * 5 + [(1, 1.0, 0.0)]
    assert ask(CapacityAware(), crossing, look(rows)).phase == 0
    seen = look(rows)
    seen.exit_room[0] = 3.0
    assert ask(CapacityAware(), crossing, seen).phase == 1


def test_a_change_must_pay_for_its_yellow(crossing, look):
    # yellow 3 s of 20 s: another phase counts 0.85; 7 · 0.85 = 5.95 < 6, 8 · 0.85 = 6.8 > 6
    rows = [(0, 1.0, 0.0)] * 6
    assert ask(SwitchingLoss(), crossing, look(rows + [(1, 1.0, 0.0)] * 7)).phase == 0
    assert ask(SwitchingLoss(), crossing, look(rows + [(1, 1.0, 0.0)] * 8)).phase == 1


def test_cyclic_splits_are_a_softmax():
    """Le et al. (2015): greens ∝ exp(η p); with pressures 10 and 0 at η = 0.1 they stand as e to 1."""
    greens = split(60.0, np.array([1.0, 0.0]), np.zeros(2))
    assert greens[0] / greens[1] == pytest.approx(math.e)
    assert greens.sum() == pytest.approx(60.0)
    assert split(60.0, np.array([800.0, 0.0]), np.full(2, 5.0)) == pytest.approx([55.0, 5.0])


def test_cyclic_goes_round(crossing, look):
    controller = CyclicMaxPressure()
    assert ask(controller, crossing, look(phase=0)).phase == 1
    assert ask(controller, crossing, look(phase=1)) == Green(0, 30.0)
