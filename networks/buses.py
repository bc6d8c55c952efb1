"""Bus lines of a place file: the way each takes, its stops by coordinates, its departures."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from networks import names
from networks.geometry import Point, length, project
from networks.place import BusLine, BusStop, Edge, Turn
from networks.schema import PlaceFile
from sim.errors import InputError

BESIDE = 30.0  # m; a stop farther from every street of a line is a mistake in its coordinates
FROM_ENDS = 30.0  # m; a bus stands clear of the junctions, whose areas take the first metres of a street


def read(
    file: PlaceFile, edges: Mapping[str, Edge], turns: Sequence[Turn], where: str
) -> tuple[tuple[BusLine, ...], tuple[BusStop, ...]]:
    """Return the lines of a place file with their ways and the stops they serve."""
    ways = [_way(line.path, edges, turns, f"{where}: bus line '{line.line}'") for line in file.bus_lines]
    served = {id: edges[id] for way in ways for id in way}
    stops: list[BusStop] = []
    for number, stop in enumerate(file.bus_stops):
        spot = f"{where}: bus stop '{stop.name or number}'"
        edge, position = _beside(project(*stop.at, file.origin), served, spot)
        stops.append(BusStop(f"{edge.id}-{number}", names.normalise(stop.name), edge.id, position))
    lines = tuple(
        BusLine(
            f"{names.slug(line.line)}-{number}",
            way,
            float(line.headway),
            float(line.dwell),
            tuple(s.id for id in way for s in sorted(stops, key=lambda s: s.position) if s.edge == id),
        )
        for number, (line, way) in enumerate(zip(file.bus_lines, ways, strict=True))
    )
    return lines, tuple(stops)


def _way(
    path: Sequence[str], edges: Mapping[str, Edge], turns: Sequence[Turn], where: str
) -> tuple[str, ...]:
    """Return the edges from the first to the last node of ``path`` through those between, shortest in metres."""
    known = {id for e in edges.values() for id in (e.start, e.end)}
    for node in path:
        if node not in known:
            raise InputError(
                f"its path names '{node}', which is no junction and no open end",
                where=where,
                remedy="open ends are called by street and side, as duong-le-loi_SW",
            )
    way: tuple[str, ...] = ()
    for start, end in pairwise(path):
        way = _shortest(way, start, end, edges, turns, where)
    return way


def _shortest(
    before: tuple[str, ...],
    start: str,
    end: str,
    edges: Mapping[str, Edge],
    turns: Sequence[Turn],
    where: str,
) -> tuple[str, ...]:
    """Return ``before`` extended to the node ``end`` on the shortest way that takes only permitted turns."""
    after: dict[str, list[str]] = {}
    for turn in turns:
        after.setdefault(turn.start, []).append(turn.end)
    first = after.get(before[-1], []) if before else [e.id for e in edges.values() if e.start == start]
    queue: list[tuple[float, tuple[str, ...]]] = [(length(edges[id].line), (id,)) for id in first]
    heapq.heapify(queue)
    seen: set[str] = set()
    while queue:
        metres, way = heapq.heappop(queue)
        if edges[way[-1]].end == end:
            return before + way
        if way[-1] in seen:
            continue
        seen.add(way[-1])
        for id in after.get(way[-1], []):
            heapq.heappush(queue, (metres + length(edges[id].line), (*way, id)))
    raise InputError(f"no way leads from '{start}' to '{end}'", where=where)


def _beside(at: Point, edges: Mapping[str, Edge], where: str) -> tuple[Edge, float]:
    """Return the edge that a stop stands beside and its distance from the edge's start in m.

    Vehicles stop at the kerb on their right; a stop to the left of a street counts as farther away.
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
                far = abs(right) if right >= 0 else abs(right) + BESIDE
                if best is None or far < best[0]:
                    best = far, edge, along + s
            along += size
    if best is None:
        raise InputError(f"no street of a bus line is within {BESIDE:g} m of it", where=where)
    _, edge, position = best
    last = length(edge.line) - FROM_ENDS
    if last < FROM_ENDS:
        raise InputError(f"the street there ({edge.id}) is too short for a bus stop", where=where)
    return edge, min(max(position, FROM_ENDS), last)
