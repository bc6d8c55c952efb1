"""Measuring a stop line: the arithmetic on streams made by hand, and SUMO against the targets."""

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.calibration import equivalents, saturation_flow, type_fitting
from denxanh.networks.calibration.saturation_flow import Interval
from denxanh.networks.place import vehicles
from denxanh.sim.errors import InputError


@given(st.floats(1.0, 3.0), st.floats(0.5, 4.0), st.integers(1, 20))
def test_a_regular_discharge_gives_its_headway_and_its_lost_time(
    headway: float, lost: float, cycles: int
) -> None:
    phase = np.tile(np.arange(lost + headway, saturation_flow.GREEN, headway), cycles)
    flow, found = saturation_flow.greenshields(phase, cycles)
    window = saturation_flow.UNTIL - saturation_flow.FROM
    assert flow == pytest.approx(1 / headway, abs=1 / window)
    # Counting whole vehicles is wrong by less than one vehicle at either end of a window.
    assert found == pytest.approx(lost, abs=headway * (1 + saturation_flow.FROM / window) + 0.01)


def test_an_interval_is_students() -> None:
    # t(0.975, 4) = 2.776; the standard error of 1…5 is sqrt(2.5 / 5).
    interval = Interval.of([1, 2, 3, 4, 5])
    assert (interval.mean, interval.n) == (3, 5)
    assert interval.half == pytest.approx(2.776 * 0.5**0.5, rel=1e-3)


def test_cars_discharge_what_the_target_says_in_the_lane_fidelity() -> None:
    target = next(t for t in type_fitting.TARGETS if (t.type, t.fidelity) == ("car", "lane"))
    found = saturation_flow.measure(vehicles.types(), {"car": 1.0}, fidelity="lane", seeds=range(1, 4))
    assert target.low < found.per_lane.mean < target.high
    assert 0 < found.lost_time.mean < 4
    assert found.collisions == 0


def test_realised_shares_are_those_offered_although_the_approach_is_saturated() -> None:
    mix = {"motorbike": 0.7, "car": 0.25, "bus": 0.05}
    found = saturation_flow.measure(vehicles.types(), mix, fidelity="lane", seeds=range(1, 4))
    for type_, offered in mix.items():
        assert found.shares[type_].mean == pytest.approx(offered, abs=0.03)


def test_a_longer_time_gap_discharges_less() -> None:
    types = vehicles.types()
    slow = {**types, "car": type_fitting.changed(types["car"], "lane", "tau", 1.6)}
    seeds = (1, 2)
    before = saturation_flow.measure(types, {"car": 1.0}, fidelity="lane", seeds=seeds).per_lane.mean
    after = saturation_flow.measure(slow, {"car": 1.0}, fidelity="lane", seeds=seeds).per_lane.mean
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
    assert saturation_flow.contacts(said, {"motorbike": 0.8, "ebike": 0.8}) == 2


def seeds_of(flows: list[float], shares: list[dict[str, float]]) -> saturation_flow.Saturation:
    """Runs with these flows (veh/h per lane) and shares."""
    return saturation_flow.Saturation(
        tuple(
            saturation_flow.Discharge(
                flow * saturation_flow.LANES / 3600, 1.0, share, collisions=0, contacts=0
            )
            for flow, share in zip(flows, shares, strict=True)
        )
    )


def test_the_equivalent_in_a_mix_is_that_of_streams_made_with_it() -> None:
    # 6000 motorbikes an hour; a car takes the place of 3, whatever the share of cars that a seed drew.
    cars = (0.18, 0.20, 0.22)
    mixed = seeds_of([6000 / (1 + 2 * p) for p in cars], [{"motorbike": 1 - p, "car": p} for p in cars])
    found = equivalents.equivalent_in_mixture(Interval(6000, 0, 3), mixed, "car")
    assert found.mean == pytest.approx(3)
    assert found.half == pytest.approx(0, abs=1e-9)
    # One per cent of the motorbikes' flow is one per cent of the 1.4 motorbikes that an average vehicle equals.
    assert equivalents.equivalent_in_mixture(Interval(6000, 60, 3), mixed, "car").half == pytest.approx(
        0.014 / 0.20, rel=0.01
    )


def test_the_equivalent_of_pure_streams_is_the_ratio_of_their_flows() -> None:
    found = equivalents.equivalent_in_pure_streams(Interval(6000, 300, 10), Interval(2000, 100, 10))
    assert (found.mean, found.half) == (pytest.approx(3), pytest.approx(3 * 0.05 * 2**0.5))


@pytest.mark.parametrize("attribute", ["tau", "width"])
@pytest.mark.parametrize("root", [1.03, 1.37, 1.95])
def test_a_fit_finds_the_root_whichever_way_the_figure_goes(
    attribute: Literal["tau", "width"], root: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flow falls with the time gap, an equivalent grows with the width; both are bent."""
    target = type_fitting.Target("car", "sublane", attribute, 3.4, 3.1, 3.7, (1.0, 2.0), "made up")
    tried: list[float] = []

    def measured(
        target: type_fitting.Target, types: dict[str, vehicles.VehicleType], **_: object
    ) -> Interval:
        value = float(types["car"].sublane[attribute])
        tried.append(value)
        return Interval(3.4 * (root / value if attribute == "tau" else value / root) ** 3, 0, 4)

    monkeypatch.setattr(type_fitting, "measured_value", measured)
    found = type_fitting.fit(target, vehicles.types(), rounds=12)
    assert found == pytest.approx(root, abs=0.011)
    assert len(tried) > 3  # both ends, and more than one in between


def test_a_target_out_of_reach_is_refused_with_what_was_nearest() -> None:
    target = type_fitting.Target("car", "lane", "tau", 9000, 8900, 9100, (1.0, 1.4), "made up")
    with pytest.raises(InputError, match=r"no tau in \(1.0, 1.4\) s brings 'car' to 9000") as refused:
        type_fitting.fit(target, vehicles.types(), seeds=(1, 2))
    assert "at 1 s it is" in refused.value.remedy


def test_the_target_of_a_mix_follows_from_the_flow_alone_and_the_equivalent() -> None:
    target = next(t for t in type_fitting.TARGETS if (t.type, t.fidelity) == ("motorbike", "sublane"))
    assert target.mix == {"motorbike": 0.87, "car": 0.13}
    # 1850 /h per metre of 3.5 m; a vehicle of the mix equals 0.87 + 0.13 · 3.4 = 1.312 motorbikes
    assert target.value == pytest.approx(1850 * 3.5 / 1.312)
    assert target.low < target.value < target.high


@pytest.mark.slow
@pytest.mark.parametrize("target", type_fitting.TARGETS, ids=lambda t: f"{t.type}-{t.fidelity}-{t.attribute}")
def test_the_shipped_types_meet_their_targets(target: type_fitting.Target) -> None:
    found = type_fitting.measured_value(target, vehicles.types(), motorbikes=None, seeds=range(1, 9), jobs=2)
    assert target.low <= found.mean <= target.high
