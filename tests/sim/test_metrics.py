"""Each metric against values worked out by hand from five vehicles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from denxanh.sim.errors import RunError
from denxanh.sim.metrics import METRICS, NAMES, Counts, accounts_add_up, compute
from denxanh.sim.sumo.tripinfo import Trips

COUNTS = Counts(
    before_begin=3,
    dropped=0,
    teleports=2,
    collisions=1,
    emergency_brakings=4,
    co2_kg=5.5,
    fuel_kg=1.75,
    fallbacks=1,
)
NO_QUEUE = np.zeros((0, 2))
WEIGHTS = np.array(  # PCU, persons and real vehicles of FIVE
    [[1.0, 0.25, 0.25, 2.5, 1.0], [1.2, 1.5, 1.0, 40.0, 2.0], [1.0, 1.0, 1.0, 1.0, 1.0]]
)


def trips(*rows: tuple[float, float, float, float, float, float, float, float, str]) -> Trips:
    """Vehicles from (depart, depart delay, arrival, duration, length, stopped, stops, time loss, fate)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 9
    numbers: list[Any] = [np.array(column, dtype=np.float64) for column in columns[:8]]
    names = tuple(f"v{i}" for i in range(len(rows)))
    return Trips(names, ("car",) * len(rows), *numbers, tuple(map(str, columns[8])))


# Begin 100 s, end 400 s.
FIVE = trips(
    (110.0, 0.0, 170.0, 60.0, 600.0, 10.0, 1.0, 20.0, ""),  # arrived
    (125.0, 5.0, 225.0, 100.0, 800.0, 30.0, 2.0, 40.0, ""),  # arrived, wanted to leave at 120
    (350.0, 10.0, -1.0, 50.0, 100.0, 25.0, 3.0, 45.0, "end"),  # still on the road
    (-1.0, 60.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, ""),  # never inserted, wanted to leave at 340
    (200.0, 0.0, 300.0, 100.0, 300.0, 80.0, 1.0, 70.0, "teleport"),  # taken out on the way
)


def test_every_metric_of_five_vehicles() -> None:
    queue = np.array([[0.0, 4.0], [2.0, 10.0]])
    values = compute(FIVE, COUNTS, queue, WEIGHTS, begin=100.0, end=400.0)
    assert values == pytest.approx(
        {
            "delay_s": (20 + 40 + 45 + 70 + 0 + 5 + 10 + 60) / 5,
            "delay_whole_run_s": (20 + 40 + 45 + 70 + 0 + 5 + 10 + 60) / 5,
            "delay_pcu_s": (20 + 0.25 * 45 + 0.25 * 55 + 2.5 * 60 + 70) / 5,
            "delay_person_s": (1.2 * 20 + 1.5 * 45 + 1.0 * 55 + 40 * 60 + 2 * 70) / 45.7,
            "travel_time_s": (60 + 100) / 2,
            "time_loss_s": (20 + 40 + 45 + 70) / 5,
            "depart_delay_s": (5 + 10 + 60) / 5,
            "stopped_s": (10 + 30 + 25 + 80) / 5,
            "stops": (1 + 2 + 3 + 1) / 5,
            "speed_mps": (600 + 800 + 100 + 300) / (60 + 100 + 50 + 100),
            "throughput_vph": 2 / 300 * 3600,
            "queue_mean_veh": 4.0,
            "queue_max_veh": 10.0,
            "queue_p95_veh": float(np.percentile([0, 2, 4, 10], 95)),
            "loaded": 5,
            "arrived": 2,
            "running": 1,
            "waiting": 1,
            "lost": 1,
            "simulated": 5,
            "before_begin": 3,
            "teleports": 2,
            "collisions": 1,
            "emergency_brakings": 4,
            "fallbacks": 1,
            "walkers": None,
            "walk_wait_s": None,
            "walk_wait_max_s": None,
            "co2_kg": 5.5,
            "fuel_kg": 1.75,
        }
    )
    assert accounts_add_up(values)
    assert tuple(values) == NAMES == tuple(metric.name for metric in METRICS)


