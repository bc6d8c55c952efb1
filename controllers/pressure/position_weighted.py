"""Position-weighted max-pressure: a vehicle presses the more the nearer it is to the stop line (Li & Jabari 2019).

L. Li, S. E. Jabari, "Position weighted backpressure intersection control for urban networks", Transportation
Research B 128 (2019) 435–461.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import acyclic, exits_of, green_worth
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network


@dataclass(frozen=True)
class PositionWeighted:
    """Position-weighted max-pressure: each vehicle counts by its place on the road. Sees vehicles and exits."""

    name: ClassVar[str] = "max-pressure-position"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "exits"})

    interval: float = 10.0  # s between decisions
    reach: float = 200.0  # m over which the weight rises from 0 to 1 at the stop line
    downstream: float = 0.5  # weight of a vehicle on an exit: the mean over a road evenly filled

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves, leads_to = green_worth(intersection, 1.0), exits_of(intersection)
        lane_reach = np.array([min(approach.reach, self.reach) for approach in intersection.approaches])

        def pressure(seen: Observation) -> Array:
            known = seen.vehicles.link >= 0
            reach = lane_reach[seen.vehicles.approach[known]]
            weight = np.maximum(1.0 - seen.vehicles.distance[known] / reach, 0.0)
            before = np.bincount(seen.vehicles.link[known], weight, minlength=intersection.n_links)
            gain: Array = serves @ (before - self.downstream * (leads_to @ seen.exit_halted))
            return gain

        return acyclic(self.interval, pressure)
