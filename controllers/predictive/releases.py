"""Planned releases: the vehicles that neighbours are about to let cross, exchanged as in Surtrac.

Smith, Barlow, Xie and Rubinstein, "Smart urban signal networks: initial application of the SURTRAC adaptive traffic
signal control system" (ICAPS 2013): each intersection plans by itself and announces to those downstream when each
vehicle crosses; vehicles not yet in sight are then expected from there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from denxanh.sim.controller import Observation, Vehicles
from denxanh.sim.network import Intersection, Network
from denxanh.sim.world import QUEUE_SPACING

SETTING_OFF = 1.0  # s that crossing a junction takes beyond the free-flow time of the way after it
MOST_EDGES = 20  # of a way without a signal, after which a vehicle is not announced


class _Entry(NamedTuple):
    """Where a vehicle comes to after a link: an intersection, an approach, how far and how fast."""

    intersection: str
    approach: int
    distance: float  # m from the end of the link to the stop line
    speed: float  # m/s
    link: int = -1  # that it will take there; −1: not known


class Announced(NamedTuple):
    """A vehicle that is expected at a stop line."""

    id: str
    approach: int
    link: int  # −1: not known
    time: float  # s, the scenario's clock: at the stop line on a free road
    speed: float  # m/s


class Releases:
    """One run's announcements between the intersections of a network."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._stops: dict[str, str] = {}  # edge that ends at a stop line → intersection
        entries: dict[str, _Entry] = {}
        for intersection in network.intersections.values():
            for i, approach in enumerate(intersection.approaches):
                self._stops[network.lanes[approach.lane].edge] = intersection.id
                for segment in approach.segments:
                    far = segment.beyond + network.lanes[segment.lane].length
                    entry = _Entry(intersection.id, i, far, approach.speed)
                    known = entries.get(segment.lane)
                    if known is None or far < known.distance:
                        entries[segment.lane] = entry
        self._entries = entries
        self._told: dict[str, dict[str, tuple[Announced, ...]]] = {name: {} for name in network.intersections}
        self._listeners: dict[str, tuple[str, ...]] = {}  # intersection → those that it told something

    def tell(
        self,
        intersection: Intersection,
        crossing: Iterable[tuple[str, int, float]],
        onward: Callable[[str, str], str] | None = None,
    ) -> None:
        """Announce vehicles (id, link, time of the scenario's clock, s) that cross, in place of the last announcement.

        ``onward`` is that of its observation; without it the way after the junction is the nearest stop line.
        """
        told = self.bound_for(intersection, crossing, onward)
        for target in self._listeners.get(intersection.id, ()):
            self._told[target].pop(intersection.id)
        for target, announced in told.items():
            self._told[target][intersection.id] = tuple(announced)
        self._listeners[intersection.id] = tuple(told)

    def bound_for(
        self,
        intersection: Intersection,
        crossing: Iterable[tuple[str, int, float]],
        onward: Callable[[str, str], str] | None = None,
    ) -> dict[str, list[Announced]]:
        """By intersection, the vehicles expected there if ``intersection`` lets these vehicles cross."""
        ends = {link.index: link.end for link in intersection.links}
        told: dict[str, list[Announced]] = {}
        taken: Counter[tuple[str, int]] = Counter()  # (intersection, approach) → vehicles
        for name, link, time in crossing:
            lane = ends.get(link, "")
            entry = self._on_route(name, lane, onward, taken) if onward else self._entries.get(lane)
            if entry is not None and entry.intersection != intersection.id:
                due = time + SETTING_OFF + entry.distance / entry.speed
                told.setdefault(entry.intersection, []).append(
                    Announced(name, entry.approach, entry.link, due, entry.speed)
                )
                taken[entry.intersection, entry.approach] += 1
        return told

    def _on_route(
        self, name: str, lane: str, onward: Callable[[str, str], str], taken: Counter[tuple[str, int]]
    ) -> _Entry | None:
        """The stop line that a vehicle's route leads to, on the lane for its movement with the fewest announced."""
        lanes, edges = self._network.lanes, self._network.edges
        edge = lanes[lane].edge if lane in lanes else ""
        distance = 0.0
        for _ in range(MOST_EDGES):
            if edge not in edges:
                return None  # its trip ends before another signal
            distance += edges[edge].length
            if edge in self._stops:
                break
            edge = onward(name, edge)
        else:
            return None
        intersection = self._network.intersections[self._stops[edge]]
        after = onward(name, edge)
        fitting = [
            (taken[intersection.id, i], i, k)
            for i, approach in enumerate(intersection.approaches)
            if lanes[approach.lane].edge == edge
            for k in approach.links
            if any(
                link.index == k and link.start == approach.lane and lanes[link.end].edge == after
                for link in intersection.links
                if link.end in lanes
            )
        ]
        if not fitting:
            return None
        _, i, k = min(fitting)
        return _Entry(intersection.id, i, distance, intersection.approaches[i].speed, k)

    def expected(self, seen: Observation) -> Observation:
        """The observation with the announced vehicles that are not in sight yet.

        The link of such a vehicle is −1 where its route is not known.
        """
        vehicles = seen.vehicles
        here = set(vehicles.id)
        coming = [
            one
            for _, told in sorted(self._told[seen.intersection.id].items())
            for one in told
            if one.id not in here and one.time > seen.time
        ]
        if not coming:
            return seen
        n = len(coming)
        far = [(one.time - seen.time) * one.speed for one in coming]
        every = Vehicles(
            approach=np.concatenate([vehicles.approach, [one.approach for one in coming]]),
            link=np.concatenate([vehicles.link, [one.link for one in coming]]),
            distance=np.concatenate([vehicles.distance, far]),
            speed=np.concatenate([vehicles.speed, [one.speed for one in coming]]),
            wait=np.concatenate([vehicles.wait, np.zeros(n)]),
            length=np.concatenate([vehicles.length, np.full(n, QUEUE_SPACING)]),
        )
        order = np.lexsort((every.distance, every.approach))
        names = (*vehicles.id, *(one.id for one in coming))
        return replace(
            seen,
            vehicles=Vehicles(
                every.approach[order],
                every.link[order],
                every.distance[order],
                every.speed[order],
                every.wait[order],
                every.length[order],
                tuple(names[v] for v in order),
            ),
        )