def test_a_jam_is_not_flattered_by_the_few_that_arrived() -> None:
    easy = trips((100.0, 0.0, 150.0, 50.0, 500.0, 0.0, 0.0, 5.0, ""))
    waiting = (-1.0, 300.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, "")
    jam = trips((100.0, 0.0, 150.0, 50.0, 500.0, 0.0, 0.0, 5.0, ""), *[waiting] * 9)
    free, jammed = (
        compute(t, COUNTS, NO_QUEUE, np.ones((3, len(t))), begin=100.0, end=400.0) for t in (easy, jam)
    )
    assert free["travel_time_s"] == jammed["travel_time_s"]
    assert free["delay_s"] == 5.0
    assert jammed["delay_s"] == (5.0 + 9 * 300.0) / 10


def test_warm_up_cuts_by_the_wanted_departure_not_by_the_actual_one() -> None:
    late = trips(
        (150.0, 30.0, 200.0, 50.0, 500.0, 0.0, 0.0, 8.0, ""),  # wanted to leave at 120: cut
        (150.0, 10.0, 200.0, 50.0, 500.0, 0.0, 0.0, 6.0, ""),  # wanted to leave at 140: kept
        (-1.0, 270.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, ""),  # wanted to leave at 130: cut
        (-1.0, 260.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, ""),  # wanted to leave at 140: kept
    )
    values = compute(late, COUNTS, NO_QUEUE, np.ones((3, len(late))), begin=100.0, end=400.0, warm_up=40.0)
    assert values["loaded"] == 2
    assert values["delay_s"] == (6.0 + 10.0 + 260.0) / 2
    assert values["arrived"] == 1
    assert values["throughput_vph"] == pytest.approx(2 / 260 * 3600)  # both arrived in the measured window
    assert values["queue_mean_veh"] is None
    assert accounts_add_up(values)


def test_a_flush_leaves_out_whoever_wants_to_depart_in_it_and_what_happens_in_it() -> None:
    one = trips(
        (
            150.0,
            0.0,
            380.0,
            230.0,
            500.0,
            0.0,
            0.0,
            8.0,
            "",
        ),  # arrives in the flush: kept, its arrival is not counted
        (320.0, 0.0, 345.0, 25.0, 500.0, 0.0, 0.0, 6.0, ""),
        (
            380.0,
            40.0,
            395.0,
            15.0,
            500.0,
            0.0,
            0.0,
            2.0,
            "",
        ),  # wanted to leave at 340, departed in the flush: kept
        (350.0, 0.0, 390.0, 40.0, 500.0, 0.0, 0.0, 4.0, ""),  # wanted to leave as the flush began: cut
        (-1.0, 30.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, ""),  # wanted to leave at 370: cut
    )
    values = compute(one, COUNTS, NO_QUEUE, np.ones((3, 5)), begin=100.0, end=400.0, warm_up=40.0, flush=50.0)
    assert (values["loaded"], values["arrived"]) == (3, 3)
    assert values["delay_s"] == (8.0 + 6.0 + 40.0 + 2.0) / 3
    assert values["throughput_vph"] == pytest.approx(1 / 210 * 3600)
    assert values["delay_whole_run_s"] == (8.0 + 6.0 + 42.0 + 4.0 + 30.0) / 5
    assert accounts_add_up(values)


def test_arrivals_before_the_measured_window_are_no_throughput() -> None:
    early = trips(
        (110.0, 0.0, 139.0, 29.0, 500.0, 0.0, 0.0, 8.0, ""),
        (110.0, 0.0, 140.0, 30.0, 500.0, 0.0, 0.0, 8.0, ""),
        (150.0, 0.0, 250.0, 100.0, 500.0, 0.0, 0.0, 6.0, "teleport"),
        (150.0, 0.0, -1.0, 250.0, 500.0, 0.0, 0.0, 6.0, "end"),
    )
    values = compute(early, COUNTS, NO_QUEUE, np.ones((3, 4)), begin=100.0, end=400.0, warm_up=40.0)
    assert values["throughput_vph"] == pytest.approx(1 / 260 * 3600)


