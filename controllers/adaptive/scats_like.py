"""SCATS-like: cycle and splits follow the measured degree of saturation, a step each cycle.

After A. G. Sims, "The Sydney co-ordinated adaptive traffic (SCAT) system", ARRB (1979), and later descriptions: a
subsystem's cycle grows or shrinks so that its fullest approach stays near a target, splits make the stages
equally full. SCATS itself is proprietary: this keeps its principles, not its code or its plan libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.adaptive.stepping import Group, Stepper, at_least, groups, policies
from denxanh.sim.controller import Observation, Policy
from denxanh.sim.network import Intersection, Network


@dataclass(frozen=True)
class ScatsLike:
    """SCATS-like: common cycles and equal degrees of saturation, stepped every cycle. Sees vehicles."""

    name: ClassVar[str] = "scats-like"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})
    serves_pedestrian_calls: ClassVar[bool] = True  # every phase is shown in every cycle

    target: float = 0.9  # degree of saturation of the fullest approach
    tolerance: float = 0.05
    step: float = 6.0  # s by which a cycle changes
    split_step: float = 0.05  # of the cycle's green by which a stage's share changes at most
    shortest: float = 30.0  # s, bounds of the cycle
    longest: float = 120.0  # s

    def start(self, network: Network) -> Mapping[str, Policy]:
        """Policies that share the cycle of their group."""
        shared = groups(network, self.next_cycle, self.shortest, self.longest)
        return policies(network, shared, lambda intersection, group: _Signal(self, intersection, group))

    def next_cycle(self, cycle: float, saturation: float) -> float:
        """The cycle after one whose fullest approach had this degree of saturation, s."""
        if saturation > self.target + self.tolerance:
            return min(cycle + self.step, max(self.longest, cycle))
        if saturation < self.target - self.tolerance:
            return max(cycle - self.step, min(self.shortest, cycle))
        return cycle


class _Signal(Stepper):
    def __init__(self, rule: ScatsLike, intersection: Intersection, group: Group) -> None:
        super().__init__(intersection, group)
        self.rule = rule
        self.least = np.array([phase.min_green for phase in intersection.phases])

    def turned(self, seen: Observation) -> None:
        """Equal saturation: a stage needs green in proportion to how full its green was."""
        wanted = self.share * np.maximum(self.saturation, 0.1)
        wanted /= wanted.sum()
        step = np.clip(wanted - self.share, -self.rule.split_step, self.rule.split_step)
        room = max(self.group.cycle - sum(self.changes), float(self.least.sum()) + 1.0)
        share = np.maximum(self.share + step, 1e-3)
        self.share = at_least(share / share.sum(), self.least / room)
