"""The manual's measures of a plan without a simulation: quarters of an hour by hand, shared lanes, a crossing."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from denxanh.sim.measures.plan_measures import COLUMNS, lane_flows, plan_measures
from denxanh.sim.network import Approach, Crossing, Intersection, Movement, Network, Segment
from denxanh.sim.plan import Interval, Stage, Timing
from tests.sim.test_movement_table import one_movement

C, G, CAPACITY = 60.0, 30.0, 900.0  # s, s, veh/h: 1800 veh/h of green


def row(table: dict[str, list[object]], level: str) -> dict[str, object]:
    """The only row of a level."""
    (k,) = (k for k, one in enumerate(table["level"]) if one == level)
    return {name: column[k] for name, column in table.items()}


def d2(x: float) -> float:
    """Eq. 19-26 with k 0.5, I 1 and T 0.25 h."""
    return 225.0 * (x - 1 + math.sqrt((x - 1) ** 2 + 4 * x / (CAPACITY * 0.25)))


def test_three_quarters_of_an_hour_by_hand() -> None:
    """600, 990 and 300 veh/h at a capacity of 900: the second leaves 0.25 h · 90 veh/h = 22.5 vehicles to the third.

    They are gone after 22.5 / 600 h: d3 = 3600 / (300 · 0.25) · (0.0375 · 22.5 / 2 − 22.5² / 1800) = 6.75 s.
    """
    flows = np.array([[600.0], [990.0], [300.0]])
    table = plan_measures(one_movement(), {"J": flows})
    assert tuple(table) == tuple(COLUMNS)
    group = row(table, "lane group")
    uniform = np.array([7.5 / (1 - 1 / 3), 7.5 / (1 - 1 / 2), 7.5 / (1 - 1 / 6)])
    weights = flows[:, 0] / 1890.0
    assert (group["flow_pcu_h"], group["green_s"], group["cycle_s"]) == (630.0, G, C)
    assert group["capacity_pcu_h"] == pytest.approx(CAPACITY)
    assert group["vc"] == pytest.approx(1.1)
    assert group["d1_s"] == pytest.approx(float(uniform @ weights))
    assert group["d2_s"] == pytest.approx(float(np.array([d2(2 / 3), d2(1.1), d2(1 / 3)]) @ weights))
    assert group["d3_s"] == pytest.approx(6.75 * 300 / 1890)
    assert group["los"] == "F"  # by v/c, whatever the delay
    assert row(table, "approach")["los"] == row(table, "intersection")["los"] == "D"  # by delay alone
    assert row(table, "approach")["delay_s"] == pytest.approx(group["delay_s"])


def test_a_queue_that_grows_is_longer_than_its_quarter_leaves_behind() -> None:
    group = row(plan_measures(one_movement(), {"J": np.array([[990.0], [300.0]])}), "lane group")
    assert isinstance(group["queue_p95_m"], float)
    assert isinstance(group["queue_m"], float)
    assert group["queue_p95_m"] > group["queue_m"] > 22.5 / 2 * 7.5
    assert group["storage_ratio"] == pytest.approx(group["queue_p95_m"] / 300)


def test_a_lane_that_is_never_green_has_no_delay_and_its_approach_is_f() -> None:
    network = one_movement()
    signal = network.intersections["J"]
    red = replace(signal, program=Timing((Stage("r", 60),)))
    table = plan_measures(replace(network, intersections={"J": red}), {"J": np.array([[100.0]])})
    assert (row(table, "lane group")["delay_s"], row(table, "lane group")["green_s"]) == (None, 0.0)
    assert row(table, "approach")["los"] == "F"


def test_people_on_foot_wait_half_the_square_of_their_red_over_the_cycle() -> None:
    network = one_movement()
    program = Timing((Stage("rG", 20), Stage("Gr", 37, (Interval("yr", 3),))))
    none = np.zeros((2, 2), dtype=np.bool_)
    signal = replace(
        network.intersections["J"], n_links=2, program=program, crossings={1: Crossing(9.0, (":J_c0",), (":J_w0",))},
        foes=none, yields=none,
    )  # fmt: skip
    crossing = row(
        plan_measures(replace(network, intersections={"J": signal}), {"J": np.array([[0.0]])}), "crossing"
    )
    assert (crossing["name"], crossing["green_s"], crossing["delay_s"], crossing["los"]) == (
        "P1", 20.0, pytest.approx(40.0**2 / 120.0), "",
    )  # fmt: skip


def two_lanes() -> Intersection:
    """One movement on the first lane alone, another on both."""
    network: Network = one_movement()
    lanes = tuple(
        Approach(f"in_{k}", (k,), 15, 300, (Segment(f"in_{k}", 0, 1),), flow)
        for k, flow in enumerate((0.5, 0.25))
    )
    movements = (
        Movement("in>a", "in", "a", "r", (0,), (0,), (0,), 0.5),
        Movement("in>b", "in", "b", "s", (0, 1), (0, 1), (0,), 0.75),
    )
    return replace(network.intersections["J"], approaches=lanes, movements=movements)


@pytest.mark.parametrize(
    ("flows", "expected"),
    [
        ([300.0, 600.0], [600.0, 300.0]),  # 900 over lanes of 1800 and 900 veh/h: a third of each
        ([800.0, 100.0], [800.0, 100.0]),  # the first lane is full of those who have no choice
        ([0.0, 0.0], [0.0, 0.0]),
    ],
)
def test_drivers_who_may_choose_fill_the_lanes_evenly(flows: list[float], expected: list[float]) -> None:
    found = lane_flows(two_lanes(), np.array([flows, flows]))
    assert np.array(list(found.values())) == pytest.approx(np.array([expected, expected]).T)