def test_people_on_foot_are_counted_from_the_end_of_the_warm_up() -> None:
    walking = replace(
        FIVE, pedestrian_wait=np.array([90.0, 30.0, 10.0]), pedestrian_depart=np.array([105.0, 120.0, 300.0])
    )
    values = compute(walking, COUNTS, NO_QUEUE, WEIGHTS, begin=100.0, end=400.0, warm_up=20.0)
    assert (values["walkers"], values["walk_wait_s"], values["walk_wait_max_s"]) == (2, 20.0, 30.0)


def test_a_run_without_vehicles_is_an_error_and_not_the_best_result() -> None:
    with pytest.raises(RunError, match="no vehicle was simulated"):
        compute(trips(), COUNTS, NO_QUEUE, np.ones((3, len(trips()))), begin=100.0, end=400.0)
    with pytest.raises(
        RunError, match=r"no vehicle wanted to depart in the measured window \(399 s to 400 s\)"
    ):
        compute(FIVE, COUNTS, NO_QUEUE, np.ones((3, len(FIVE))), begin=100.0, end=400.0, warm_up=299.0)


def test_nobody_arrived_is_said_as_none() -> None:
    stuck = trips((-1.0, 60.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, ""))
    values = compute(stuck, COUNTS, NO_QUEUE, np.ones((3, len(stuck))), begin=100.0, end=400.0)
    assert values["travel_time_s"] is None
    assert values["speed_mps"] is None
    assert values["delay_s"] == 60.0


def test_vehicles_that_sumo_dropped_are_in_the_accounts() -> None:
    values = compute(
        FIVE, replace(COUNTS, dropped=7), NO_QUEUE, np.ones((3, len(FIVE))), begin=100.0, end=400.0
    )
    assert (values["loaded"], values["lost"]) == (12, 8)
    assert accounts_add_up(values)
    unknown = compute(
        FIVE, replace(COUNTS, dropped=None), NO_QUEUE, np.ones((3, len(FIVE))), begin=100.0, end=400.0
    )
    assert unknown["lost"] is None
    assert accounts_add_up(unknown)


def test_means_and_counts_are_over_real_vehicles() -> None:
    """The first vehicle stands for three and the fourth, which never entered, for two."""
    weights = WEIGHTS.copy()
    weights[2] = [3.0, 1.0, 1.0, 2.0, 1.0]
    values = compute(FIVE, COUNTS, NO_QUEUE, weights, begin=100.0, end=400.0)
    assert values["delay_s"] == pytest.approx((3 * 20 + (40 + 5) + (45 + 10) + 2 * 60 + 70) / 8)
    assert values["travel_time_s"] == pytest.approx((3 * 60 + 100) / 4)
    assert values["throughput_vph"] == pytest.approx(4 / 300 * 3600)
    assert [values[name] for name in ("loaded", "arrived", "running", "waiting", "lost", "simulated")] == [
        8, 4, 1, 2, 1, 5,
    ]  # fmt: skip
    assert accounts_add_up(values)
    dropped = compute(FIVE, replace(COUNTS, dropped=5), NO_QUEUE, weights, begin=100.0, end=400.0)
    assert (dropped["loaded"], dropped["lost"], dropped["simulated"]) == (
        16,
        9,
        10,
    )  # of unknown type: the mean
    assert accounts_add_up(dropped)


def test_accounts_that_do_not_add_up_are_noticed() -> None:
    values = compute(FIVE, COUNTS, NO_QUEUE, np.ones((3, len(FIVE))), begin=100.0, end=400.0)
    assert not accounts_add_up({**values, "arrived": 3})


def test_people_on_foot_count_whether_they_arrive_or_not() -> None:
    walking = replace(FIVE, pedestrian_wait=np.array([0.0, 30.0, 150.0]))
    values = compute(walking, COUNTS, NO_QUEUE, WEIGHTS, begin=100.0, end=400.0)
    assert (values["walkers"], values["walk_wait_s"], values["walk_wait_max_s"]) == (3, 60.0, 150.0)
