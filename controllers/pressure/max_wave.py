"""MaxWave: the phase with the largest wave, queued and approaching vehicles together (Ault & Sharon 2021).

J. Ault, G. Sharon, "Reinforcement learning benchmarks for traffic signal control", NeurIPS Datasets and
Benchmarks 2021: the rule-based baseline beside max-pressure; it looks 200 m upstream and not downstream.

The rule counts whole lanes and sets no limit to a red. Here a lane counts up to its first vehicle that the phase
does not serve, and a red has a limit (docs/research/starvation.md); ``whole_lane=true,longest_red=0`` is the paper's
form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from denxanh.controllers.greens import LONGEST_RED, acyclic, count_reached, green_worth, may_leave
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network


@dataclass(frozen=True)
class MaxWave:
    """MaxWave: the phase with the most vehicles queued or on the way. Sees vehicles."""

    name: ClassVar[str] = "max-wave"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    interval: float = 10.0  # s between decisions
    reach: float = 200.0  # m
    whole_lane: bool = False  # as the paper: count what is behind a vehicle that the phase does not serve
    longest_red: float = LONGEST_RED  # times the plan's longest red of the link; 0: none, as the paper

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves = green_worth(intersection, 1.0)
        leaves = None if self.whole_lane else may_leave(intersection)

        def wave(seen: Observation) -> Array:
            near = seen.vehicles.distance <= self.reach
            total: Array = (serves * count_reached(seen, leaves, near)).sum(axis=1)
            return total

        return acyclic(self.interval, wave, intersection, self.longest_red)
