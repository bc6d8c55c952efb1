"""A demand to start an imported place with: trips between the ends of its streets, few enough for its signals.

Trips run from edges that nothing leads into to edges that lead nowhere, in proportion to their lanes; ways are
shortest in time, over a few rounds in which loaded streets become slower (BPR, Bureau of Public Roads 1964).
All is scaled so that nearly every approach stays below a degree of saturation.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import dijkstra

from networks.capacity import SATURATION_FLOW
from networks.demand import Vehicle
from networks.osm import graph
from networks.osm.graph import Array, Graph
from networks.vehicles import mix, types
from sim.errors import InputError

MIX = "starting"
TRIPS = 6000  # ways drawn per vehicle class and round; more changes the flows little
ROUNDS = 3
SHORTEST = 300.0  # m as the crow flies; shorter trips would turn round at the edge of the map
QUANTILE = 0.99  # of the loaded approaches; the rest are where a short or guessed green decides
LANE_WIDTH = 3.5  # m


def starting_demand(net: ET.Element, *, saturation: float, duration: int, seed: int) -> tuple[Vehicle, ...]:
    """Return the vehicles of a moderate synthetic demand on ``net`` in order of departure.

    ``saturation`` is the degree of saturation that all but the worst approaches stay below; ``duration`` in s.
    Raises InputError where no street of the net leads from one end to another.
    """
    rng = np.random.default_rng(seed)
    known = types()
    shares = {t: s / known[t].represents("lane") for t, s in mix(MIX).items()}
    total = sum(shares.values())
    ways: dict[str, tuple[Graph, list[NDArray[np.int64]]]] = {}
    load: dict[str, float] = {}  # PCU/s on each edge for one vehicle/s in the whole net
    capacity: dict[str, float] = {}
    for name, share in shares.items():
        streets = graph.build(net, str(known[name].sumo["vClass"]), SATURATION_FLOW * LANE_WIDTH)
        found, flow = _assign(streets, rng)
        ways[name] = (streets, found)
        pcu = known[name].pcu * known[name].represents("lane")
        for id, f, c in zip(streets.ids, flow, streets.capacity, strict=True):
            load[id] = load.get(id, 0.0) + f * pcu * share / total
            capacity[id] = max(float(c), capacity.get(id, 0.0))
    x = np.array([load[id] / capacity[id] for id in load if load[id] > 0])
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
    return tuple(sorted(vehicles, key=lambda v: (v.depart, v.route, v.type)))


def _assign(streets: Graph, rng: np.random.Generator) -> tuple[list[NDArray[np.int64]], Array]:
    """Return ways drawn over all rounds, and the flow on each edge for one vehicle/s in all."""
    entries, exits = streets.entries(), streets.exits()
    if not len(entries) or not len(exits):
        raise InputError(
            "no street leads into or out of the map", remedy="crop the extract so that streets are cut"
        )
    out = streets.lanes[exits].astype(float)
    found: list[NDArray[np.int64]] = []
    flow = np.zeros(len(streets.ids))
    time = streets.time
    for _ in range(ROUNDS):
        cost, before = dijkstra(streets.costs(time), indices=entries, return_predecessors=True)
        wanted = rng.multinomial(TRIPS // ROUNDS, streets.lanes[entries] / streets.lanes[entries].sum())
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
            raise InputError(
                f"no two ends of streets are {SHORTEST:.0f} m apart", remedy="import a larger area"
            )
        x = flow / streets.capacity
        time = streets.time * (1 + 0.15 * (x / max(np.quantile(x[x > 0], QUANTILE), 1e-12)) ** 4)
    return found, flow / len(found)


def _way(before: NDArray[np.int32], end: int) -> NDArray[np.int64]:
    """Return the edges of the shortest way to ``end`` from the root of a predecessor row."""
    way = [end]
    while (previous := int(before[way[-1]])) >= 0:
        way.append(previous)
    return np.array(way[::-1])
