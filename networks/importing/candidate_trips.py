"""Synthetic trips for an imported place, limited by the capacity of its edges.

Trips run from edges without predecessor to edges without successor, most of them on main streets, on shortest routes
in time; over a few rounds loaded streets become slower (BPR, Bureau of Public Roads 1964). Trips are then selected so
that every edge stays below a degree of saturation.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from denxanh.networks.importing import street_graph
from denxanh.networks.importing.street_graph import Array, Graph
from denxanh.networks.place.vehicles import mix, types
from denxanh.networks.traffic.capacity import SATURATION_FLOW
from denxanh.networks.traffic.synthetic_demand import Vehicle
from denxanh.sim.errors import InputError

TRIPS = 6000  # routes drawn per vehicle class and round; more changes the flows little
ROUNDS = 3
SHORTEST = 300.0  # m in a straight line; shorter trips would only touch the boundary of the network
SIDE_SHARE = 0.3  # of the trips begin, and end, in side streets: assumed
SIDE_SPEED = 40 / 3.6  # m/s; a street this slow is a side street
QUANTILE = 0.98  # of the loaded edges stay below the degree of saturation before selection
LANE_WIDTH = 3.5  # m


@dataclass(frozen=True, slots=True)
class CandidateTrips:
    """Trips that exceed the capacity of some edges; `select` keeps as many as every edge can carry."""

    vehicles: tuple[Vehicle, ...]  # in order of departure
    pcu: Array  # (vehicles,) PCU of each
    draw: Array  # (vehicles,) uniform numbers; a vehicle is kept when its probability exceeds its number
    capacity: dict[str, float]  # PCU/s of each edge
    saturation: float
    duration: int  # s

    def select(self, factors: Mapping[str, float]) -> tuple[Vehicle, ...]:
        """Return vehicles with which the expected degree of saturation of every edge is at most ``saturation``.

        A vehicle is kept with the probability of the most loaded edge of its route, ``x · capacity / load``.
        ``factors`` reduces the capacity of single edges; the result is then a subset of that without factors.
        """
        load: dict[str, float] = {}
        for vehicle, pcu in zip(self.vehicles, self.pcu, strict=True):
            for edge in vehicle.route:
                load[edge] = load.get(edge, 0.0) + float(pcu) / self.duration
        fits = {e: self.saturation * self.capacity[e] * factors.get(e, 1.0) / q for e, q in load.items()}
        probabilities = (min(fits[edge] for edge in vehicle.route) for vehicle in self.vehicles)
        pairs = zip(self.vehicles, self.draw, probabilities, strict=True)
        return tuple(vehicle for vehicle, number, probability in pairs if number < probability)


def generate(
    net: ET.Element, *, mix_name: str, saturation: float, duration: int, seed: int
) -> CandidateTrips:
    """Return trips on ``net`` with which the busier edges reach or pass a degree of ``saturation``.

    ``mix_name`` is a mix of vehicles.toml; ``duration`` in s. Raises InputError where no street of the net leads from
    one end to another.
    """
    rng = np.random.default_rng(seed)
    known = types()
    shares = {t: s / known[t].represents("lane") for t, s in mix(mix_name).items()}
    pcus = {t: known[t].pcu * known[t].represents("lane") for t in shares}
    routes: dict[str, tuple[Graph, list[NDArray[np.int64]]]] = {}
    load: dict[str, float] = {}  # PCU/s on each edge for one vehicle/s in the whole net
    capacity: dict[str, float] = {}
    flows: dict[str, Array] = {}
    for name in shares:
        streets = street_graph.build_graph(net, str(known[name].sumo["vClass"]), SATURATION_FLOW * LANE_WIDTH)
        found, flow = _assign(streets, rng)
        if found:
            routes[name], flows[name] = (streets, found), flow
    if not routes:
        raise InputError(f"no two ends of streets are {SHORTEST:.0f} m apart", remedy="import a larger area")
    shares = {name: share for name, share in shares.items() if name in routes}  # the others have no route
    total = sum(shares.values())
    for name, share in shares.items():
        streets, flow = routes[name][0], flows[name]
        for id, f, c in zip(streets.ids, flow, streets.capacity, strict=True):
            load[id] = load.get(id, 0.0) + f * pcus[name] * share / total
            capacity[id] = max(float(c), capacity.get(id, 0.0))
    x = np.array([load[id] / capacity[id] for id in load if load[id] > 0 and capacity[id] > 0])
    if not len(x):
        raise InputError("every route passes a signal that never shows green", remedy="look at its programs")
    rate = saturation / float(np.quantile(x, QUANTILE))  # veh/s
    count = int(rng.poisson(rate * duration))
    departures = np.floor(np.sort(rng.uniform(0, duration, count)) * 100) / 100
    names = list(shares)
    kinds = rng.choice(len(names), count, p=np.array(list(shares.values())) / total)
    vehicles = []
    for depart, kind in zip(departures, kinds, strict=True):
        streets, found = routes[names[kind]]
        route = found[int(rng.integers(len(found)))]
        vehicles.append(Vehicle(float(depart), names[kind], tuple(streets.ids[i] for i in route)))
    vehicles.sort(key=lambda v: (v.depart, v.route, v.type))
    pcu = np.array([pcus[v.type] for v in vehicles])
    return CandidateTrips(tuple(vehicles), pcu, rng.uniform(size=count), capacity, saturation, duration)


def _assign(streets: Graph, rng: np.random.Generator) -> tuple[list[NDArray[np.int64]], Array]:
    """Return routes drawn over all rounds, and the flow on each edge for one vehicle/s in total.

    Empty if no two ends are far enough apart.
    """
    if not streets.ids:
        return [], np.zeros(0)
    entries, exits = streets.entries(), streets.exits()
    entry_share, exit_share = _weights(streets, entries), _weights(streets, exits)
    found: list[NDArray[np.int64]] = []
    flow = np.zeros(len(streets.ids))
    time = streets.time
    for _ in range(ROUNDS):
        cost, before = dijkstra(streets.costs(time), indices=entries, return_predecessors=True)
        wanted = rng.multinomial(TRIPS // ROUNDS, entry_share)
        for row, entry in enumerate(entries):
            apart = np.linalg.norm(streets.end[exits] - streets.start[entry], axis=1)
            weight = np.where(np.isfinite(cost[row, exits]) & (apart > SHORTEST), exit_share, 0.0)
            if not weight.any():
                continue
            for end in rng.choice(exits, wanted[row], p=weight / weight.sum()):
                route = _route(before[row], int(end))
                found.append(route)
                flow[route] += 1
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


def _route(before: NDArray[np.int32], end: int) -> NDArray[np.int64]:
    """Return the edges of the shortest route to ``end`` from the root of a predecessor row."""
    route = [end]
    while (previous := int(before[route[-1]])) >= 0:
        route.append(previous)
    return np.array(route[::-1])
