"""Guessing which way vehicles turn from the shares seen so far: what a junction without routes can know."""

from __future__ import annotations

import numpy as np

from sim.network import Intersection
from sim.protocol import Array, Ints, Observation

MEMORY = 0.995  # of the counts kept with each new vehicle: about the last 200


class TurningShares:
    """Counts of the links taken, by approach, and the links that vehicles are then expected to take.

    A vehicle is counted when it was last seen within ``NEAR`` of the stop line: there a camera knows its lane
    and sees where it goes. Approaches that share a road upstream are guessed together beyond their lanes.
    """

    NEAR = 30.0  # m

    def __init__(self, where: Intersection, lane_length: Array) -> None:
        self.lane_length = lane_length  # (approaches,) m
        self.count = np.zeros(where.n_links)
        self.lane_of = np.zeros(where.n_links, dtype=np.int64)
        self.own = [np.array(approach.links, dtype=np.int64) for approach in where.approaches]
        for i, links in enumerate(self.own):
            self.lane_of[links] = i
            self.count[links] = 1.0 / len(links)  # before anything is known: equal shares
        roads = [{segment.lane for segment in approach.segments} for approach in where.approaches]
        self.together = [
            np.concatenate([self.own[j] for j, other in enumerate(roads) if other & road]) for road in roads
        ]
        self.seen: set[str] = set()

    def guess(self, seen: Observation) -> tuple[Ints, Ints]:
        """(approach, link) expected of each vehicle, each (vehicles,)."""
        vehicles = seen.vehicles
        self._learn(seen)
        approach, link = vehicles.approach.copy(), np.empty(len(vehicles.approach), dtype=np.int64)
        owed: dict[tuple[int, ...], Array] = {}
        for v in np.argsort(vehicles.distance, kind="stable"):
            i = int(approach[v])
            choice = self.own[i] if vehicles.distance[v] <= self.lane_length[i] else self.together[i]
            debt = owed.setdefault(tuple(choice), np.zeros(len(choice)))
            debt += self.count[choice] / self.count[choice].sum()
            best = int(np.argmax(debt))  # shares come out right for any number of vehicles
            debt[best] -= 1.0
            link[v] = choice[best]
            approach[v] = self.lane_of[link[v]]
        return approach, link

    def _learn(self, seen: Observation) -> None:
        vehicles = seen.vehicles
        close = (vehicles.distance <= self.NEAR) & (vehicles.link >= 0)
        now = set()
        for v in np.flatnonzero(close):
            now.add(vehicles.id[v])
            if vehicles.id[v] not in self.seen:
                links = self.own[int(self.lane_of[vehicles.link[v]])]
                self.count[links] *= MEMORY
                self.count[vehicles.link[v]] += 1.0
        self.seen = now
