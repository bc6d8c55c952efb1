"""Longest queue first: serve the lane with the most halted vehicles (Wunderlich et al. 2008).

R. Wunderlich, C. Liu, I. Elhanany, T. Urbanik, "A novel signal-scheduling algorithm with quality-of-service
provisioning for an isolated intersection", IEEE Transactions on ITS 9 (2008) 536–547.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import acyclic, green_approaches
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network


@dataclass(frozen=True)
class LongestQueue:
    """Longest queue first: the phase that serves the longest queue, then the most vehicles. Sees vehicles."""

    name: ClassVar[str] = "longest-queue"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    interval: float = 10.0  # s between decisions

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves = green_approaches(intersection)

        def score(seen: Observation) -> Array:
            queue = seen.halted()  # (approaches,)
            longest = np.max(serves * queue, axis=1, initial=0.0)
            return np.asarray(longest + (serves @ queue) / (1.0 + queue.sum()))  # the sum only breaks ties

        return acyclic(self.interval, score)
