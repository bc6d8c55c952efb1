"""Vehicle-actuated control: a green is extended while vehicles arrive, and ends at the first gap.

As in the Signal Timing Manual (FHWA-HOP-08-024, chapter 5): minimum green, passage time, maximum green
that counts only against a call on another phase, phases without a call skipped, rest in green.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import called_on_red, dominated, green_links
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.network import Bools, Intersection, Network


@dataclass(frozen=True)
class Actuated:
    """Vehicle-actuated: greens between a minimum and a maximum that end at the first gap. Sees vehicles."""

    name: ClassVar[str] = "actuated"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})
    serves_pedestrian_calls: ClassVar[bool] = True  # a call counts as one on the phases that serve it

    passage: float = 2.0  # s: a vehicle this far from the stop line extends the green
    presence: float = 15.0  # m in front of the stop line where any vehicle extends it
    max_green: float = 40.0  # s, where the phase gives no maximum of its own
    stuck: float = 8.0  # s: a vehicle that stands so long on green does not extend it, since it is blocked
    skip: bool = True  # leave out phases without a call
    dominated: bool = False  # show also phases that serve nobody whom another phase does not serve as well

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy that remembers since when another phase is called, per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def _policy(self, intersection: Intersection) -> Policy:
        greens = green_links(intersection)  # (phases, n_links)
        callable_ = self.dominated | ~dominated(intersection)
        longest = [min(phase.max_green, self.max_green) for phase in intersection.phases]
        called = math.nan  # s, since when there has been a call on another phase

        def policy(seen: Observation) -> Green:
            nonlocal called
            known = seen.vehicles.link >= 0
            link = seen.vehicles.link[known]
            served = greens[seen.phase, link]
            waiting = np.concatenate([link[~served], called_on_red(seen, greens)])
            # (phases,) of vehicles and pedestrians on red
            calls: Bools = greens[:, waiting].any(axis=1) & callable_
            wanted = bool(calls.any())
            called = math.nan if not wanted else seen.time if math.isnan(called) else called
            if seen.minimum_left > 0:
                return Green(seen.phase, seen.minimum_left)
            zone = np.maximum(self.presence, self.passage * seen.vehicles.speed[known])
            moves = seen.vehicles.wait[known] < (self.stuck if seen.elapsed >= self.stuck else np.inf)
            extended = bool((served & moves & (seen.vehicles.distance[known] <= zone)).any())
            against = min(seen.elapsed, seen.time - called)  # s of this green against a call
            if not wanted or (extended and against < longest[seen.phase]):
                return Green(seen.phase, seen.step)
            order = (seen.phase + 1 + np.arange(len(intersection.phases))) % len(intersection.phases)
            following = next(p for p in order if calls[p] or not self.skip)
            return Green(int(following), seen.least_green(int(following)))

        return policy
