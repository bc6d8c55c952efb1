"""Capacity-aware max-pressure: a road that fills up presses more than its count (Gregoire et al. 2015).

J. Gregoire, X. Qian, E. Frazzoli, A. de La Fortelle, T. Wongpiromsarn, "Capacity-aware backpressure traffic
signal control", IEEE Transactions on Control of Network Systems 2 (2015) 164–173.

The paper drops the unlimited queues of Varaiya (2013), but presumes a queue for each movement of a road, known
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
from denxanh.sim.world import HALTED_SPEED, QUEUE_SPACING


@dataclass(frozen=True)
class CapacityAware:
    """Capacity-aware max-pressure: normalised pressures, no green into a full road. Sees vehicles and exits."""

    name: ClassVar[str] = "max-pressure-capacity"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "exits"})

    interval: float = 10.0  # s between decisions
    near: float = 60.0  # m, as in max-pressure
    largest: float = 50.0  # vehicles, C∞: the capacity of a road for which pressure is linear
    power: float = 4.0  # m: steepness of the pressure of a road that fills up
    whole_lane: bool = False  # as the paper: count what is behind a vehicle that the phase does not serve
    longest_red: float = LONGEST_RED  # times the plan's longest red of the link; 0: none, as the paper

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {
            name: self._policy(intersection, network) for name, intersection in network.intersections.items()
        }

    def _policy(self, intersection: Intersection, network: Network) -> Policy:
        serves, leads_to = green_worth(intersection, 1.0), exits_of(intersection)
        leaves = None if self.whole_lane else may_leave(intersection)
        lane_of = {k: i for i, approach in enumerate(intersection.approaches) for k in approach.links}
        before_room = np.array(
            [
                intersection.approaches[lane_of[k]].reach / QUEUE_SPACING if k in lane_of else 1.0
                for k in range(intersection.n_links)
            ]
        )
        behind_room = np.array(
            [max(network.lanes[lane].length / QUEUE_SPACING, 1.0) for lane in intersection.exits]
        )

        def pressure(seen: Observation) -> Array:
            vehicles = seen.vehicles
            queued = (vehicles.speed < HALTED_SPEED) | (vehicles.distance <= self.near)
            before = normalised(count_reached(seen, leaves, queued), before_room, self.largest, self.power)
            behind = normalised(seen.exit_halted, behind_room, self.largest, self.power)
            open_ = leads_to @ (seen.exit_room >= QUEUE_SPACING) > 0
            worth = np.where(open_, np.maximum(before - leads_to @ behind, 0.0), 0.0)
            gain: Array = (serves * worth).sum(axis=1)
            return gain

        return acyclic(self.interval, pressure, intersection, self.longest_red)


def normalised(queue: Array, capacity: Array, largest: float, power: float) -> Array:
    """Gregoire et al. (2015), eq. 6: 1 at capacity, about q / C∞ far below it; shape of ``queue``."""
    ratio = queue / capacity
    grown = queue / largest + (2.0 - capacity / largest) * ratio**power
    return np.asarray(np.minimum(1.0, grown / (1.0 + ratio ** (power - 1.0))))
