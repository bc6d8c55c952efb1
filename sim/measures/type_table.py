"""The table of vehicle types: delay, stops and level of service by type and by class, over real vehicles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.measures.signal_passages import Passages
from denxanh.sim.sumo.tripinfo import Trips
from denxanh.sim.timing.hcm_delay import level_of_service

Array = NDArray[np.float64]

CLASSES = ("motorbike", "car", "bus", "truck", "bicycle", "other")
"""What a reader calls the classes of vehicles (denxanh.sim.demand.vehicle_class), in the order of the table."""
PERSON, ALL = "person", "all"
_ON_FOOT_OR_SLOW = ("bicycle", PERSON)  # the manual's levels by control delay are those of motorised vehicles

COLUMNS = {
    "level": "type, class or all",
    "name": "of the vehicle type, or motorbike, car, bus, truck, bicycle, other, person; all",
    "class": "of the type; empty for all",
    "vehicles": "real ones that wanted to depart in the measured window; persons for those on foot",
    "simulated": "of them, as the simulation has them",
    "arrived": "of the real ones, those that finished their trip",
    "delay_s": "as the metric, s per vehicle; the wait on foot for persons",
    "depart_delay_s": "of it, the wait to enter the network",
    "stops": "per vehicle",
    "stopped_s": "time standing still, s per vehicle",
    "control_delay_s": "mean of a passage of a signal, s",
    "los": "A to F by control_delay_s; empty where the manual has no level by it (bicycles, persons)",
}
"""Columns of the table and what they hold."""


def type_table(
    trips: Trips,
    classes: Mapping[str, str],
    real: Array,
    passages: Passages | None,
    *,
    window: tuple[float, float],
    end: float,
) -> dict[str, list[object]]:
    """The table as columns, see COLUMNS: types, then classes, persons on foot if there are any, then all vehicles.

    ``classes`` by type id, ``real`` (trips,) real vehicles that each simulated one represents, ``window`` the measured
    window and ``end`` the end of the run, s. Without ``passages`` there is no control delay. Values without meaning
    are None.
    """
    begin, until = (time - 1e-6 for time in window)
    wanted = trips.wanted_departure(end)
    kept = (wanted >= begin) & (wanted < until)
    of_type = np.array(trips.type)
    of_class = np.array([classes[name] for name in trips.type])
    passed = _passed(passages, trips, real, begin, until)
    rows: dict[str, list[object]] = {name: [] for name in COLUMNS}

    def add(level: str, name: str, kind: str, chosen: NDArray[np.bool_]) -> None:
        values = _measures(trips, kept & chosen, chosen, real, passed)
        delay = values["control_delay_s"]
        motorised = kind not in _ON_FOOT_OR_SLOW
        values["los"] = level_of_service(delay, 0.0) if isinstance(delay, float) and motorised else ""
        for column in COLUMNS:
            rows[column].append({"level": level, "name": name, "class": kind, **values}[column])

    for name, kind in classes.items():
        if (kept & (of_type == name)).any():
            add("type", name, kind, of_type == name)
    for kind in CLASSES:
        if (kept & (of_class == kind)).any():
            add("class", kind, kind, of_class == kind)
    walks = trips.pedestrian_wait[(trips.pedestrian_depart >= begin) & (trips.pedestrian_depart < until)]
    if len(walks):
        person = dict.fromkeys(COLUMNS) | {
            "level": "class",
            "name": PERSON,
            "class": PERSON,
            "vehicles": float(len(walks)),
            "simulated": float(len(walks)),
            "delay_s": float(walks.mean()),
            "los": "",
        }
        for column in COLUMNS:
            rows[column].append(person[column])
    add(ALL, ALL, "", np.ones(len(trips), dtype=np.bool_))
    return rows


def _passed(
    passages: Passages | None, trips: Trips, real: Array, begin: float, until: float
) -> tuple[Array, Array]:
    """Real passages of signals by each trip in the window, and their control delay, s; shape (trips,) each."""
    number, delay = np.zeros(len(trips)), np.zeros(len(trips))
    if passages is not None:
        row = {name: k for k, name in enumerate(trips.id)}
        known = np.array([row.get(name, -1) for name in passages.vehicle], dtype=np.int64)
        chosen = (known >= 0) & (passages.arrival >= begin) & (passages.arrival < until)
        np.add.at(number, known[chosen], 1.0)
        np.add.at(delay, known[chosen], passages.delay[chosen])
    return number * real, delay * real


def _measures(
    trips: Trips,
    kept: NDArray[np.bool_],
    chosen: NDArray[np.bool_],
    real: Array,
    passed: tuple[Array, Array],
) -> dict[str, object]:
    """The measures of a row by column: of the trips in the window that ``kept`` has, of the passages of ``chosen``."""
    n = float(real[kept].sum())
    inserted = kept & trips.inserted

    def mean(values: Array, of: NDArray[np.bool_]) -> float | None:
        return float((values * real)[of].sum()) / n if n > 0 else None

    number, delay = (float(column[chosen].sum()) for column in passed)
    return {
        "vehicles": n,
        "simulated": float(kept.sum()),
        "arrived": float(real[kept & trips.arrived].sum()),
        "delay_s": mean(trips.delay, kept),
        "depart_delay_s": mean(trips.depart_delay, kept),
        "stops": mean(trips.stops, inserted),
        "stopped_s": mean(trips.stopped, inserted),
        "control_delay_s": delay / number if number > 0 else None,
    }
