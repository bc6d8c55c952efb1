"""Back of queue of the HCM: example problem 1 of its chapter 31, and cases computed by hand."""

import numpy as np
import pytest

from denxanh.sim.timing.back_of_queue import (
    acceleration_deceleration_delay,
    approach_speed,
    first_term,
    percentile_back_of_queue,
    percentile_factor,
    second_term,
    storage_ratio,
    third_term,
)
from denxanh.sim.timing.hcm_delay import actuated_k, capacity, incremental_delay

MPH = 0.44704
FOOT = 0.3048


def test_a_full_stop_costs_about_eleven_seconds_at_35_mph():
    speed = approach_speed(35 * MPH)
    assert speed / MPH == pytest.approx(37.845, abs=0.001)
    assert acceleration_deceleration_delay(speed) == pytest.approx(11.2, abs=0.05)


def test_the_queues_of_example_problem_1():
    """Exhibit 31-82 for the eight lane groups without yielding; see test_hcm_delay.py for the data."""
    cycle = 101.8
    flow = np.array([239, 185, 337, 287, 870, 863, 513, 497])
    saturation = np.array([1643, 1201, 1643, 1398, 1683, 1648, 1683, 1630])
    green = np.array([30, 30, 30, 30, 50, 50, 53.6, 53.6])
    c = capacity(1, saturation, green, cycle)
    d2 = incremental_delay(flow / c, c, k=actuated_k(2.0, flow / c))
    stop = acceleration_deceleration_delay(approach_speed(35 * MPH))
    first = first_term(flow, saturation, green, cycle, green / cycle, stop)
    mean = first + second_term(c, d2)
    assert mean == pytest.approx([4.8, 3.8, 7.6, 6.6, 28.9, 29.4, 7.7, 7.5], abs=0.06)
    spacing = (
        np.array([26.0, 26.0, 26.0, 26.0, 25.4, 25.4, 25.4, 25.4]) * FOOT
    )  # eq. 31-155 with 5 % and 2 % trucks
    ratio = storage_ratio(mean * spacing, 1000 * FOOT)
    assert ratio[[0, 1, 4, 6]] == pytest.approx([0.12, 0.10, 0.74, 0.20], abs=0.007)
    # by hand: 4.75 (1 + 1.64 / √4.75); 28.9 · (1 + 1.64 / √28.9 + 0.60 · 1.64^0.24 · 0.491^0.33 (1 − e^(−0.105)))
    high = percentile_back_of_queue(first, second_term(c, d2), 0.0, 95, flow / c, green / cycle)
    assert high[0] == pytest.approx(8.32, abs=0.02)
    assert high[4] == pytest.approx(39.3, abs=0.1)


def test_the_second_term_of_example_problem_1():
    assert second_term(827.0, 46.0) == pytest.approx(10.57, abs=0.01)


def test_a_queue_below_capacity_and_its_95th_percentile():
    """s 1900, g 36, C 90, I 1, v 700 veh/h: Q1 16.62, Q2 3.85 and 27.9 vehicles not exceeded in 95 % of the cycles."""
    first = first_term(700, 1900, 36, 90, 0.4, 0.0)
    second = second_term(760, incremental_delay(700 / 760, 760))
    assert (first, second) == (pytest.approx(16.62, abs=0.01), pytest.approx(3.85, abs=0.01))
    assert percentile_back_of_queue(first, second, 0, 95, 700 / 760, 0.4) == pytest.approx(27.9, abs=0.05)


def test_a_queue_above_capacity_and_its_95th_percentile():
    first = first_term(800, 1900, 36, 90, 0.4, 0.0)
    second = second_term(760, incremental_delay(800 / 760, 760))
    assert first + second == pytest.approx(30.0, abs=1.1)
    # the source counts all 800 in the first term (20.0); what exceeds the capacity is in the second one
    assert first == pytest.approx(19.0)
    assert percentile_back_of_queue(20.0, second, 0, 95, 800 / 760, 0.4) == pytest.approx(40.5, abs=0.05)


def test_short_queues_have_a_percentile_of_at_most_1_8_times():
    assert percentile_factor(1.0, 95, 0.5, 0.4) == pytest.approx(1.8)
    assert percentile_factor(100.0, 85, 0.5, 0.4) == pytest.approx(1.104)


def test_a_remaining_queue_is_spread_over_the_time_that_it_lasts():
    # by hand: 20 vehicles gone after 0.05 of 0.25 h: 10 on average for a fifth of the time, on two lanes
    assert third_term(400, 800, 20, lanes=2) == pytest.approx(1.0)


@pytest.mark.parametrize("on_green", [0.2, 0.4, 0.6])
def test_vehicles_that_stop_are_those_of_the_polygon(on_green: float):
    """Without a cost of stopping, all who come while a queue stands, counted by steps from the begin of red."""
    cycle, green, flow, saturation = 90.0, 36.0, 0.12, 0.5
    red, step = cycle - green, 0.001
    t = np.arange(0, cycle, step)
    rate = np.where(t < red, (1 - on_green) * flow * cycle / red, on_green * flow * cycle / green)
    arrived = np.cumsum(rate) * step
    served = np.maximum(t - red, 0.0) * saturation
    cleared = np.flatnonzero((t > red) & (arrived <= served))[0]
    found = first_term(flow * 3600, saturation * 3600, green, cycle, on_green, 0.0)
    assert found == pytest.approx(arrived[cleared], rel=0.002)
