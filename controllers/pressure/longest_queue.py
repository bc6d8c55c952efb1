"""Longest queue first: serve the lane with the most halted vehicles (Wunderlich et al. 2008).

R. Wunderlich, C. Liu, I. Elhanany, T. Urbanik, "A novel signal-scheduling algorithm with quality-of-service
provisioning for an isolated intersection", IEEE Transactions on ITS 9 (2008) 536–547.

The paper presumes a queue without a limit for each movement and no time lost in a change; the largest weight alone
sets no limit to the wait of a short queue. On lanes that movements share, a lane counts up to its first vehicle that
the phase does not serve, and a red has a limit (docs/research/starvation.md); ``whole_lane=true,longest_red=0`` is
without both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import LONGEST_RED, acyclic, green_approaches, green_links, may_leave, reached
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network
from denxanh.sim.world import HALTED_SPEED


@dataclass(frozen=True)
class LongestQueue:
    """Longest queue first: the phase that serves the longest queue, then the most vehicles. Sees vehicles."""

    name: ClassVar[str] = "longest-queue"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    interval: float = 10.0  # s between decisions
    whole_lane: bool = False  # as the paper: count what is behind a vehicle that the phase does not serve
    longest_red: float = LONGEST_RED  # times the plan's longest red of the link; 0: none, as the paper

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves, greens, leaves = (
            green_approaches(intersection),
            green_links(intersection),
            may_leave(intersection),
        )

        def score(seen: Observation) -> Array:
            vehicles = seen.vehicles
            halted = vehicles.speed < HALTED_SPEED
            if self.whole_lane:
                queue = serves * seen.count(halted)  # (phases, approaches)
            else:
                served = reached(seen, leaves) & (greens[:, vehicles.link] | (vehicles.link < 0)) & halted
                queue = np.stack(
                    [np.bincount(vehicles.approach, row, minlength=serves.shape[1]) for row in served]
                )
                queue *= serves
            total = 1.0 + seen.count(halted).sum()
            return np.asarray(
                np.max(queue, axis=1, initial=0.0) + queue.sum(axis=1) / total
            )  # sum: ties only

        return acyclic(self.interval, score, intersection, self.longest_red)
