"""Max-pressure against cases worked out by hand."""

import numpy as np
import pytest

from denxanh.controllers.pressure.max_pressure import MaxPressure
from denxanh.sim.controller import Green, Observation, Vehicles
from denxanh.sim.testing.check_controller import corridor


def vehicles(links, distance, speed):
    n = len(links)
    link = np.array(links, dtype=np.int64)
    return Vehicles(
        link, link, np.full(n, float(distance)), np.full(n, float(speed)), np.zeros(n), np.full(n, 7.5)
    )


def ask(controller, links, *, phase=0, elapsed=30.0, distance=10.0, speed=0.0, behind=(0.0, 0.0)):
    network = corridor(1)
    seen = Observation(
        network.intersections["J0"],
        100.0,
        phase,
        elapsed,
        vehicles(links, distance, speed),
        exit_halted=np.array(behind),
    )
    return controller.start(network)["J0"](seen)


def test_the_larger_queue_gets_green():
    assert ask(MaxPressure(), [0, 1, 1]) == Green(1, 10.0)
    assert ask(MaxPressure(), [0, 0, 1], phase=1) == Green(0, 10.0)


def test_pressure_is_queue_before_less_queue_behind():
    # Varaiya (2013), eq. 8 with weight 1: 3 − 3 = 0 against 1 − 0 = 1
    assert ask(MaxPressure(downstream=1.0), [0, 0, 0, 1], behind=(3.0, 0.0)).phase == 1
    assert ask(MaxPressure(downstream=0.0), [0, 0, 0, 1], behind=(3.0, 0.0)).phase == 0


def test_a_vehicle_that_rolls_up_counts_only_within_near():
    assert ask(MaxPressure(near=60.0), [1], distance=59.0, speed=12.0).phase == 1
    assert ask(MaxPressure(near=60.0), [1], distance=61.0, speed=12.0).phase == 0
    assert ask(MaxPressure(near=0.0), [1], distance=0.1, speed=12.0).phase == 0


@pytest.mark.parametrize("elapsed", [0.0, 2.0, 4.0])
def test_the_minimum_green_is_kept(elapsed):
    assert ask(MaxPressure(), [1, 1], elapsed=elapsed) == Green(0, 5.0 - elapsed)
