"""Max-pressure with switching loss: change only for more than the change costs (Wang et al. 2022).

X. Wang, Y. Yin, Y. Feng, H. X. Liu, "Learning the max pressure control for urban traffic networks
considering the phase switching loss", Transportation Research C 140 (2022) 103670.

The paper adds the time lost in a change to Varaiya (2013); it keeps a queue for each movement without a limit, and
sets no limit to a red. On lanes that movements share, a lane counts up to its first vehicle that the phase does not
serve (docs/research/starvation.md); ``whole_lane=true,longest_red=0`` is the paper's form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import LONGEST_RED, acyclic, count_reached, exits_of, green_worth, may_leave
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
    whole_lane: bool = False  # as the paper: count what is behind a vehicle that the phase does not serve
    longest_red: float = LONGEST_RED  # times the plan's longest red of the link; 0: none, as the paper

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves, leads_to = green_worth(intersection, 0.5), exits_of(intersection)
        leaves = None if self.whole_lane else may_leave(intersection)
        count = range(len(intersection.phases))
        loss = np.array(
            [[sum(x.duration for x in change_intervals(intersection, p, q)) for q in count] for p in count]
        )
        kept = np.maximum(1.0 - loss / self.horizon, 0.0)  # (from, to) share of the horizon that is green

        def pressure(seen: Observation) -> Array:
            vehicles = seen.vehicles
            queued = (vehicles.speed < HALTED_SPEED) | (vehicles.distance <= self.near)
            before, behind = count_reached(seen, leaves, queued), leads_to @ seen.exit_halted
            pressures = (serves * (before - self.downstream * behind)).sum(axis=1)
            gain: Array = kept[seen.phase] * np.maximum(pressures, 0.0)
            return gain

        return acyclic(self.interval, pressure, intersection, self.longest_red)
