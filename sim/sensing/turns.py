"""Turning shares: the link of a vehicle whose route is not known, spread evenly over the vehicles."""

from __future__ import annotations

import numpy as np

from denxanh.sim.controller import Array
from denxanh.sim.network import Intersection

_GOLDEN = 0.6180339887498949  # its multiples fill the unit interval as evenly as any sequence does
MEMORY = 0.995  # of the counts kept with each new vehicle: about the last 200


def spread(number: int) -> float:
    """The ``number``-th point of an even sequence in [0, 1): shares are met after few vehicles."""
    return (number + 0.5) * _GOLDEN % 1.0


class Turns:
    """Weights of the links of one intersection: equal within each lane until vehicles are learnt."""

    def __init__(self, intersection: Intersection) -> None:
        self._own = [list(approach.links) for approach in intersection.approaches]
        self._weight = np.zeros(intersection.n_links)
        for links in self._own:
            self._weight[links] = 1.0 / len(links)
        self._ways: dict[str, list[tuple[int, float, float]]] = {}
        for i, approach in enumerate(intersection.approaches):
            for segment in approach.segments:
                self._ways.setdefault(segment.lane, []).append((i, segment.beyond, segment.share))

    def ways(self, lane: str) -> list[tuple[int, float, float]]:
        """The approaches that a lane leads to: (index, m from its end to the stop line, share of its vehicles)."""
        return self._ways[lane]

    def learn(self, approach: int, link: int) -> None:
        """A vehicle left this approach by ``link``."""
        self._weight[self._own[approach]] *= MEMORY
        self._weight[link] += 1.0 - MEMORY

    def link(self, approach: int, at: float) -> int:
        """The link of the vehicle whose number in [0, 1) is ``at``."""
        links = self._own[approach]
        return links[_pick(self._weight[links], at)]

    def approach(self, lane: str, at: float) -> tuple[int, float]:
        """(approach, m from the lane's end to its stop line) of the vehicle whose number is ``at``."""
        ways = self._ways[lane]
        i, beyond, _ = ways[_pick(np.array([share for _, _, share in ways]), at)]
        return i, beyond


def _pick(weight: Array, at: float) -> int:
    total = np.cumsum(weight)
    return min(int(np.searchsorted(total, at * total[-1], side="right")), len(weight) - 1)
