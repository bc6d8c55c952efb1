"""Measuring a stop line: the arithmetic on streams made by hand, and SUMO against the targets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from networks import calibrate, calibrate_fit, calibrate_report, vehicles
from networks.calibrate import Interval


@given(st.floats(1.0, 3.0), st.floats(0.5, 4.0), st.integers(1, 20))
def test_a_regular_discharge_gives_its_headway_and_its_lost_time(
    headway: float, lost: float, cycles: int
) -> None:
    phase = np.tile(np.arange(lost + headway, calibrate.GREEN, headway), cycles)
    flow, found = calibrate.greenshields(phase, cycles)
    window = calibrate.UNTIL - calibrate.FROM
    assert flow == pytest.approx(1 / headway, abs=1 / window)
    # Counting whole vehicles is wrong by less than one vehicle at either end of a window.
    assert found == pytest.approx(lost, abs=headway * (1 + calibrate.FROM / window) + 0.01)


def test_an_interval_is_students() -> None:
    # t(0.975, 4) = 2.776; the standard error of 1…5 is sqrt(2.5 / 5).
    interval = Interval.of([1, 2, 3, 4, 5])
    assert (interval.mean, interval.n) == (3, 5)
    assert interval.half == pytest.approx(2.776 * 0.5**0.5, rel=1e-3)


def test_cars_discharge_what_the_target_says_in_the_lane_fidelity() -> None:
    target = next(t for t in calibrate_fit.TARGETS if (t.type, t.fidelity) == ("car", "lane"))
    found = calibrate.measure(vehicles.types(), {"car": 1.0}, fidelity="lane", seeds=range(1, 4))
    assert target.low < found.per_lane.mean < target.high
    assert 0 < found.lost_time.mean < 4
    assert found.collisions == 0


def test_realised_shares_are_those_offered_although_the_approach_is_saturated() -> None:
    mix = {"motorbike": 0.7, "car": 0.25, "bus": 0.05}
    found = calibrate.measure(vehicles.types(), mix, fidelity="lane", seeds=range(1, 4))
    for type_, offered in mix.items():
        assert found.shares[type_].mean == pytest.approx(offered, abs=0.03)


def test_a_longer_time_gap_discharges_less() -> None:
    types = vehicles.types()
    slow = {**types, "car": calibrate_fit.with_tau(types["car"], "lane", 1.6)}
    seeds = (1, 2)
    before = calibrate.measure(types, {"car": 1.0}, fidelity="lane", seeds=seeds).per_lane.mean
    after = calibrate.measure(slow, {"car": 1.0}, fidelity="lane", seeds=seeds).per_lane.mean
    assert after < 0.95 * before


def test_lane_equivalents_keep_the_pcu_of_two_wheelers_only() -> None:
    for vehicle_type in vehicles.types().values():
        two_wheeled = vehicle_type.id in ("motorbike", "ebike", "bicycle")
        assert (vehicle_type.represents("lane") > 1) == two_wheeled
        assert vehicle_type.represents("sublane") == 1


def test_a_contact_is_an_overlap_of_bodies_and_not_a_gap_below_min_gap() -> None:
    said = """
Warning: Vehicle 'motorbike.3'; collision with vehicle 'car.4', lane='approach_0', gap=-0.46, latGap=-0.20, time=2.
Warning: Vehicle 'motorbike.5'; collision with vehicle 'bus.6', lane='approach_0', gap=-1.05, latGap=-0.12, time=3.
Warning: Vehicle 'ebike.7'; side collision with vehicle 'car.8', lane='approach_1', gap=-0.10, latGap=-0.16, time=4.
Warning: Vehicle 'motorbike.9' performs emergency braking on lane 'approach_1', time=5.
"""
    assert calibrate.contacts(said, {"motorbike": 0.8, "ebike": 0.8}) == 2


def test_the_equivalent_in_a_mix_is_that_of_streams_made_with_it() -> None:
    # 6000 motorbikes an hour; a car takes the place of 3, a bus of 10: 80, 15 and 5 % give 6000 / 1.75 vehicles.
    shares = {"motorbike": 0.80, "car": 0.15, "bus": 0.05}
    flow = Interval(6000 / 1.75, 0, 10)
    mixed = calibrate.Saturation(
        flow, flow, flow, {t: Interval(s, 0, 10) for t, s in shares.items()}, collisions=0, contacts=0
    )
    assert calibrate_report.equivalent_in_mix(6000, mixed, 10) == pytest.approx(3)
