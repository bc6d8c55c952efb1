"""Gazis' switch-over: the closed form against a hand-computed case and every plan of sixteen steps."""

import numpy as np
import pytest

from denxanh.sim.errors import InputError
from denxanh.sim.timing.oversaturation import Stream, switch_over

# veh/s; the least green is such that the switch-over comes after 10/16 of the time until both queues are gone
A = Stream(flow=0.36, flow_after=0.06, saturation_flow=0.6)
B = Stream(flow=0.20, flow_after=0.05, saturation_flow=0.4)
PEAK, SHARE, BOUNDS = 2400.0, 0.9, (31 / 105, 0.6)


def least_by_trial(first: Stream, second: Stream, horizon: float, steps: int = 16) -> float:
    """Least delay, veh·s, over plans of the least or the largest share in each step that leave no queue at the end."""
    plans = (np.arange(2**steps)[:, None] >> np.arange(steps)) & 1
    inner = 40
    dt = horizon / steps / inner
    queue, total = np.zeros((2, 2**steps)), np.zeros(2**steps)
    for k in range(steps):
        share = np.where(plans[:, k] == 1, BOUNDS[1], BOUNDS[0])
        for j in range(inner):
            time = (k * inner + j) * dt
            for number, (stream, green) in enumerate(((first, share), (second, SHARE - share))):
                rate = stream.flow if time < PEAK else stream.flow_after
                before = queue[number].copy()
                queue[number] = np.maximum(before + (rate - green * stream.saturation_flow) * dt, 0.0)
                total += (before + queue[number]) / 2 * dt
    return float(total[queue.sum(axis=0) < 1.0].min())


def test_the_switch_over_by_hand():
    found = switch_over((A, B), PEAK, green_share=SHARE, bounds=BOUNDS)
    # load (0.30/0.6 + 0.15/0.4) · 2400 = 2100 s of green; spare 0.9 − 0.1 − 0.125 = 0.675
    assert found.end == pytest.approx(2100 / 0.675)
    served = (0.36 * 2400 + 0.06 * (found.end - 2400)) / 0.6
    low, high = BOUNDS
    assert found.time == pytest.approx((served - low * found.end) / (high - low))
    assert found.first == 0


def test_no_plan_that_ends_as_early_has_less_delay():
    found = switch_over((A, B), PEAK, green_share=SHARE, bounds=BOUNDS)
    best = least_by_trial(A, B, found.end)
    assert found.time == pytest.approx(10 / 16 * found.end)
    assert found.delay == pytest.approx(best, rel=0.002)


def test_the_stream_with_the_larger_saturation_flow_goes_first_wherever_it_stands():
    one = switch_over((A, B), PEAK, green_share=SHARE, bounds=BOUNDS)
    other = switch_over((B, A), PEAK, green_share=SHARE, bounds=BOUNDS)
    assert (other.first, other.time, other.delay) == (1, one.time, one.delay)


def test_a_queue_at_the_begin_counts_as_arrived():
    more = switch_over((Stream(0.36, 0.06, 0.6, queue=30), B), PEAK, green_share=SHARE, bounds=BOUNDS)
    plain = switch_over((A, B), PEAK, green_share=SHARE, bounds=BOUNDS)
    assert more.end - plain.end == pytest.approx(30 / 0.6 / 0.675)


@pytest.mark.parametrize(
    ("stream", "bounds", "words"),
    [
        (Stream(0.36, 0.5, 0.6), BOUNDS, "never dissolve"),
        (Stream(0.05, 0.05, 0.6), BOUNDS, "green without a queue"),
        (A, (0.6, 0.3), "not possible"),
    ],
)
def test_demand_without_a_switch_over_is_refused(stream: Stream, bounds: tuple[float, float], words: str):
    with pytest.raises(InputError, match=words):
        switch_over((stream, B), PEAK, green_share=SHARE, bounds=bounds)
