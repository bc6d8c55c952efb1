"""Random queues: closed forms against numbers in print, a simulated server and the exact queue of a fixed cycle."""

import math

import numpy as np
import pytest

from denxanh.sim.timing.random_queues import akcelik_delay, md1_delay, overflow_queue
from denxanh.sim.timing.webster import webster_delay


def test_md1_against_a_server():
    """Lindley's recurrence with 400 000 Poisson arrivals at a server of 2 s, half loaded: 1 s of wait."""
    gaps = np.random.default_rng(1).exponential(4.0, 400_000)
    walk = np.cumsum(2.0 - gaps)
    wait = walk - np.minimum(np.minimum.accumulate(walk), 0.0)
    assert md1_delay(0.25, 0.5) == pytest.approx(1.0)
    assert wait.mean() == pytest.approx(1.0, rel=0.03)


def test_md1_queues_of_the_textbook():
    x = np.array([0.5, 0.6, 0.7, 0.8, 0.9])
    assert md1_delay(x, 1.0) * x == pytest.approx(
        [0.25, 0.45, 0.8167, 1.6, 4.05], abs=1e-4
    )  # x² / (2 (1 − x))
    assert md1_delay(1.0, 1.0) == math.inf


@pytest.mark.parametrize(
    ("share", "x", "a", "b"),
    [(0.5, 0.5, 0.167, 0.250), (0.4, 0.9, 0.281, 4.05), (0.6, 0.8, 0.154, 1.60), (0.3, 0.95, 0.343, 9.03)],
)
def test_websters_delay_is_that_of_his_tabulated_terms(share: float, x: float, a: float, b: float):
    """d = c A + B / q − C with the A and B that his tables hold to three digits, and his own third term."""
    cycle, saturation = 60.0, 0.5
    flow = x * share * saturation
    third = 0.65 * (cycle / flow**2) ** (1 / 3) * x ** (2 + 5 * share)
    expected = cycle * a + b / flow - third
    assert webster_delay(cycle, share * cycle, flow, saturation) == pytest.approx(expected, rel=0.01)


def fixed_cycle_queue(red: int, green: int, mean: float) -> float:
    """Exact mean delay in services: Poisson arrivals of ``mean`` a slot, one departure a slot of green."""
    size = 120
    k = np.arange(size)
    poisson = np.exp(-mean + k * np.log(mean) - np.array([math.lgamma(j + 1) for j in k]))
    arrive = np.array([np.concatenate([np.zeros(j), poisson])[:size] for j in range(size)])  # from j to l
    state, total = np.eye(size)[0], 0.0
    for _ in range(250):
        total = 0.0
        for slot in range(red + green):
            state = state @ arrive
            if slot >= red:
                state = np.concatenate([[state[0] + state[1]], state[2:], [0.0]])
            total += float(state @ k)
    return total / (red + green) / mean


def test_webster_is_within_a_tenth_of_the_exact_queue_of_a_fixed_cycle():
    # slots of 2 s: cycle 60 s, green 30 s; the mean of a slot at its end, hence half a slot to the continuous clock
    for x in (0.5, 0.8, 0.9):
        exact = 2.0 * (fixed_cycle_queue(15, 15, x / 2) + 0.5)
        assert webster_delay(60, 30, x * 0.25, 0.5) == pytest.approx(exact, rel=0.1)


def test_akceliks_overflow_queue():
    # Q 760 veh/h, T 0.25 h, s 1900 veh/h, g 36 s
    x = [0.7, 0.8, 0.9, 0.95, 1.0, 1.1]
    expected = [0.0, 0.711, 2.38, 4.03, 6.52, 13.66]
    assert overflow_queue(x, 760, 0.25, 1900 * 36 / 3600) == pytest.approx(expected, rel=0.005)


def test_akceliks_delay_at_capacity():
    # by hand: half the red of 54 s and 6.52 vehicles at 760 veh/h
    assert akcelik_delay(90, 36, 1.0, 760, 6.52) == pytest.approx(27 + 30.9, abs=0.05)


def test_far_above_capacity_the_overflow_is_the_excess():
    # N0 → Q T (x − 1) / 2 on average over the period, and twice that under the root's other half
    assert overflow_queue(3.0, 1e5, 1.0, 20) == pytest.approx(1e5, rel=0.001)
