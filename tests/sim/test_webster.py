"""Webster (1958) against published numbers, limits and each other."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.sim.errors import InputError
from denxanh.sim.network import Approach, Intersection, Link, Movement, Network, Segment
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.sumo.program import phases_of
from denxanh.sim.timing.critical_flow import critical_ratios, flows_of
from denxanh.sim.timing.saturation import saturation_flow
from denxanh.sim.timing.webster import (
    PRACTICAL_SATURATION,
    START_LOSS,
    YELLOW_USED,
    optimum_cycle,
    splits,
    webster_delay,
    webster_delay_simplified,
    webster_plan,
)


@pytest.mark.parametrize(
    ("ratios", "lost", "cycle"),
    [
        ((500 / 1600, 300 / 1600), 16, 58),  # GATE Civil Engineering, two approaches of 500 and 300 PCU/h
        ((1000 / 2500, 900 / 3000), 12, 77),  # the same examination, two phases, N–S and E–W
    ],
)
def test_published_optimum_cycles(ratios: tuple[float, ...], lost: float, cycle: int):
    assert round(optimum_cycle(lost, sum(ratios))) == cycle


def test_no_cycle_carries_a_flow_ratio_of_one():
    assert optimum_cycle(10, 1.0) == optimum_cycle(10, 1.3) == math.inf


@given(st.floats(4, 25), st.floats(0.2, 0.8))
def test_the_optimum_cycle_has_nearly_the_least_delay(lost: float, total: float):
    # Webster (1958): within 3/4 to 3/2 of the optimum the delay is hardly above the least
    def delay(cycle: float) -> float:
        if cycle * (1 - total) <= lost:
            return math.inf
        return webster_delay(cycle, (cycle - lost) / 2, total / 2 * 0.5, 0.5)

    best = min(delay(c) for c in np.arange(lost, 400, 1.0))
    assert delay(optimum_cycle(lost, total)) <= 1.2 * best


def test_delay_without_traffic_is_half_the_red_weighted_by_its_share():
    assert webster_delay(60, 30, 0.0, 0.5) == pytest.approx(7.5)


def test_the_simplified_form_is_close_to_the_full_one():
    for flow in (0.05, 0.1, 0.15, 0.2):
        full = webster_delay(60, 30, flow, 0.5)
        assert webster_delay_simplified(60, 30, flow, 0.5) == pytest.approx(full, rel=0.1)


def test_delay_has_no_value_at_capacity():
    assert webster_delay(60, 30, 0.25, 0.5) == webster_delay_simplified(60, 30, 0.3, 0.5) == math.inf


def crossroads(flows: tuple[float, ...], shared: bool = False) -> Intersection:
    """Two one-way roads, W and S, crossing; W may have a second lane."""
    lanes = ["W_0", "S_0", *(["W_1"] if shared else [])]
    links = tuple(Link(k, lane, f"out{lane}", "", "s", 10, 13.9, False) for k, lane in enumerate(lanes))
    foes = np.array([[(a.start[0] != b.start[0]) for b in links] for a in links])
    greens = ["".join("G" if link.start[0] == road else "r" for link in links) for road in "WS"]
    yellow = [(Interval(g.replace("G", "y"), 3.0),) for g in greens]
    program = Timing((Stage(greens[0], 27, yellow[0]), Stage(greens[1], 27, yellow[1])), offset=7)
    approaches = tuple(
        Approach(lane, (k,), 13.9, 100, (Segment(lane, 0, 1),), 0.5) for k, lane in enumerate(lanes)
    )
    west = tuple(k for k, lane in enumerate(lanes) if lane[0] == "W")
    movements = (
        Movement("W>outW", "W", "outW", "s", west, west, (0,), 0.5, flows[0]),
        Movement("S>outS", "S", "outS", "s", (1,), (1,), (1,), 0.5, flows[1]),
    )
    return Intersection(
        "J", "J", (0, 0), ("J",), links, len(links), approaches, ("outW_0", "outS_0"), movements,
        phases_of(program), program, "0", 3.0, 0.0, foes, foes & False,
    )  # fmt: skip


def network(intersection: Intersection) -> Network:
    return Network("made", {}, {}, {intersection.id: intersection}, {})


S = saturation_flow(13.9, 13.9)


def test_critical_ratios_of_separate_stages_are_those_of_the_textbook():
    intersection = crossroads((0.2, 0.1))
    ratios = critical_ratios(intersection, ["Gr", "rG"], np.array([0.2, 0.1]))
    assert ratios == pytest.approx([0.2 / S, 0.1 / S])


def test_a_movement_spreads_over_its_lanes():
    intersection = crossroads((0.2, 0.1), shared=True)
    ratios = critical_ratios(intersection, ["GrG", "rGr"], np.array([0.2, 0.1]))
    assert ratios == pytest.approx([0.1 / S, 0.1 / S])


def test_a_lane_green_in_two_stages_is_counted_once():
    intersection = crossroads((0.2, 0.1))
    assert critical_ratios(intersection, ["Gr", "rG", "Gr"], np.array([0.2, 0.1])).sum() == pytest.approx(
        0.3 / S
    )


def test_the_plan_has_websters_cycle_and_splits():
    plan = webster_plan(network(crossroads((0.25, 0.125))))
    timing = plan.timings["J"]
    assert timing.cycle == math.ceil(optimum_cycle(8, 0.375 / S))
    assert timing.offset == 7
    west, south = (stage.green - 1 for stage in timing.stages)  # effective
    assert west / south == pytest.approx(2.0, abs=0.25)


def test_the_plan_says_when_the_demand_is_too_high():
    plan = webster_plan(network(crossroads((0.4, 0.3))), bounds=(30, 110))
    assert plan.timings["J"].cycle == 110
    assert "oversaturated" in plan.note
    assert "J (Y =" in plan.note


def test_minimum_greens_are_kept():
    intersection = crossroads((0.25, 0.0))
    intersection = replace(intersection, phases=tuple(replace(p, min_green=9.0) for p in intersection.phases))
    assert [s.green >= 9 for s in webster_plan(network(intersection)).timings["J"].stages] == [True, True]


def test_unknown_flows_are_refused():
    intersection = crossroads((0.2, 0.1))
    unknown = replace(intersection, movements=tuple(replace(m, flow=None) for m in intersection.movements))
    with pytest.raises(InputError, match="flows are not known"):
        webster_plan(network(unknown))


def test_splits_share_by_flow_ratio():
    assert splits(60, 10, [0.3, 0.2]) == pytest.approx([30, 20])
    assert splits(60, 10, [0, 0]) == pytest.approx([25, 25])


def test_the_cycle_is_longer_where_a_minimum_green_takes_what_others_need():
    """30 s at least for the first: Webster's own cycle would leave the second less than it needs."""
    plain = crossroads((0.1, 0.2))
    held = replace(plain, phases=(replace(plain.phases[0], min_green=30.0), *plain.phases[1:]))
    timing = webster_plan(network(held)).timings[held.id]
    ratios = critical_ratios(held, [s.state for s in held.program.stages], flows_of(held))
    effective = [s.green - START_LOSS + YELLOW_USED for s in timing.stages]
    assert timing.stages[0].green >= 30.0
    assert timing.cycle > webster_plan(network(plain)).timings[plain.id].cycle
    assert all(y * timing.cycle / g <= PRACTICAL_SATURATION for y, g in zip(ratios, effective, strict=True))
