"""The table of vehicle types: real vehicles by class, delay and level of service, against counts by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from denxanh.sim.demand.vehicle_class import VehicleClass, class_of, classes_by_type
from denxanh.sim.measures.signal_passages import Passages
from denxanh.sim.measures.type_table import CLASSES, type_table
from denxanh.sim.sumo.netfile import VEHICLE_CLASSES
from denxanh.sim.sumo.tripinfo import Trips

TRIPS = Trips(
    id=("m1", "m2", "b1", "c1", "k1", "w1"),
    type=("moto", "moto", "bus12", "DEFAULT_VEHTYPE", "bike", "moto"),
    depart=np.array([10.0, 20.0, 30.0, 5.0, 40.0, -1.0]),
    depart_delay=np.array([0.0, 4.0, 2.0, 0.0, 0.0, 60.0]),  # w1 wanted to depart at 40 and never did
    arrival=np.array([60.0, -1.0, 90.0, 70.0, 95.0, -1.0]),
    duration=np.array([50.0, 80.0, 60.0, 65.0, 55.0, 0.0]),
    length=np.full(6, 100.0),
    stopped=np.array([8.0, 10.0, 20.0, 0.0, 6.0, 0.0]),
    stops=np.array([1.0, 2.0, 1.0, 0.0, 1.0, 0.0]),
    time_loss=np.array([12.0, 30.0, 38.0, 3.0, 20.0, 0.0]),
    vaporized=("", "end", "", "", "", ""),
    pedestrian_wait=np.array([5.0, 15.0, 100.0]),
    pedestrian_depart=np.array([12.0, 50.0, 9.0]),
)
REAL = np.array([3.0, 3.0, 1.0, 1.0, 2.0, 3.0])
TYPES = {
    "moto": VehicleClass("moto", "motorcycle"),
    "bus12": VehicleClass("bus12", "bus"),
    "bike": VehicleClass("bike", "bicycle"),
}
NAN = np.zeros(4)
PASSAGES = Passages(
    ("m1", "m2", "b1", "k1"), ("a",) * 4, ("b",) * 4, ("a_0",) * 4, NAN, np.array([30.0, 40.0, 50.0, 60.0]), NAN, NAN,
    np.array([10.0, 25.0, 90.0, 12.0]),
)  # fmt: skip


def rows(begin: float = 10.0, end: float = 100.0) -> dict[tuple[str, str], dict[str, object]]:
    """The rows by level and name."""
    table = type_table(
        TRIPS, classes_by_type(TRIPS.type, TYPES), REAL, PASSAGES, window=(begin, end), end=100.0
    )
    found = [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]
    return {(str(row["level"]), str(row["name"])): row for row in found}


def test_vehicles_are_real_ones_that_wanted_to_depart_in_the_window() -> None:
    found = rows()
    motorbikes = found["class", "motorbike"]
    assert (motorbikes["vehicles"], motorbikes["simulated"], motorbikes["arrived"]) == (9.0, 3.0, 3.0)
    assert motorbikes["delay_s"] == pytest.approx((12 + 34 + 60) / 3)
    assert motorbikes["stops"] == pytest.approx(1.0)  # over all, also over the one that never departed
    assert ("class", "car") not in found  # it wanted to depart at 5 s
    assert found["all", "all"]["vehicles"] == 12.0
    assert found["all", "all"]["delay_s"] == pytest.approx((3 * (12 + 34 + 60) + 40 + 2 * 20) / 12)
    assert rows(begin=0.0)["class", "car"]["delay_s"] == 3.0
    assert (
        rows(end=40.0)["class", "motorbike"]["vehicles"] == 6.0
    )  # the flush begins as the third wants to depart


def test_the_level_of_service_is_of_the_control_delay_of_passages_and_of_motorised_vehicles() -> None:
    found = rows()
    motorbikes, bus, bicycles = (found["class", name] for name in ("motorbike", "bus", "bicycle"))
    assert (motorbikes["control_delay_s"], motorbikes["los"]) == (17.5, "B")
    assert (bus["control_delay_s"], bus["los"]) == (90.0, "F")
    assert (bicycles["control_delay_s"], bicycles["los"]) == (12.0, "")
    assert found["all", "all"]["control_delay_s"] == pytest.approx((3 * 35 + 90 + 2 * 12) / 9)


def test_people_on_foot_have_their_wait_and_no_level() -> None:
    person = rows()["class", "person"]
    assert (person["vehicles"], person["delay_s"], person["los"]) == (2.0, 10.0, "")
    alone = replace(TRIPS, pedestrian_wait=np.zeros(0), pedestrian_depart=np.zeros(0))
    table = type_table(alone, classes_by_type(TRIPS.type, TYPES), REAL, None, window=(10.0, 100.0), end=100.0)
    assert "person" not in table["name"]
    assert set(table["control_delay_s"]) == {None}


def test_every_class_of_sumo_has_a_name() -> None:
    assert {class_of(vclass) for vclass in VEHICLE_CLASSES} == set(CLASSES)
    assert (class_of("moped"), class_of("coach"), class_of("delivery"), class_of("tram")) == (
        "motorbike", "bus", "truck", "other",
    )  # fmt: skip
