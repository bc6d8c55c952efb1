"""Delay-based control: a green lasts until the vehicles that lost time have left (Oertel & Wagner 2011).

R. Oertel, P. Wagner, "Delay-time actuated traffic signal control for an isolated intersection", TRB 90th
Annual Meeting (2011): the strategy of SUMO's ``delay_based`` programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import called_on_red, green_links, may_leave, reached
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.network import Bools, Intersection, Network


@dataclass(frozen=True)
class DelayBased:
    """Delay-based: in the program's order, green until the vehicles that lost time have left. Sees vehicles."""

    name: ClassVar[str] = "delay-based"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})
    serves_pedestrian_calls: ClassVar[bool] = True  # a call leads to the next phase

    reach: float = 100.0  # m from the stop line where lost time is summed
    lost: float = 1.0  # s of lost time from which a vehicle holds its green
    max_green: float = 45.0  # s, where the phase gives no maximum of its own
    whole_lane: bool = False  # a vehicle behind one that the phase does not let leave holds the green, too

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy that remembers each vehicle's lost time, per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        greens, leaves = green_links(intersection), may_leave(intersection)
        limit = np.array([approach.speed for approach in intersection.approaches])
        longest = [min(phase.max_green, self.max_green) for phase in intersection.phases]
        lost: dict[str, float] = {}
        before = np.nan

        def policy(seen: Observation) -> Green:
            nonlocal lost, before
            vehicles = seen.vehicles
            passed = 0.0 if np.isnan(before) else seen.time - before
            before = seen.time
            inside: Bools = (vehicles.distance <= self.reach) & (vehicles.link >= 0)
            rate = np.maximum(1.0 - vehicles.speed / limit[vehicles.approach], 0.0)  # s lost a second
            lost = {
                vehicles.id[i]: lost.get(vehicles.id[i], 0.0) + passed * float(rate[i])
                for i in np.flatnonzero(inside)
            }
            if seen.minimum_left > 0:
                return Green(seen.phase, min(seen.minimum_left, seen.step))
            late = np.array([lost.get(name, 0.0) > self.lost for name in vehicles.id], dtype=np.bool_)
            holds = late & inside & greens[seen.phase, vehicles.link]
            if not self.whole_lane:
                holds &= reached(seen, leaves[[seen.phase]])[0]
            held = bool(np.any(holds))
            if held and seen.elapsed < longest[seen.phase]:
                return Green(seen.phase, seen.step)
            waiting = inside & ~greens[seen.phase, vehicles.link]
            called = bool(waiting.any()) or len(called_on_red(seen, greens)) > 0
            following = (seen.phase + 1) % len(intersection.phases)
            return Green(following if called else seen.phase, seen.step)

        return policy
