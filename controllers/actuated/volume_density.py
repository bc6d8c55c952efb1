"""Volume-density control: the allowed gap decreases while others wait, the minimum grows with the queue.

Signal Timing Manual (FHWA-HOP-08-024), section 5.5, with NTCIP 1202's names: passage, minimum gap, time
before reduction, time to reduce, added initial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.greens import called_on_red, dominated, green_links
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.network import Bools, Intersection, Network
from denxanh.sim.world import HALTED_SPEED


@dataclass(frozen=True)
class VolumeDensity:
    """Volume-density: actuated with gap reduction and added initial green. Sees vehicles."""

    name: ClassVar[str] = "volume-density"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})
    serves_pedestrian_calls: ClassVar[bool] = True  # a call counts as one on the phases that serve it

    passage: float = 3.0  # s
    min_gap: float = 1.5  # s
    before_reduction: float = 10.0  # s of green with a call elsewhere until the gap begins to shrink
    time_to_reduce: float = 15.0  # s until it is ``min_gap``
    presence: float = 15.0  # m in front of the stop line where any vehicle extends
    seconds_per_actuation: float = 2.0  # s of initial green for each vehicle that waited
    max_initial: float = 20.0  # s
    max_green: float = 40.0  # s, where the phase gives no maximum of its own
    stuck: float = 8.0  # s: a vehicle that stands so long on green does not extend it
    dominated: bool = False  # show also phases that serve nobody whom another phase does not serve as well

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy that remembers its initial green and the first call, per intersection."""
        return {name: self._policy(intersection) for name, intersection in network.intersections.items()}

    def gap(self, waited: float) -> float:
        """The gap allowed ``waited`` s after the first call on another phase, s."""
        reduced = (waited - self.before_reduction) / self.time_to_reduce
        return self.passage - (self.passage - self.min_gap) * min(max(reduced, 0.0), 1.0)

    def initial(self, queue: float) -> float:
        """The initial green for the longest queue on a lane that turns green, s."""
        return min(self.seconds_per_actuation * queue, self.max_initial)

    def _policy(self, intersection: Intersection) -> Policy:
        greens = green_links(intersection)
        callable_ = self.dominated | ~dominated(intersection)
        longest = [min(phase.max_green, self.max_green) for phase in intersection.phases]
        initial, called = 0.0, np.nan

        def policy(seen: Observation) -> Green:
            nonlocal initial, called
            known: Bools = seen.vehicles.link >= 0
            link, speed = seen.vehicles.link[known], seen.vehicles.speed[known]
            distance, wait = seen.vehicles.distance[known], seen.vehicles.wait[known]
            served = greens[seen.phase, link]
            waiting = np.concatenate([link[~served], called_on_red(seen, greens)])
            calls: Bools = np.any(greens[:, waiting], axis=1) & callable_
            if not np.any(calls):
                called = np.nan
                return Green(seen.phase, seen.minimum_left or seen.step)
            begun = seen.time - seen.elapsed
            called = seen.time if np.isnan(called) else max(called, begun)
            if seen.minimum_left > 0 or seen.elapsed < initial:
                return Green(seen.phase, seen.minimum_left or seen.step)
            zone = np.maximum(self.presence, self.gap(seen.time - called) * speed)
            moves = wait < (self.stuck if seen.elapsed >= self.stuck else np.inf)
            if np.any(served & moves & (distance <= zone)) and seen.time - called < longest[seen.phase]:
                return Green(seen.phase, seen.step)
            order = (seen.phase + 1 + np.arange(len(calls))) % len(intersection.phases)
            following = int(next(p for p in order if calls[p]))
            queue = seen.count_by_link(seen.vehicles.speed < HALTED_SPEED) * greens[following]
            initial, called = self.initial(float(queue.max())), np.nan
            return Green(following, seen.least_green(following))

        return policy
