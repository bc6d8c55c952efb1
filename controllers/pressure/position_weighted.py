"""Position-weighted max-pressure: a vehicle presses the more the nearer it is to the stop line (Li & Jabari 2019).

L. Li, S. E. Jabari, "Position weighted backpressure intersection control for urban networks", Transportation
Research B 128 (2019) 435–461.

The paper drops the vertical queues of Varaiya (2013), but presumes a queue for each movement along the road, known
turning ratios and no time lost in a change, and sets no limit to a red. On lanes that movements share, a lane counts
up to its first vehicle that the phase does not serve (docs/research/starvation.md);
``whole_lane=true,longest_red=0`` is the paper's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import LONGEST_RED, acyclic, count_reached, exits_of, green_worth, may_leave
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
    whole_lane: bool = False  # as the paper: count what is behind a vehicle that the phase does not serve
    longest_red: float = LONGEST_RED  # times the plan's longest red of the link; 0: none, as the paper

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves, leads_to = green_worth(intersection, 1.0), exits_of(intersection)
        leaves = None if self.whole_lane else may_leave(intersection)
        lane_reach = np.array([min(approach.reach, self.reach) for approach in intersection.approaches])

        def pressure(seen: Observation) -> Array:
            distance = seen.vehicles.distance
            weight = np.maximum(1.0 - distance / lane_reach[seen.vehicles.approach], 0.0)
            before = count_reached(seen, leaves, weight > 0.0, weight)
            gain: Array = (serves * (before - self.downstream * (leads_to @ seen.exit_halted))).sum(axis=1)
            return gain

        return acyclic(self.interval, pressure, intersection, self.longest_red)
