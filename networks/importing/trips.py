"""A demand to start an imported place with: trips between the ends of its streets, few enough for its signals.

Trips run from edges that nothing leads into to edges that lead nowhere, most of them on main streets; ways are
shortest in time, over a few rounds in which loaded streets become slower (BPR, Bureau of Public Roads 1964).
Of these, as many are kept as every edge can take at a moderate degree of saturation.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from networks.capacity import SATURATION_FLOW
from networks.demand import Vehicle
from networks.importing import graph
from networks.importing.graph import Array, Graph
from networks.vehicles import mix, types
from sim.errors import InputError

MIX = "starting"
TRIPS = 6000  # ways drawn per vehicle class and round; more changes the flows little
ROUNDS = 3
SHORTEST = 300.0  # m as the crow flies; shorter trips would turn round at the edge of the map
SIDE_SHARE = (
    0.3  # of the trips begin, and end, in side streets: assumed; there are many of them, with little traffic
)
SIDE_SPEED = 40 / 3.6  # m/s; a street this slow is a side street
QUANTILE = 0.98  # of the loaded edges; trips over the rest are thinned until they fit too
LANE_WIDTH = 3.5  # m


@dataclass(frozen=True, slots=True)
class Pool:
    """More trips than the streets take; ``moderate`` keeps as many as fit."""

    vehicles: tuple[Vehicle, ...]  # in order of departure
    pcu: Array  # (vehicles,) PCU that each stands for
    draw: Array  # (vehicles,) uniform numbers: one stays when its chance is above its number
    capacity: dict[str, float]  # PCU/s of each edge
    saturation: float
    duration: int  # s

    def moderate(self, less: Mapping[str, float]) -> tuple[Vehicle, ...]:
        """Return the vehicles that keep every edge at or below the wanted degree of saturation, as expected.

        A vehicle stays with the chance of the worst edge on its way, ``x · capacity / load``. ``less`` lowers the
        capacity of single edges, as a trial in SUMO has shown; fewer vehicles are then a part of those before.
        """
        load: dict[str, float] = {}
        for vehicle, pcu in zip(self.vehicles, self.pcu, strict=True):
            for edge in vehicle.route:
                load[edge] = load.get(edge, 0.0) + float(pcu) / self.duration
        fits = {e: self.saturation * self.capacity[e] * less.get(e, 1.0) / q for e, q in load.items()}
        chances = (min(fits[edge] for edge in vehicle.route) for vehicle in self.vehicles)
        pairs = zip(self.vehicles, self.draw, chances, strict=True)
        return tuple(vehicle for vehicle, number, chance in pairs if number < chance)


def pool(net: ET.Element, *, saturation: float, duration: int, seed: int) -> Pool:
    """Return trips on ``net`` with which the busier edges reach or pass a degree of ``saturation``.

    ``duration`` in s. Raises InputError where no street of the net leads from one end to another.
    """
    rng = np.random.default_rng(seed)
    known = types()
    shares = {t: s / known[t].represents("lane") for t, s in mix(MIX).items()}
    pcus = {t: known[t].pcu * known[t].represents("lane") for t in shares}
    ways: dict[str, tuple[Graph, list[NDArray[np.int64]]]] = {}
    load: dict[str, float] = {}  # PCU/s on each edge for one vehicle/s in the whole net
    capacity: dict[str, float] = {}
    flows: dict[str, Array] = {}
    for name in shares:
        streets = graph.build(net, str(known[name].sumo["vClass"]), SATURATION_FLOW * LANE_WIDTH)
        found, flow = _assign(streets, rng)
        if found:
            ways[name], flows[name] = (streets, found), flow
    if not ways:
        raise InputError(f"no two ends of streets are {SHORTEST:.0f} m apart", remedy="import a larger area")
    shares = {name: share for name, share in shares.items() if name in ways}  # the rest may drive nowhere
    total = sum(shares.values())
    for name, share in shares.items():
        streets, flow = ways[name][0], flows[name]
        for id, f, c in zip(streets.ids, flow, streets.capacity, strict=True):
            load[id] = load.get(id, 0.0) + f * pcus[name] * share / total
            capacity[id] = max(float(c), capacity.get(id, 0.0))
    x = np.array([load[id] / capacity[id] for id in load if load[id] > 0 and capacity[id] > 0])
    if not len(x):
        raise InputError("no signal of the network ever lets a way pass", remedy="look at its programs")
    rate = saturation / float(np.quantile(x, QUANTILE))  # veh/s
    count = int(rng.poisson(rate * duration))
    departures = np.floor(np.sort(rng.uniform(0, duration, count)) * 100) / 100
    names = list(shares)
    kinds = rng.choice(len(names), count, p=np.array(list(shares.values())) / total)
    vehicles = []
    for depart, kind in zip(departures, kinds, strict=True):
        streets, found = ways[names[kind]]
        route = found[int(rng.integers(len(found)))]
        vehicles.append(Vehicle(float(depart), names[kind], tuple(streets.ids[i] for i in route)))
    vehicles.sort(key=lambda v: (v.depart, v.route, v.type))
    pcu = np.array([pcus[v.type] for v in vehicles])
    return Pool(tuple(vehicles), pcu, rng.uniform(size=count), capacity, saturation, duration)


def _assign(streets: Graph, rng: np.random.Generator) -> tuple[list[NDArray[np.int64]], Array]:
    """Return ways drawn over all rounds, and the flow on each edge for one vehicle/s in all.

    There are no ways where no two ends are far enough apart.
    """
    if not streets.ids:
        return [], np.zeros(0)
    entries, exits = streets.entries(), streets.exits()
    into, out = _weights(streets, entries), _weights(streets, exits)
    found: list[NDArray[np.int64]] = []
    flow = np.zeros(len(streets.ids))
    time = streets.time
    for _ in range(ROUNDS):
        cost, before = dijkstra(streets.costs(time), indices=entries, return_predecessors=True)
        wanted = rng.multinomial(TRIPS // ROUNDS, into)
        for row, entry in enumerate(entries):
            apart = np.linalg.norm(streets.end[exits] - streets.start[entry], axis=1)
            weight = np.where(np.isfinite(cost[row, exits]) & (apart > SHORTEST), out, 0.0)
            if not weight.any():
                continue
            for end in rng.choice(exits, wanted[row], p=weight / weight.sum()):
                way = _way(before[row], int(end))
                found.append(way)
                flow[way] += 1
        if not found:
            return [], flow
        x = flow / np.maximum(streets.capacity, 1e-9)
        time = streets.time * (1 + 0.15 * (x / max(np.quantile(x[x > 0], QUANTILE), 1e-12)) ** 4)
    return found, flow / len(found)


def _weights(streets: Graph, ends: NDArray[np.int64]) -> Array:
    """Return the share of the trips at each end: by lanes, with ``SIDE_SHARE`` of them in side streets."""
    weight = streets.lanes[ends].astype(float)
    side = streets.speed[ends] < SIDE_SPEED
    if side.any() and not side.all():
        weight[side] *= SIDE_SHARE / weight[side].sum()
        weight[~side] *= (1 - SIDE_SHARE) / weight[~side].sum()
    share: Array = weight / weight.sum()
    return share


def _way(before: NDArray[np.int32], end: int) -> NDArray[np.int64]:
    """Return the edges of the shortest way to ``end`` from the root of a predecessor row."""
    way = [end]
    while (previous := int(before[way[-1]])) >= 0:
        way.append(previous)
    return np.array(way[::-1])
