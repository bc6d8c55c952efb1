"""Volume-density control: the allowed gap shrinks while others wait, the minimum grows with the queue.

Signal Timing Manual (FHWA-HOP-08-024), section 5.5, with NTCIP 1202's names: passage, minimum gap, time
before reduction, time to reduce, added initial.
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
class VolumeDensity:
    """Volume-density: actuated with gap reduction and added initial green. Sees vehicles."""

    name: ClassVar[str] = "volume-density"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})
    lets_walk: ClassVar[bool] = True  # a call of people on foot is one on its phases

    passage: float = 3.0  # s
    min_gap: float = 1.5  # s
    before_reduction: float = 10.0  # s of green with a call elsewhere until the gap begins to shrink
    time_to_reduce: float = 15.0  # s until it is ``min_gap``
    presence: float = 15.0  # m in front of the stop line where any vehicle extends
    seconds_per_actuation: float = 2.0  # s of initial green for each vehicle that waited
    max_initial: float = 20.0  # s
    max_green: float = 40.0  # s, where the phase gives no maximum of its own
    stuck: float = 8.0  # s: who stands so long on green does not extend it

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy that remembers its initial green and the first call, per intersection."""
        return {name: self._policy(where) for name, where in network.intersections.items()}

    def gap(self, waited: float) -> float:
        """The gap allowed ``waited`` s after the first call on another phase, s."""
        reduced = (waited - self.before_reduction) / self.time_to_reduce
        return self.passage - (self.passage - self.min_gap) * min(max(reduced, 0.0), 1.0)

    def initial(self, queue: float) -> float:
        """The initial green for the longest queue on a lane that turns green, s."""
        return min(self.seconds_per_actuation * queue, self.max_initial)

    def _policy(self, where: Intersection) -> Policy:
        greens = green_links(where)
        longest = [min(phase.max_green, self.max_green) for phase in where.phases]
        initial, called = 0.0, np.nan

        def policy(seen: Observation) -> Green:
            nonlocal initial, called
            known: Bools = seen.vehicles.link >= 0
            link, speed = seen.vehicles.link[known], seen.vehicles.speed[known]
            distance, wait = seen.vehicles.distance[known], seen.vehicles.wait[known]
            served = greens[seen.phase, link]
            waiting = np.concatenate([link[~served], called_on_red(seen, greens)])
            calls: Bools = np.any(greens[:, waiting], axis=1)
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
            order = (seen.phase + 1 + np.arange(len(calls))) % len(where.phases)
            following = int(next(p for p in order if calls[p]))
            queue = seen.count_by_link(seen.vehicles.speed < 0.1) * greens[following]
            initial, called = self.initial(float(queue.max())), np.nan
            return Green(following, seen.least_green(following))

        return policy
