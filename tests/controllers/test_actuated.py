"""Vehicle-actuated control against cases worked out by hand."""

import numpy as np
import pytest

from denxanh.controllers.actuated.actuated import Actuated
from denxanh.controllers.actuated.volume_density import VolumeDensity
from denxanh.controllers.fixed.webster import Webster
from denxanh.sim.controller import Green, Observation, Vehicles
from denxanh.sim.testing.check_controller import PointQueueWorld, corridor, play, steady

NETWORK = corridor(1)


def ask(rows, *, phase=0, elapsed=10.0, time=100.0, controller=None, policy=None):
    """``rows`` are (link, distance, speed)."""
    link = np.array([row[0] for row in rows], dtype=np.int64)
    distance, speed = (np.array([float(row[k]) for row in rows]) for k in (1, 2))
    zero = np.zeros(len(rows))
    seen = Observation(
        NETWORK.intersections["J0"],
        time,
        phase,
        elapsed,
        Vehicles(link, link, distance, speed, zero, zero + 7.5),
    )
    return (policy or (controller or Actuated()).start(NETWORK)["J0"])(seen)


def test_it_rests_in_green_without_a_call():
    assert ask([], elapsed=500.0) == Green(0, 1.0)
    assert ask([(0, 5.0, 10.0)], elapsed=500.0) == Green(0, 1.0)


def test_it_gaps_out_at_the_first_gap():
    passage = Actuated().passage
    assert ask([(1, 5.0, 0.0), (0, 12.5 * passage - 0.1, 12.5)]).phase == 0
    assert ask([(1, 5.0, 0.0), (0, 12.5 * passage + 0.1, 12.5)]).phase == 1


def test_it_maxes_out_against_a_call():
    rows, policy = [(1, 5.0, 0.0), (0, 5.0, 10.0)], Actuated().start(NETWORK)["J0"]
    for elapsed in np.arange(0.0, Actuated().max_green):
        assert ask(rows, elapsed=elapsed, time=60.0 + elapsed, policy=policy).phase == 0
    assert ask(rows, elapsed=Actuated().max_green, time=100.0, policy=policy).phase == 1


@pytest.mark.parametrize("kind", [Actuated, VolumeDensity])
def test_the_maximum_counts_from_the_first_call_not_from_the_green(kind):
    """Resting in green for 60 s with vehicles passing, then a call: they may pass for a whole maximum more."""
    controller = kind()
    policy = controller.start(NETWORK)["J0"]
    passing, call = [(0, 5.0, 10.0)], [(0, 5.0, 10.0), (1, 5.0, 0.0)]
    for elapsed in np.arange(5.0, 60.0):
        assert ask(passing, elapsed=elapsed, time=elapsed, policy=policy).phase == 0
    for elapsed in np.arange(60.0, 60.0 + controller.max_green):
        assert ask(call, elapsed=elapsed, time=elapsed, policy=policy).phase == 0
    last = 60.0 + controller.max_green
    assert ask(call, elapsed=last, time=last, policy=policy).phase == 1


def test_the_minimum_green_is_kept():
    assert ask([(1, 5.0, 0.0)], elapsed=2.0) == Green(0, 3.0)


def test_a_lone_queue_is_served_at_saturation_flow():
    """Ten vehicles stand before red: phase 1 comes after the minimum green, and ends a passage time after them."""
    world = PointQueueWorld(corridor(1, speed=1e6), {"S0_0": [0.0] * 10, "W_0": [8.5]})
    play(world, Actuated(), 60.0)
    times = [(time, state) for time, _, state in world.shown]
    assert times[0] == (0.0, "Gr")
    assert times[1:3] == [(5.0, "yr"), (8.0, "rG")]
    # the head leaves 2 s into green, the tenth 18 s later; the gap shows at the next second
    assert times[3] == (29.0, "ry")


@pytest.mark.parametrize("flow", [0.05, 0.1, 0.15, 0.19])
def test_no_worse_than_a_fixed_plan_on_steady_traffic(flow):
    waited = []
    for controller in (Actuated(), Webster()):
        traffic = steady("W_0", flow, 600) | steady("S0_0", flow, 600)
        world = PointQueueWorld(corridor(1, flow=flow), traffic)
        play(world, controller, 900.0)
        assert world.left == 2 * int(600 * flow)
        waited.append(world.waited)
    assert waited[0] < waited[1]
