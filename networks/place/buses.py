"""Bus lines of a place file: their routes and the positions of their stops."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from denxanh.networks.place import names
from denxanh.networks.place.geometry import Point, length, project
from denxanh.networks.place.place import BusLine, BusStop, Edge, Turn
from denxanh.networks.place.schema import PlaceFile
from denxanh.sim.errors import InputError

BESIDE = 30.0  # m; a stop farther than this from every street of a bus line is an error
FROM_ENDS = 30.0  # m; distance of a bus stop from the junctions at both ends of a street


def read(
    file: PlaceFile, edges: Mapping[str, Edge], turns: Sequence[Turn], location: str
) -> tuple[tuple[BusLine, ...], tuple[BusStop, ...]]:
    """Return the bus lines of a place file, with routes and stops, and all bus stops.

    Raises:
        InputError: a path or a stop does not fit the streets of the place.
    """
    routes = [
        _route(line.path, edges, turns, f"{location}: bus line '{line.line}'") for line in file.bus_lines
    ]
    served = {id: edges[id] for route in routes for id in route}
    stops: list[BusStop] = []
    for number, stop in enumerate(file.bus_stops):
        stop_location = f"{location}: bus stop '{stop.name or number}'"
        edge, position = _edge_beside(project(*stop.at, file.origin), served, stop_location)
        stops.append(BusStop(f"{edge.id}-{number}", names.normalise(stop.name), edge.id, position))
    lines = tuple(
        BusLine(
            f"{names.slug(line.line)}-{number}",
            route,
            float(line.headway),
            float(line.dwell),
            tuple(s.id for id in route for s in sorted(stops, key=lambda s: s.position) if s.edge == id),
        )
        for number, (line, route) in enumerate(zip(file.bus_lines, routes, strict=True))
    )
    return lines, tuple(stops)


def _route(
    path: Sequence[str], edges: Mapping[str, Edge], turns: Sequence[Turn], location: str
) -> tuple[str, ...]:
    """Return the edges of the shortest route, in metres, through the nodes of ``path`` in order."""
    known = {id for e in edges.values() for id in (e.start, e.end)}
    for node in path:
        if node not in known:
            raise InputError(
                f"its path names '{node}', which is neither a junction nor an open end",
                location=location,
                remedy="open ends are named by street and side, as duong-le-loi_SW",
            )
    route: tuple[str, ...] = ()
    for start, end in pairwise(path):
        route = _extended(route, start, end, edges, turns, location)
    return route


def _extended(
    before: tuple[str, ...],
    start: str,
    end: str,
    edges: Mapping[str, Edge],
    turns: Sequence[Turn],
    location: str,
) -> tuple[str, ...]:
    """Return ``before`` extended to the node ``end`` by the shortest route of permitted turns."""
    after: dict[str, list[str]] = {}
    for turn in turns:
        after.setdefault(turn.start, []).append(turn.end)
    first = after.get(before[-1], []) if before else [e.id for e in edges.values() if e.start == start]
    queue: list[tuple[float, tuple[str, ...]]] = [(length(edges[id].line), (id,)) for id in first]
    heapq.heapify(queue)
    seen: set[str] = set()
    while queue:
        metres, route = heapq.heappop(queue)
        if edges[route[-1]].end == end:
            return before + route
        if route[-1] in seen:
            continue
        seen.add(route[-1])
        for id in after.get(route[-1], []):
            heapq.heappush(queue, (metres + length(edges[id].line), (*route, id)))
    raise InputError(f"no route leads from '{start}' to '{end}'", location=location)


def _edge_beside(at: Point, edges: Mapping[str, Edge], location: str) -> tuple[Edge, float]:
    """Return the edge beside a stop and the stop's distance from the edge's start in m.

    Vehicles stop at the kerb on their right; a stop to the left of a street is taken as farther away.
    """
    best: tuple[float, Edge, float] | None = None
    for edge in edges.values():
        along = 0.0
        for a, b in pairwise(edge.line):
            size = math.dist(a, b)
            ux, uy = (b[0] - a[0]) / size, (b[1] - a[1]) / size
            s = (at[0] - a[0]) * ux + (at[1] - a[1]) * uy
            right = (at[0] - a[0]) * uy - (at[1] - a[1]) * ux
            if 0 <= s <= size and abs(right) <= BESIDE:
                distance = abs(right) if right >= 0 else abs(right) + BESIDE
                if best is None or distance < best[0]:
                    best = distance, edge, along + s
            along += size
    if best is None:
        raise InputError(f"no street of a bus line is within {BESIDE:g} m of it", location=location)
    _, edge, position = best
    last = length(edge.line) - FROM_ENDS
    if last < FROM_ENDS:
        raise InputError(f"the street there ({edge.id}) is too short for a bus stop", location=location)
    return edge, min(max(position, FROM_ENDS), last)
