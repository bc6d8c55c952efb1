"""Cyclic max-pressure: a fixed order and cycle, greens shared out by the phases' pressures (Le et al. 2015).

T. Le, P. Kovács, N. Walton, H. L. Vu, L. L. H. Andrew, S. S. P. Hoogendoorn, "Decentralized signal control
for urban road networks", Transportation Research C 58 (2015) 431–450.

The paper presumes a queue without a limit for each movement; it needs no turning ratios, and as every phase is shown
in every cycle, nobody starves. On lanes that movements share, a lane counts up to its first vehicle that the phase
does not serve (docs/research/starvation.md); ``whole_lane=true`` is the paper's form.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import count_reached, exits_of, green_worth, may_leave
from denxanh.sim.controller import Array, Green, Observation, Policy
from denxanh.sim.network import Intersection, Network
from denxanh.sim.world import HALTED_SPEED


@dataclass(frozen=True)
class CyclicMaxPressure:
    """Cyclic max-pressure: every phase once a cycle, its green ∝ exp(η · pressure). Sees vehicles and exits."""

    name: ClassVar[str] = "max-pressure-cyclic"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "exits"})
    serves_pedestrian_calls: ClassVar[bool] = True  # every phase is shown in every cycle

    green: float = 60.0  # s of green in a cycle, shared by all phases
    eta: float = 0.1  # 1/veh
    near: float = 60.0  # m, as in max-pressure
    whole_lane: bool = False  # as the paper: count what is behind a vehicle that the phase does not serve

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy with the greens of the cycle under way, per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves, leads_to = green_worth(intersection, 0.5), exits_of(intersection)
        leaves = None if self.whole_lane else may_leave(intersection)
        least = np.array([phase.min_green for phase in intersection.phases])
        greens = np.full(len(least), self.green / len(least))

        def policy(seen: Observation) -> Green:
            if seen.minimum_left > 0:
                return Green(seen.phase, seen.minimum_left)
            following = (seen.phase + 1) % len(least)
            if following == 0:  # the cycle begins: new splits from what waits now
                vehicles = seen.vehicles
                queued = (vehicles.speed < HALTED_SPEED) | (vehicles.distance <= self.near)
                gains = count_reached(seen, leaves, queued) - leads_to @ seen.exit_halted
                pressure = (serves * gains).sum(axis=1)
                greens[:] = split(self.green, self.eta * pressure, least)
            return Green(following, math.ceil(greens[following] / seen.step - 1e-6) * seen.step)

        return policy


def split(total: float, exponent: Array, least: Array) -> Array:
    """Greens (s) ∝ exp(``exponent``), none below ``least``; together ``total`` where the minima allow it."""
    weight = np.exp(exponent - np.max(exponent))  # Le et al. (2015), eq. 6
    spare = max(total - least.sum(), 0.0)
    return np.asarray(least + spare * weight / weight.sum())
