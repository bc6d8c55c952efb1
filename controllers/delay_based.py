"""Delay-based control: a green lasts while somebody on it has lost time (Oertel & Wagner 2011).

R. Oertel, P. Wagner, "Delay-time actuated traffic signal control for an isolated intersection", TRB 90th
Annual Meeting (2011): the strategy of SUMO's ``delay_based`` programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from controllers.greens import called_on_red, green_links
from sim.network import Bools, Intersection, Network
from sim.protocol import Green, Observation, Policy


@dataclass(frozen=True)
class DelayBased:
    """Delay-based: in the program's order, green until who lost time on it has left. Sees vehicles."""

    name: ClassVar[str] = "delay-based"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})
    lets_walk: ClassVar[bool] = True  # a call of people on foot leads on to the next phase

    reach: float = 100.0  # m where lost time is gathered
    lost: float = 1.0  # s of lost time from which a vehicle holds its green
    max_green: float = 45.0  # s, where the phase gives no maximum of its own

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy that remembers each vehicle's lost time, per intersection."""
        return {name: self._policy(where) for name, where in network.intersections.items()}

    def _policy(self, where: Intersection) -> Policy:
        greens = green_links(where)
        limit = np.array([approach.speed for approach in where.approaches])
        longest = [min(phase.max_green, self.max_green) for phase in where.phases]
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
            held = bool(np.any(late & inside & greens[seen.phase, vehicles.link]))
            if held and seen.elapsed < longest[seen.phase]:
                return Green(seen.phase, seen.step)
            waiting = inside & ~greens[seen.phase, vehicles.link]
            called = bool(waiting.any()) or len(called_on_red(seen, greens)) > 0
            following = (seen.phase + 1) % len(where.phases)
            return Green(following if called else seen.phase, seen.step)

        return policy
