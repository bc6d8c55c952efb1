"""Capacity, delay and level of service of the HCM: the manual's own examples and hand-computed cases."""

import numpy as np
import pytest

from denxanh.sim.timing.hcm_delay import (
    actuated_k,
    arrival_type,
    capacity,
    critical_volume_to_capacity,
    cycle_for_critical_ratio,
    incremental_delay,
    initial_queue_delay,
    level_of_service,
    mean_delay,
    pedestrian_delay,
    platoon_ratio,
    progression_factor,
    uniform_delay,
    unmet_demand,
    upstream_filtering,
    volume_to_capacity,
)
from denxanh.sim.timing.webster import optimum_cycle, splits

# HCM 7th ed., chapter 31, example problem 1: the eight lane groups whose delay has a closed form (EB, WB, NB, SB;
# through and shared right), C = 101.8 s, passage time 2.0 s: flow, saturation flow, effective green, maximum green,
# and exhibits 31-80 and 31-81. Read from the tests of crosstraffic/transportations-library.
CYCLE = 101.8
FLOW = np.array([239, 185, 337, 287, 870, 863, 513, 497])
SATURATION = np.array([1643, 1201, 1643, 1398, 1683, 1648, 1683, 1630])
GREEN = np.array([30, 30, 30, 30, 50, 50, 53.6, 53.6])
LONGEST_GREEN = np.array([30, 30, 30, 30, 50, 50, 50, 50])


def example_problem_1() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """v/c ratios, d1 and d2 of the eight lane groups."""
    c = capacity(1, SATURATION, GREEN, CYCLE)
    available = capacity(1, SATURATION, np.maximum(GREEN, LONGEST_GREEN), CYCLE)
    x = volume_to_capacity(FLOW, c)
    k = actuated_k(2.0, FLOW / available)
    return x, uniform_delay(CYCLE, GREEN, x), incremental_delay(x, c, k=k)


def test_the_lane_groups_of_example_problem_1():
    x, d1, d2 = example_problem_1()
    assert capacity(1, SATURATION, GREEN, CYCLE) == pytest.approx(
        [484, 354, 484, 412, 827, 809, 887, 859], abs=1.0
    )
    assert x == pytest.approx([0.49, 0.52, 0.70, 0.70, 1.05, 1.07, 0.58, 0.58], abs=0.005)
    assert d1 == pytest.approx([29.6, 29.9, 31.9, 31.9, 25.9, 25.9, 16.4, 16.4], abs=0.06)
    assert d2 == pytest.approx([0.3, 0.7, 3.6, 4.3, 46.0, 50.8, 0.6, 0.7], abs=0.06)
    assert d1 + d2 == pytest.approx([29.9, 30.6, 35.5, 36.2, 72.0, 76.7, 17.0, 17.1], abs=0.1)
    levels = [level_of_service(d, x_) for d, x_ in zip(d1 + d2, x, strict=True)]
    assert levels == ["C", "C", "D", "D", "F", "F", "B", "B"]


def test_approaches_and_the_intersection_of_example_problem_1():
    _, d1, d2 = example_problem_1()
    through = dict(zip(("EB", "WB", "NB", "SB"), (d1 + d2).reshape(4, 2), strict=True))
    flows = dict(zip(("EB", "WB", "NB", "SB"), FLOW.reshape(4, 2), strict=True))
    left = {"EB": (45.5, 71), "WB": (43.5, 118), "NB": (13.5, 133), "SB": (32.6, 194)}  # exhibit 31-81
    delay = {a: mean_delay([*through[a], left[a][0]], [*flows[a], left[a][1]]) for a in left}
    assert delay == pytest.approx({"EB": 32.4, "WB": 37.0, "NB": 70.0, "SB": 19.6}, abs=0.1)
    assert [level_of_service(d) for d in delay.values()] == ["C", "D", "E", "B"]
    volume = {a: sum(flows[a]) + left[a][1] for a in left}
    assert mean_delay(list(delay.values()), list(volume.values())) == pytest.approx(45.9, abs=0.1)


def test_exhibit_31_7():
    ratios = [0.45, 0.35]
    assert cycle_for_critical_ratio(8, ratios, 1.0) == pytest.approx(40)
    assert cycle_for_critical_ratio(8, ratios, 0.92) == pytest.approx(61.3, abs=0.1)
    assert cycle_for_critical_ratio(8, ratios, 0.80) == np.inf
    assert critical_volume_to_capacity(60, 8, ratios) == pytest.approx(0.923, abs=0.001)
    greens = splits(60, 8, ratios)
    assert greens == pytest.approx([29.25, 22.75])
    green = np.array([29.3, 29.3, 22.7, 22.7])  # as printed; EB, WB, NB, SB
    c = capacity(1, 1900, green, 60)
    assert c == pytest.approx([927.8, 927.8, 718.8, 718.8], abs=0.1)
    flow = 1900 * np.array([0.45, 0.25, 0.35, 0.25])
    delay = uniform_delay(60, green, flow / c) + incremental_delay(flow / c, c)
    assert delay == pytest.approx([30.03, 12.49, 37.41, 20.19], abs=0.02)


