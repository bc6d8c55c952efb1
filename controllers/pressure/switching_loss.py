"""Max-pressure with switching loss: change only for more than the change costs (Wang et al. 2022).

X. Wang, Y. Yin, Y. Feng, H. X. Liu, "Learning the max pressure control for urban traffic networks
considering the phase switching loss", Transportation Research C 140 (2022) 103670.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import acyclic, exits_of, green_worth
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network
from denxanh.sim.signals.change import change_intervals
from denxanh.sim.world import HALTED_SPEED


@dataclass(frozen=True)
class SwitchingLoss:
    """Max-pressure with switching loss: another phase counts for the green that the change leaves it."""

    name: ClassVar[str] = "max-pressure-switching"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "exits"})

    interval: float = 5.0  # s between decisions
    horizon: float = 20.0  # s of green over which a change must pay
    near: float = 60.0  # m, as in max-pressure
    downstream: float = 0.5  # weight of halted vehicles behind the junction

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves, leads_to = green_worth(intersection, 0.5), exits_of(intersection)
        count = range(len(intersection.phases))
        loss = np.array(
            [[sum(x.duration for x in change_intervals(intersection, p, q)) for q in count] for p in count]
        )
        kept = np.maximum(1.0 - loss / self.horizon, 0.0)  # (from, to) share of the horizon that is green

        def pressure(seen: Observation) -> Array:
            vehicles = seen.vehicles
            queued = (vehicles.speed < HALTED_SPEED) | (vehicles.distance <= self.near)
            before, behind = seen.count_by_link(queued), leads_to @ seen.exit_halted
            gain: Array = kept[seen.phase] * np.maximum(serves @ (before - self.downstream * behind), 0.0)
            return gain

        return acyclic(self.interval, pressure)
