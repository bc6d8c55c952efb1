"""Green wave: the network's own splits, with the offsets that give its arterials the widest bands.

J. D. C. Little, M. D. Kelson, N. H. Gartner, "MAXBAND: a program for setting signals on arteries and
triangular networks", Transportation Research Record 795 (1981) 40–46; solved as a mixed-integer program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from sim.arterials import arterials
from sim.clock import by_the_clock
from sim.maxband import progression
from sim.network import Network
from sim.plan import Plan
from sim.protocol import Policy


@dataclass(frozen=True)
class GreenWave:
    """Green wave: the network's own plan with MAXBAND's offsets along its arterials. Sees nothing."""

    name: ClassVar[str] = "green-wave"
    sees: ClassVar[frozenset[str]] = frozenset()

    ratio: float = 1.0  # width of the inbound band for one of the outbound one; 0: one way
    tolerance: float = 0.1  # how far the speed of the wave may be from the limit

    def make_plan(self, network: Network) -> Plan:
        """The own timings, offsets in whole seconds; signals on no arterial stay as they are."""
        timings = {name: where.program for name, where in network.intersections.items()}
        offsets = progression(arterials(network), timings, tolerance=self.tolerance, ratio=self.ratio)
        changed = {
            name: replace(timing, offset=float(round(offsets.get(name, timing.offset))))
            for name, timing in timings.items()
        }
        return Plan(changed, f"MAXBAND, {len(offsets)} of {len(timings)} signals on arterials")

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy by the clock for each intersection; ``network`` has the plan's offsets."""
        return {name: by_the_clock(where) for name, where in network.intersections.items()}
