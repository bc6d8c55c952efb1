"""Synthetic demand: inflows that bring the signalised approaches near degrees of saturation, and vehicles.

No turning counts are published for these streets, so the demand is derived from capacity: the target flow of
an approach is ``x · S · g/C``; the inflows at the gates are a least-squares fit to the targets of all approaches.
A place has fewer gates than approaches, so that the fit reaches the targets only in part (`saturation`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from denxanh.networks.place.place import Place
from denxanh.networks.place.vehicles import Fidelity, types
from denxanh.networks.traffic.capacity import approach_capacity

Array = NDArray[np.float64]

MIN_INFLOW = 60 / 3600  # PCU/s at every gate
ROUNDS = 40  # of the fixed-point iteration; the last changes an inflow by less than 1 %
# growth of an approach's weight per round and unit of excess; smaller values converge too slowly
STIFFNESS = 3.0
MAX_EDGES = 80  # of a route; a longer route is drawn again


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One simulated vehicle."""

    depart: float  # s
    type: str
    route: tuple[str, ...]  # edge ids
    line: str = ""  # of a bus
    stops: tuple[str, ...] = ()  # ids of the bus stops it serves
    dwell: float = 0.0  # s at each


def edge_flows(place: Place) -> tuple[list[str], Array]:
    """Return the edge ids and the matrix that maps inflows at the entries to flows on all edges.

    Shape (edges, entries): f = (I − Pᵀ)⁻¹ E q, with P[a, b] the share of the vehicles on a that turn to b.
    """
    ids = list(place.edges)
    position = {id: i for i, id in enumerate(ids)}
    share = np.zeros((len(ids), len(ids)))
    for turn in place.turns:
        share[position[turn.start], position[turn.end]] = turn.share
    entries = np.zeros((len(ids), len(place.entries())))
    for column, id in enumerate(place.entries()):
        entries[position[id], column] = 1
    return ids, np.asarray(np.linalg.solve(np.eye(len(ids)) - share.T, entries), dtype=np.float64)


def inflows(place: Place) -> dict[str, float]:
    """Return the inflow in PCU/s at each entry that brings the approaches near their target degree of saturation.

    Non-negative least squares on the degrees of saturation, above a minimum inflow at each entry, with more
    weight where the highest target is exceeded; then all are scaled so that the most loaded approach has exactly
    the highest target. Capacities depend on the flow opposing left turns, hence the iteration.
    """
    ids, response = edge_flows(place)
    wanted = place.demand.saturation
    highest = max(wanted.values())
    total = np.full(response.shape[1], MIN_INFLOW)
    weight: dict[str, float] = defaultdict(lambda: 1.0)
    for _ in range(ROUNDS):
        capacity = approach_capacity(place, dict(zip(ids, response @ total, strict=True)))
        rows = [i for i, id in enumerate(ids) if id in capacity]
        x = response[rows] / np.array([capacity[ids[i]] for i in rows])[:, None]  # (approaches, entries)
        w = np.array([weight[ids[i]] for i in rows])
        goal = np.array([wanted[ids[i]] for i in rows])
        extra, _ = nnls(w[:, None] * x, w * (goal - MIN_INFLOW * x.sum(axis=1)))
        target = MIN_INFLOW + extra
        for i, reached in zip(rows, x @ target, strict=True):
            if reached > highest:
                weight[ids[i]] *= 1 + STIFFNESS * (reached / highest - 1)
        target *= highest / float((x @ target).max())
        total = (total + target) / 2  # damped, because the capacities depend on the flows
    return dict(zip(place.entries(), map(float, total), strict=True))


def flows(place: Place) -> dict[str, float]:
    """Return the flow in PCU/s on every edge under the synthetic demand."""
    ids, response = edge_flows(place)
    return dict(zip(ids, map(float, response @ np.array(list(inflows(place).values()))), strict=True))


def saturation(place: Place) -> dict[str, float]:
    """Return the degree of saturation of every signalised approach under the synthetic demand."""
    flow = flows(place)
    return {id: flow[id] / c for id, c in approach_capacity(place, flow).items()}


def vehicles(place: Place, fidelity: Fidelity) -> tuple[Vehicle, ...]:
    """Return the vehicles of the place's demand in order of departure.

    Arrivals at a gate are Poisson within each slot; types follow its mix, routes the turn shares, junction by
    junction. Each gate has its own random stream, so that adding one leaves the others unchanged.
    """
    known = types()
    choices = _choices(place)
    found: list[Vehicle] = []
    for number, (entry, inflow) in enumerate(inflows(place).items()):
        rng = np.random.default_rng((place.demand.seed, number))
        for slot in place.demand.slots:
            pcu = sum(share * known[id].pcu for id, share in slot.mix.items())
            rates = {id: share / known[id].represents(fidelity) for id, share in slot.mix.items()}
            names = list(rates)
            per_second = inflow / pcu * sum(rates.values())  # simulated vehicles
            count = int(rng.poisson(per_second * slot.factor * (slot.end - slot.begin)))
            departures = np.sort(rng.uniform(slot.begin, slot.end, count))
            kinds = rng.choice(len(names), count, p=np.array(list(rates.values())) / sum(rates.values()))
            found += [
                Vehicle(float(t), names[k], _random_route(entry, choices, rng))
                for t, k in zip(np.floor(departures * 100) / 100, kinds, strict=True)
            ]
    return tuple(sorted([*found, *_buses(place)], key=lambda v: (v.depart, v.route, v.type)))


def _buses(place: Place) -> list[Vehicle]:
    """Return the buses of the lines, at fixed headways from a random first departure."""
    found: list[Vehicle] = []
    for number, line in enumerate(place.bus_lines):
        # A random stream per line: adding a line leaves the other traffic unchanged.
        first = np.random.default_rng((place.demand.seed, number, 1)).uniform(0, line.headway)
        times = np.arange(place.demand.begin + np.floor(first), place.demand.end, line.headway)
        found += [Vehicle(float(t), "bus", line.route, line.id, line.stops, line.dwell) for t in times]
    return found


def _choices(place: Place) -> dict[str, tuple[tuple[str, ...], Array]]:
    """Return for each edge the edges that follow and their cumulative shares."""
    after: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for turn in place.turns:
        after[turn.start].append((turn.end, turn.share))
    return {id: (tuple(e for e, _ in pairs), np.cumsum([s for _, s in pairs])) for id, pairs in after.items()}


def _random_route(
    entry: str, choices: dict[str, tuple[tuple[str, ...], Array]], rng: np.random.Generator
) -> tuple[str, ...]:
    """Return a route drawn turn by turn; one that uses an edge twice is drawn again."""
    while True:
        route = [entry]
        while route[-1] in choices and len(route) <= MAX_EDGES:
            ends, cumulative = choices[route[-1]]
            following = ends[min(int(np.searchsorted(cumulative, rng.random(), "right")), len(ends) - 1)]
            if following in route:
                break
            route.append(following)
        if route[-1] not in choices:
            return tuple(route)
