"""MaxWave: the phase with the largest wave, queued and approaching vehicles together (Ault & Sharon 2021).

J. Ault, G. Sharon, "Reinforcement learning benchmarks for traffic signal control", NeurIPS Datasets and
Benchmarks 2021: the rule-based baseline beside max-pressure; it looks 200 m upstream and not downstream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from denxanh.controllers.greens import acyclic, green_worth
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network


@dataclass(frozen=True)
class MaxWave:
    """MaxWave: the phase with the most vehicles queued or on the way. Sees vehicles."""

    name: ClassVar[str] = "max-wave"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    interval: float = 10.0  # s between decisions
    reach: float = 200.0  # m

    def start(self, network: Network) -> Mapping[str, Policy]:
        """One memoryless policy per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        serves = green_worth(intersection, 1.0)

        def wave(seen: Observation) -> Array:
            total: Array = serves @ seen.count_by_link(seen.vehicles.distance <= self.reach)
            return total

        return acyclic(self.interval, wave)
