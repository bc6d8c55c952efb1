"""Demand: departures, types and routes of all vehicles, as frozen arrays."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.demand.vehicle_class import VehicleClass
from denxanh.sim.network import Network

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ANY_LANE = -1
"""``Demand.depart_lane`` of a vehicle that may enter on any lane that leads onward."""


@dataclass(frozen=True)
class Demand:
    """Departures in order, and the number left out. Arrays over vehicles have shape (vehicles,)."""

    begin: float  # s
    end: float  # s
    types: tuple[VehicleClass, ...]
    routes: tuple[tuple[str, ...], ...]  # distinct edge sequences
    depart: Floats  # s, ascending
    type: Ints  # index into types
    route: Ints  # index into routes
    depart_lane: Ints  # lane index on the first edge, ANY_LANE if free to choose
    standing: NDArray[np.bool_]  # enters at speed 0; SUMO 1.28 inserts at the lane's speed unless told so
    spread: NDArray[np.bool_]  # enters anywhere along the first edge (departPos random, random_free, free)
    id: tuple[str, ...] = field(default=(), repr=False)
    before: int = 0  # departures before begin: SUMO drops them without a message
    after: int = 0  # departures at or after end
    ignored: Mapping[str, int] = field(default_factory=dict)  # elements that a demand cannot hold, by tag

    def __len__(self) -> int:
        return len(self.depart)


def make_demand(
    vehicles: Sequence[tuple[float, str, Sequence[str]]],
    types: Sequence[VehicleClass] = (VehicleClass("DEFAULT_VEHTYPE"),),
    begin: float = 0.0,
    end: float = 3600.0,
    standing: bool = False,
) -> Demand:
    """A demand from rows (departure s, type id, edges): for tests and for demand made by formula."""
    number = {t.id: i for i, t in enumerate(types)}
    rows = [
        (float(d), number[t], tuple(r), ANY_LANE, standing, False, str(i))
        for i, (d, t, r) in enumerate(vehicles)
    ]
    return assemble(rows, tuple(types), begin, end, {})


def movement_flows(demand: Demand, network: Network, worth: Floats | None = None) -> dict[str, Floats]:
    """Expected flow of each movement, veh/s, shape (movements,) by intersection id.

    Vehicles that cross, over the demand's duration; a vehicle counts even if it crosses after the end, and for
    ``worth``, shape (types,), where that is given.
    """
    pairs: dict[tuple[str, str], float] = {}
    weights = None if worth is None else worth[demand.type]
    counts = np.bincount(demand.route, weights=weights, minlength=len(demand.routes))
    for route, count in zip(demand.routes, counts, strict=True):
        for pair in itertools.pairwise(route):
            pairs[pair] = pairs.get(pair, 0.0) + float(count)
    duration = demand.end - demand.begin
    return {
        name: np.array([pairs.get((m.start, m.end), 0.0) for m in intersection.movements]) / duration
        for name, intersection in network.intersections.items()
    }


def within(demand: Demand, begin: float, end: float) -> Demand:
    """The vehicles that depart in [begin, end) s."""
    chosen = np.flatnonzero((demand.depart >= begin) & (demand.depart < end))
    names = ("depart", "type", "route", "depart_lane", "standing", "spread")
    ids = tuple(demand.id[k] for k in chosen) if demand.id else ()
    return replace(
        demand, begin=begin, end=end, id=ids, **{name: getattr(demand, name)[chosen] for name in names}
    )


Row = tuple[float, int, tuple[str, ...], int, bool, bool, str]
"""Departure s, type, route, depart lane, standing, spread, id: as the fields of Demand."""


def assemble(
    rows: list[Row], types: tuple[VehicleClass, ...], begin: float, end: float, ignored: Mapping[str, int]
) -> Demand:
    """The demand of rows in any order; those outside [begin, end) s are counted and left out."""
    inside = [row for row in rows if begin <= row[0] < end]
    inside.sort(key=lambda row: row[0])
    routes: dict[tuple[str, ...], int] = {}
    index = [routes.setdefault(row[2], len(routes)) for row in inside]
    return Demand(
        begin=begin,
        end=end,
        types=types,
        routes=tuple(routes),
        depart=np.array([row[0] for row in inside], dtype=np.float64),
        type=np.array([row[1] for row in inside], dtype=np.int64),
        route=np.array(index, dtype=np.int64),
        depart_lane=np.array([row[3] for row in inside], dtype=np.int64),
        standing=np.array([row[4] for row in inside], dtype=np.bool_),
        spread=np.array([row[5] for row in inside], dtype=np.bool_),
        id=tuple(row[6] for row in inside),
        before=sum(row[0] < begin for row in rows),
        after=sum(row[0] >= end for row in rows),
        ignored=dict(ignored),
    )
