"""Green wave: the network's own splits, with the offsets that give its arterials the widest bands.

J. D. C. Little, M. D. Kelson, N. H. Gartner, "MAXBAND: a program for setting signals on arteries and
triangular networks", Transportation Research Record 795 (1981) 40–46; solved as a mixed-integer program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from denxanh.sim.controller import Policy
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.signals.fixed_time import fixed_time_policy
from denxanh.sim.timing.maxband import with_bands


@dataclass(frozen=True)
class GreenWave:
    """Green wave: the network's own plan with MAXBAND's offsets along its arterials. Sees nothing."""

    name: ClassVar[str] = "green-wave"
    sees: ClassVar[frozenset[str]] = frozenset()

    ratio: float = 1.0  # width of the inbound band relative to the outbound one; 0: one way
    tolerance: float = 0.1  # relative deviation of the wave's speed from the limit

    def make_plan(self, network: Network) -> Plan:
        """The network's own timings with new offsets in whole seconds; signals on no arterial keep theirs."""
        timings = {name: intersection.program for name, intersection in network.intersections.items()}
        changed, banded = with_bands(network, timings, tolerance=self.tolerance, ratio=self.ratio)
        return Plan(changed, f"MAXBAND, {banded} of {len(timings)} signals on arterials")

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A fixed-time policy for each intersection; ``network`` has the plan's offsets."""
        return {name: fixed_time_policy(intersection) for name, intersection in network.intersections.items()}
