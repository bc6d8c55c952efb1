"""Metrics of a finished run computed again from its tables, to be compared with those of its manifest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.sim import metrics
from denxanh.sim.demand.equivalents import Equivalent, weights
from denxanh.sim.run.run_description import whole_steps
from denxanh.sim.run.store import read_table
from denxanh.sim.sumo.tripinfo import Trips

TOLERANCE = 1e-9  # relative; the tables hold every digit
_WITHOUT_EQUIVALENTS = ("delay_pcu_s", "delay_person_s")
_OF_QUEUES = ("queue_mean_veh", "queue_max_veh", "queue_p95_veh")
_OF_TRIPS = (
    "delay_s", "delay_whole_run_s", "travel_time_s", "time_loss_s", "depart_delay_s", "stopped_s", "stops", "speed_mps",
    "throughput_vph", "loaded", "arrived", "running", "waiting", "lost", "simulated", "co2_kg", "fuel_kg", "fallbacks",
)  # fmt: skip


def metric_faults(
    folder: Path, manifest: Mapping[str, Any], equivalents: Mapping[str, Equivalent] | None
) -> Iterator[str]:
    """A sentence for each metric of a manifest that its run's tables do not give.

    ``equivalents`` are those of the run's route files, None where the files are not at hand. What no table holds is
    not compared: SUMO's counts (teleports, collisions, brakings), people on foot, and of the queue's 95th percentile
    only that it lies between zero and the maximum. Raises KeyError, TypeError or ValueError for a manifest or a table
    that is not one of a run.
    """
    said = manifest["metrics"]
    if set(said) != set(metrics.NAMES):
        yield "the manifest's metrics are not those of a run"
        return
    vehicles = read_table(folder / "vehicles.parquet")
    trips = _trips(vehicles)
    if list(_fates(trips)) != list(vehicles["fate"]):
        yield "vehicles.parquet: the fates are not those of the times"
    scenario = manifest["scenario"]
    warm_up = whole_steps(manifest["warm_up_s"], scenario["step"])
    flush = whole_steps(manifest.get("flush_s", 0.0), scenario["step"])
    edges = read_table(folder / "edges.parquet", ("co2_kg", "fuel_kg"))
    found = metrics.compute(
        trips,
        _counts(manifest, trips, edges, warm_up, flush),
        np.zeros(0),
        weights(trips.type, _equivalents(manifest, equivalents)),
        begin=scenario["begin"],
        end=scenario["end"],
        warm_up=warm_up,
        flush=flush,
    )
    for name in _OF_QUEUES:  # not of these tables
        del found[name]
    found |= _queues(folder, said, scenario["begin"] + warm_up, scenario["end"] - flush)
    names = [*_OF_TRIPS, *_OF_QUEUES]
    names += _WITHOUT_EQUIVALENTS if equivalents is not None else ()
    for name in names:
        if name in found and not _same(said[name], found[name]):
            yield f"{name} is {_text(said[name])}, the tables give {_text(found[name])}"
    if not metrics.accounts_add_up(said):
        yield "loaded vehicles are not arrived + running + waiting + lost"


def _equivalents(
    manifest: Mapping[str, Any], equivalents: Mapping[str, Equivalent] | None
) -> Mapping[str, Equivalent]:
    """Those of the route files, or where these are not at hand the represented vehicles that the manifest has."""
    if equivalents is not None:
        return equivalents
    said = manifest.get("represents", {})
    return {id: Equivalent(represents=float(number)) for id, number in said.items()}


def _trips(table: Mapping[str, NDArray[Any]]) -> Trips:
    return Trips(
        tuple(table["id"]),
        tuple(table["type"]),
        table["depart_s"],
        table["depart_delay_s"],
        table["arrival_s"],
        table["duration_s"],
        table["length_m"],
        table["stopped_s"],
        table["stops"],
        table["time_loss_s"],
        tuple("lost" if fate == "lost" else "" for fate in table["fate"]),
    )


def _fates(trips: Trips) -> Iterator[str]:
    for inserted, arrived, removed in zip(trips.inserted, trips.arrived, trips.removed, strict=True):
        yield "lost" if removed else "arrived" if arrived else "running" if inserted else "waiting"


def _counts(
    manifest: Mapping[str, Any],
    trips: Trips,
    edges: Mapping[str, NDArray[Any]],
    warm_up: float,
    flush: float,
) -> metrics.Counts:
    """Counts of the manifest, those of emissions and fallbacks as the tables and the events give them."""
    said = manifest["metrics"]
    scenario = manifest["scenario"]
    wanted = trips.wanted_departure(scenario["end"])
    kept = np.ones(len(trips), dtype=np.bool_)
    if warm_up > 0:
        kept &= wanted >= scenario["begin"] + warm_up - 1e-6
    if flush > 0:
        kept &= wanted < scenario["end"] - flush - 1e-6
    return metrics.Counts(
        before_begin=said["before_begin"],
        dropped=None if said["lost"] is None else max(said["simulated"] - int(kept.sum()), 0),
        teleports=said["teleports"],
        collisions=said["collisions"],
        emergency_brakings=said["emergency_brakings"],
        co2_kg=float(np.sum(edges["co2_kg"])),
        fuel_kg=float(np.sum(edges["fuel_kg"])),
        fallbacks=sum(event["kind"] == "fallback" for event in manifest["events"]),
    )


def _queues(folder: Path, said: Mapping[str, Any], begin: float, end: float) -> dict[str, metrics.Value]:
    """Metrics of the queue that the intervals give; nothing if the window begins or ends within an interval."""
    table = read_table(folder / "intervals.parquet")
    within = (table["begin_s"] >= begin - 1e-6) & (table["end_s"] <= end + 1e-6)
    split = any(
        ((table["begin_s"] < time - 1e-6) & (table["end_s"] > time + 1e-6)).any() for time in (begin, end)
    )
    if not within.any() or split:
        return {}
    length = (table["end_s"] - table["begin_s"])[within]
    most = float(table["queue_max_veh"][within].max())
    p95 = said["queue_p95_veh"]
    return {
        "queue_mean_veh": float((table["queue_mean_veh"][within] * length).sum() / length.sum()),
        "queue_max_veh": most,
        "queue_p95_veh": p95 if p95 is not None and 0 <= p95 <= most else most,
    }


def _same(a: metrics.Value, b: metrics.Value) -> bool:
    if a is None or b is None:
        return a is b
    return math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _text(value: metrics.Value) -> str:
    return "none" if value is None else f"{value:.10g}"
