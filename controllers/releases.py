"""What neighbours are about to let go: planned releases, exchanged as in Surtrac.

Smith, Barlow, Xie and Rubinstein, "Smart urban signal networks: initial application of the SURTRAC adaptive traffic
signal control system" (ICAPS 2013): each intersection plans by itself and tells those downstream when its plan lets
whom cross; who is not in sight yet is then expected from there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from sim.network import Intersection, Network
from sim.protocol import Observation, Vehicles

SETTING_OFF = 1.0  # s that crossing a junction takes beyond the free-flow time of the way after it
SPACE = 7.5  # m that a vehicle not yet seen takes in a queue: SUMO's default car and its gap


class _Entry(NamedTuple):
    """Where a vehicle comes to after a link: an intersection, an approach, how far and how fast."""

    intersection: str
    approach: int
    distance: float  # m from the end of the link to the stop line
    speed: float  # m/s


class Announced(NamedTuple):
    """A vehicle that is expected at a stop line."""

    id: str
    approach: int
    time: float  # s, the scenario's clock: at the stop line on a free road
    distance: float  # m from the junction it comes from to the stop line
    speed: float  # m/s


class Releases:
    """One run's announcements between the intersections of a network."""

    def __init__(self, network: Network) -> None:
        entries: dict[str, _Entry] = {}
        for where in network.intersections.values():
            for i, approach in enumerate(where.approaches):
                for segment in approach.segments:
                    far = segment.beyond + network.lanes[segment.lane].length
                    entry = _Entry(where.id, i, far, approach.speed)
                    known = entries.get(segment.lane)
                    if known is None or far < known.distance:
                        entries[segment.lane] = entry
        self._entries = entries
        self._told: dict[str, dict[str, tuple[Announced, ...]]] = {name: {} for name in network.intersections}

    def tell(self, where: Intersection, crossing: Iterable[tuple[str, int, float]]) -> None:
        """``where`` lets vehicles (id, link, time of the scenario's clock, s) cross; what it said before is void."""
        ends = {link.index: link.end for link in where.links}
        told: dict[str, list[Announced]] = {}
        for name, link, time in crossing:
            entry = self._entries.get(ends.get(link, ""))
            if entry is not None and entry.intersection != where.id:
                due = time + SETTING_OFF + entry.distance / entry.speed
                announced = Announced(name, entry.approach, due, entry.distance, entry.speed)
                told.setdefault(entry.intersection, []).append(announced)
        for target, by_source in self._told.items():
            if target in told:
                by_source[where.id] = tuple(told[target])
            else:
                by_source.pop(where.id, None)

    def expected(self, seen: Observation) -> Observation:
        """The observation with those vehicles as well that neighbours announced and nobody sees here yet.

        The link of such a vehicle is −1.
        """
        vehicles = seen.vehicles
        here = set(vehicles.id)
        coming = [
            one
            for _, told in sorted(self._told[seen.where.id].items())
            for one in told
            if one.id not in here and one.time > seen.time
        ]
        if not coming:
            return seen
        n = len(coming)
        far = [(one.time - seen.time) * one.speed for one in coming]
        every = Vehicles(
            approach=np.concatenate([vehicles.approach, [one.approach for one in coming]]),
            link=np.concatenate([vehicles.link, np.full(n, -1)]),
            distance=np.concatenate([vehicles.distance, far]),
            speed=np.concatenate([vehicles.speed, [one.speed for one in coming]]),
            wait=np.concatenate([vehicles.wait, np.zeros(n)]),
            length=np.concatenate([vehicles.length, np.full(n, SPACE)]),
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
