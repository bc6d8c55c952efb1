"""Webster: the fixed-time plan of least delay for the expected demand (Webster 1958)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sim.clock import by_the_clock
from sim.network import Network
from sim.plan import Plan
from sim.protocol import Policy
from sim.webster import CYCLE_BOUNDS, webster_plan


@dataclass(frozen=True)
class Webster:
    """Webster: one cycle and splits of least delay for the demand in the routes. Sees the expected flow."""

    name: ClassVar[str] = "webster"
    sees: ClassVar[frozenset[str]] = frozenset({"flow"})

    shortest: float = CYCLE_BOUNDS[0]  # s, bounds of the cycle
    longest: float = CYCLE_BOUNDS[1]  # s

    def make_plan(self, network: Network) -> Plan:
        """Webster's plan for the flows of the network."""
        return webster_plan(network, bounds=(self.shortest, self.longest))

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy by the clock for each intersection; ``network`` has the plan's phases."""
        return {name: by_the_clock(where) for name, where in network.intersections.items()}
