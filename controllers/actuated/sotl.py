"""Self-organising traffic lights: a red sums vehicle seconds up to a threshold (SOTL-platoon).

C. Gershenson, "Self-organizing traffic lights", Complex Systems 16 (2005) 29–53; S.-B. Cools, C. Gershenson,
B. D'Hooghe, "Self-organizing traffic lights: a realistic simulation" (2013), rules 1–3.

The first paper's streets are one-way and without turns, so that a green serves whole roads; a phase of several can
be overtaken for ever. On lanes that movements share, all vehicles of a lane count for the phases that serve its
first one, and a red has a limit (docs/research/starvation.md); ``whole_lane=true,longest_red=0`` is the papers'
form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import LONGEST_RED, bounded_red, green_links, head_links
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.network import Bools, Intersection, Network
from denxanh.sim.world import HALTED_SPEED


@dataclass(frozen=True)
class Sotl:
    """SOTL: change when the vehicle seconds on a red reach a threshold, unless that cuts a platoon. Sees vehicles."""

    name: ClassVar[str] = "sotl"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})

    threshold: float = 50.0  # veh·s, θ
    reach: float = 80.0  # m, d: vehicles that count on red
    near: float = 25.0  # m, ω: vehicles on green that must not be cut off …
    platoon: int = 3  # … unless they are more than this, μ
    whole_lane: bool = False  # as the paper: count what is behind a vehicle that the phase does not serve
    longest_red: float = LONGEST_RED  # times the plan's longest red of the link; 0: none, as the paper

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy that remembers each phase's sum, per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        greens = green_links(intersection)
        gathered = np.zeros(len(intersection.phases))  # κ, veh·s
        before = np.nan

        def policy(seen: Observation) -> Green:
            nonlocal before
            vehicles = seen.vehicles
            link = vehicles.link if self.whole_lane else head_links(seen)
            near = (vehicles.distance <= self.reach) & (link >= 0)
            waiting = np.bincount(link[near], minlength=intersection.n_links) * ~greens[seen.phase]
            passed = 0.0 if np.isnan(before) else seen.time - before
            before = seen.time
            gathered[:] += (greens @ waiting) * passed
            gathered[seen.phase] = 0.0
            if seen.minimum_left > 0:
                return Green(seen.phase, min(seen.minimum_left, seen.step))
            served: Bools = (vehicles.link >= 0) & greens[seen.phase, vehicles.link]
            moving = (
                vehicles.speed >= HALTED_SPEED
            )  # a vehicle that waits for a gap or a free exit must not hold the green
            close = int(np.sum(served & moving & (vehicles.distance <= self.near)))
            wanted = int(np.argmax(gathered))
            if gathered[wanted] < self.threshold or 0 < close <= self.platoon:
                return Green(seen.phase, seen.step)
            gathered[wanted] = 0.0
            return Green(wanted, seen.step)

        return bounded_red(policy, intersection, self.longest_red)