def test_hand_computed_delays():
    # Roess, Prassas and McShane, Traffic Engineering, 4th ed.: v = 800, c = 775 veh/h, g/C = 0.40, C = 90 s
    assert uniform_delay(90, 36, 800 / 775) == pytest.approx(27.0)
    assert incremental_delay(800 / 775, 775) == pytest.approx(40.9, abs=0.1)
    v, c = np.array([600, 450, 1100]), np.array([720, 500, 1000])
    cycle, share = np.array([100, 90, 120]), np.array([0.40, 0.50, 0.45])
    total = uniform_delay(cycle, share * cycle, v / c) + incremental_delay(v / c, c)
    assert total == pytest.approx([37.91, 42.27, 92.88], abs=0.01)


def test_oversaturation_adds_half_the_excess_of_the_period():
    # far above capacity d2 tends to 1800 T (X − 1), the fluid delay (HCM 2000, chapter 16)
    assert incremental_delay(2.0, 1e6, period=1.0) == pytest.approx(1800.0, rel=1e-3)


def test_delay_without_traffic_is_half_the_red_weighted_by_its_share():
    assert uniform_delay(60, 30, 0.0) == pytest.approx(7.5)


def test_the_queue_of_the_quarter_hour_before():
    # oversaturated by 25 veh/h: 6.25 vehicles more after each quarter of an hour, each of which costs 6.25 / 775 h
    assert initial_queue_delay(800, 775, [0, 6.25, 12.5]) == pytest.approx([0, 29.03, 58.06], abs=0.01)
    _, end, without = unmet_demand(800, 775, 6.25)
    assert (end, without) == (pytest.approx(12.5), pytest.approx(6.25))


def test_a_queue_that_dissolves_within_the_period():
    # by hand: 20 vehicles, 400 veh/h spare: gone after 0.05 h; area 0.05 · 20 / 2 + 0 − 20² / 1600 + … of eq. 19-44
    lasts, end, without = unmet_demand(400, 800, 20)
    assert (lasts, end, without) == (pytest.approx(0.05), pytest.approx(0.0), pytest.approx(0.0))
    expected = 3600 / (400 * 0.25) * (0.05 * 20 / 2 + (0 - 0) / 1600 - 20**2 / 1600)
    assert initial_queue_delay(400, 800, 20) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (2, [0.04, 0.224, 0.408, 0.5]),
        (3, [0.108, 0.265, 0.422, 0.5]),
        (4, [0.154, 0.292, 0.431, 0.5]),
        (5, [0.231, 0.339, 0.446, 0.5]),
    ],
)
def test_k_of_an_actuated_phase(passage: float, expected: list[float]):
    assert actuated_k(passage, [0.5, 0.7, 0.9, 1.0]) == pytest.approx(expected, abs=0.0006)


def test_filtering_by_signals_upstream():
    x = [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.3]
    expected = [0.922, 0.858, 0.769, 0.650, 0.500, 0.314, 0.090, 0.090]
    assert upstream_filtering(x) == pytest.approx(expected, abs=0.0006)


def test_platoon_ratio_and_arrival_type():
    ratio = platoon_ratio(60, 100, 36, 90)  # P .60, g/C .40
    assert ratio == pytest.approx(1.5)
    assert arrival_type([0.5, 0.51, 0.85, 1.0, 1.15, 1.5, 2.0, 2.1, np.nan]).tolist() == [
        1, 2, 2, 3, 3, 4, 5, 6, 0,
    ]  # fmt: skip
    assert np.isnan(platoon_ratio(0, 0, 36, 90))


def polygon(cycle: float, green: float, flow: float, saturation: float, on_green: float) -> float:
    """Delay, s/veh, of even arrivals in red and in green, by steps of a hundredth of a second from the begin of red."""
    step, red = 0.01, cycle - green
    t = np.arange(0, cycle, step)
    arrivals = np.where(t < red, (1 - on_green) * flow * cycle / red, on_green * flow * cycle / green)
    queue, area = 0.0, 0.0
    for moment, rate in zip(t, arrivals, strict=True):
        queue = max(queue + (rate - (saturation if moment >= red else 0.0)) * step, 0.0)
        area += queue * step
    return area / (flow * cycle)


@pytest.mark.parametrize("on_green", [0.2, 0.4, 0.7])
def test_the_progression_factor_is_that_of_the_queue_polygon(on_green: float):
    cycle, green, flow, saturation = 90.0, 36.0, 0.12, 0.5
    x = flow * cycle / (saturation * green)
    pf = progression_factor(on_green, cycle, green, x)
    assert uniform_delay(cycle, green, x, pf) == pytest.approx(
        polygon(cycle, green, flow, saturation, on_green), rel=0.005
    )
    assert progression_factor(0.4, cycle, green, x) == pytest.approx(1.0)


def test_the_shortest_cycle_for_a_degree_of_saturation():
    assert cycle_for_critical_ratio(10, [0.3, 0.4], 0.9) == pytest.approx(45.0)
    assert optimum_cycle(10, 0.7) == pytest.approx(66.7, abs=0.04)


def test_levels_of_service():
    assert [level_of_service(d) for d in (10, 10.1, 20, 35, 55, 80, 80.1)] == list("ABBCDEF")
    assert (level_of_service(5, x=1.0), level_of_service(5, x=1.001)) == ("A", "F")


def test_people_on_foot_wait_by_the_square_of_their_red():
    assert pedestrian_delay(90, 30) == pytest.approx(20.0)  # (90 − 30)² / 180


def test_a_movement_without_capacity():
    assert volume_to_capacity([10.0, 0.0], [0.0, 0.0]).tolist() == [np.inf, 0.0]
