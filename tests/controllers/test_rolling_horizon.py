"""Dynamic programming over phases against every sequence tried one by one, and against a crossing's known best."""

import itertools

import numpy as np
import pytest

from denxanh.controllers.actuated.actuated import Actuated
from denxanh.controllers.adaptive.rolling_horizon import RollingHorizon, first_decision
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play, steady

LOST, LEAST, LEFT = 2, 2, 3.0
RATES = np.array([[1.0, 0.0], [0.0, 1.0]])


def cost(arrivals, sequence):
    """Delay of a sequence of (phase, green) that fills the horizon; a change of phase takes LOST steps."""
    queue, total, t, before = np.zeros(2), 0.0, 0, 0
    for phase, green in sequence:
        change = LOST if phase != before else 0
        for x in range(change + green):
            if t == len(arrivals):
                break
            queue += arrivals[t]
            if x >= change:
                queue -= np.minimum(queue, RATES[phase])
            total += queue.sum()
            t += 1
        before = phase
    return total + LEFT * queue.sum()


def by_hand(arrivals):
    """The least cost over all sequences that begin with phase 0 and use each phase at most twice."""
    steps, best = len(arrivals), {}
    for cuts in itertools.product(range(steps + 1), repeat=3):
        greens = [cuts[0], *(max(c, LEAST) for c in cuts[1:]), steps]
        for used in range(1, 5):
            sequence = [(i % 2, g) for i, g in enumerate(greens[:used])]
            sequence[-1] = (sequence[-1][0], steps)
            hold = min(sequence[0][1], steps)
            total = cost(arrivals, sequence)
            best[hold] = min(total, best.get(hold, np.inf))
    return best


def decide(arrivals, keep=99):
    order = np.arange(5) % 2
    least = np.full(2, LEAST, dtype=np.int64)
    return first_decision(arrivals, RATES, order, least, LOST, keep, 99, LEFT)


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_what_trying_every_sequence_finds(seed):
    rng = np.random.default_rng(seed)
    arrivals = (rng.random((10, 2)) < 0.3).astype(float)
    arrivals[0] += rng.integers(0, 4, 2)
    best = by_hand(arrivals)
    phase, hold = decide(arrivals)
    chosen = best[hold if phase == 0 else 0]
    assert chosen <= min(best.values()) + 1e-9


def test_a_queue_is_served_and_a_vehicle_about_to_arrive_waited_for():
    """Two on each road and both served at one a step; leaving now costs the change twice, waiting two steps."""
    arrivals = np.zeros((12, 2))
    arrivals[0] = [2.0, 3.0]
    assert decide(arrivals) == (0, 2)  # first its own two, then the three
    arrivals[0] = [0.0, 3.0]
    assert decide(arrivals)[0] == 1
    arrivals[1] = [1.0, 0.0]
    arrivals[0] = [0.0, 1.0]
    assert decide(arrivals) == (0, 2)  # one comes in the next step: it passes first


def test_the_present_green_ends_at_the_maximum():
    arrivals = np.zeros((12, 2))
    arrivals[0] = [8.0, 1.0]
    assert decide(arrivals)[0] == 0
    assert decide(arrivals, keep=0)[0] == 1


def test_it_keeps_the_rules():
    check_controller(RollingHorizon(), seconds=120.0)


def test_it_beats_actuation_on_a_crossing_of_vertical_queues():
    waited = []
    for controller in (RollingHorizon(), Actuated()):
        world = PointQueueWorld(corridor(1), steady("W_0", 0.2, 900) | steady("S0_0", 0.12, 900))
        play(world, controller, 1200.0)
        assert world.left == 288
        waited.append(world.waited)
    assert waited[0] <= waited[1]
