"""Webster: the fixed-time plan of least delay for the expected demand (Webster 1958), its arterials coordinated.

Webster's formulae give the cycle and the splits. An offset belongs to a cycle, so the existing offsets mean nothing in
the new one: the arterials get those of MAXBAND (Little, Kelson and Gartner, Transportation Research Record 795, 1981).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from denxanh.sim.controller import Policy
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.signals.fixed_time import fixed_time_policy
from denxanh.sim.timing.maxband import with_bands
from denxanh.sim.timing.webster import CYCLE_BOUNDS, webster_plan


@dataclass(frozen=True)
class Webster:
    """Webster: one cycle and splits of least delay for the demand in the routes, MAXBAND's offsets. Sees the flow."""

    name: ClassVar[str] = "webster"
    sees: ClassVar[frozenset[str]] = frozenset({"flow"})

    shortest: float = CYCLE_BOUNDS[0]  # s, bounds of the cycle
    longest: float = CYCLE_BOUNDS[1]  # s

    def make_plan(self, network: Network) -> Plan:
        """Webster's plan for the flows of the network, with offsets of its cycle along the arterials."""
        plan = webster_plan(network, bounds=(self.shortest, self.longest))
        timings, banded = with_bands(network, plan.timings)
        return replace(plan, timings=timings, note=f"{plan.note}; MAXBAND, {banded} signals on arterials")

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A fixed-time policy for each intersection; ``network`` has the plan's phases."""
        return {name: fixed_time_policy(intersection) for name, intersection in network.intersections.items()}
