"""What SCOOT-like and SCATS-like control share: a cycle that goes round in the program's order and is stepped.

Signals on one arterial form a group with a common cycle; the last stage of each signal ends when its offset
says. How full a green was is measured as SCATS does: the part of it in which vehicles used the stop line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from denxanh.controllers.greens import green_links
from denxanh.sim.controller import Array, Green, Observation, Policy
from denxanh.sim.network import Bools, Intersection, Network
from denxanh.sim.signals.change import change_intervals
from denxanh.sim.timing.arterials import arterials
from denxanh.sim.world import HALTED_SPEED

PRESENCE, PASSAGE = 15.0, 2.0  # m and s: a vehicle nearer than either uses the stop line

MEMORY = 0.7  # of a degree of saturation that is kept: one cycle says little where a few vehicles make it


@dataclass
class Group:
    """Signals with a common cycle. ``saturation`` is the latest highest degree of saturation of each."""

    cycle: float  # s
    step: Callable[[float, float], float]  # (cycle, highest degree of saturation) → next cycle, s
    origin: float = math.nan  # s of the clock at which the cycle began
    saturation: dict[str, float] = field(default_factory=dict)

    def follow(self, now: float) -> None:
        """Begin the cycles that are due; each is stepped by the fullest signal."""
        if math.isnan(self.origin):
            self.origin = now
        while now >= self.origin + self.cycle - 1e-6:
            self.origin += self.cycle
            if self.saturation:
                self.cycle = self.step(self.cycle, max(self.saturation.values()))


def groups(
    network: Network, step: Callable[[float, float], float], shortest: float, longest: float
) -> dict[str, Group]:
    """A group for every signal: those that share arterials together, each other one by itself."""
    root = {name: name for name in network.intersections}

    def find(name: str) -> str:
        return name if root[name] == name else find(root[name])

    for way in arterials(network):
        for name in way.signals[1:]:
            root[find(name)] = find(way.signals[0])
    made: dict[str, Group] = {}
    for name, intersection in network.intersections.items():
        cycle = min(max(intersection.program.cycle, shortest, least_cycle(intersection)), longest)
        group = made.setdefault(find(name), Group(cycle, step))
        group.cycle = max(group.cycle, cycle)
    return {name: made[find(name)] for name in root}


def least_cycle(intersection: Intersection) -> float:
    """Minimum greens and changes together, s."""
    return sum(phase.min_green for phase in intersection.phases) + sum(_changes(intersection))


def _changes(intersection: Intersection) -> list[float]:
    count = len(intersection.phases)
    return [sum(x.duration for x in change_intervals(intersection, i, (i + 1) % count)) for i in range(count)]


class Stepper:
    """One signal's cycle. Subclasses say when a stage ends and how shares and offset are stepped."""

    def __init__(self, intersection: Intersection, group: Group) -> None:
        self.intersection = intersection
        self.group = group
        self.changes = _changes(intersection)
        self.greens: Bools = green_links(intersection)
        self.headway = np.array([1.0 / approach.saturation_flow for approach in intersection.approaches])
        stages = intersection.program.stages
        self.share: Array = np.array([s.green for s in stages]) / sum(s.green for s in stages)
        self.offset = intersection.program.offset % group.cycle  # s
        self.saturation = np.full(len(stages), 0.9)  # of each stage when it was shown last
        self.used = np.zeros(
            len(intersection.approaches)
        )  # s of the present green in which the lane was used

    def __call__(self, seen: Observation) -> Green:
        """The policy: ask every step, go on when the green has had its length."""
        self.group.follow(seen.time)
        self._measure(seen)
        self.watch(seen)
        if seen.minimum_left > 0 or seen.elapsed < self.length(seen) - 1e-6:
            return Green(seen.phase, seen.step)
        before = self.saturation[seen.phase]
        self.saturation[seen.phase] = MEMORY * before + (1.0 - MEMORY) * self.degree(seen)
        self.group.saturation[self.intersection.id] = float(self.saturation.max())
        self.used[:] = 0.0
        following = (seen.phase + 1) % len(self.share)
        self.ended(seen)
        if following == 0:
            self.turned(seen)
        return Green(following, seen.step)

    def watch(self, seen: Observation) -> None:
        """Look at the traffic of this step, beyond the use of the stop line."""
        return

    def length(self, seen: Observation) -> float:
        """How long the present green lasts, s."""
        return self.planned(seen)

    def ended(self, seen: Observation) -> None:
        """A stage has ended."""
        return

    def turned(self, seen: Observation) -> None:
        """A cycle has ended."""
        return

    def planned(self, seen: Observation) -> float:
        """The green that shares, cycle and offset give the present stage, s, in whole steps."""
        least = self.intersection.phases[seen.phase].min_green
        green = float(self.share[seen.phase]) * (self.group.cycle - sum(self.changes))
        if seen.phase == len(self.share) - 1:  # the last stage brings the next cycle to its offset
            began, cycle = seen.time - seen.elapsed, self.group.cycle
            due = (self.group.origin + self.offset - self.changes[-1] - began - green) % cycle
            green += due if due < cycle / 2 else due - cycle
            green = min(green, 1.5 * float(self.share[seen.phase]) * cycle)
        return math.ceil(max(green, least) / seen.step - 1e-6) * seen.step

    def degree(self, seen: Observation) -> float:
        """Degree of saturation of the present green: its used part, and what it leaves behind, on the worst lane."""
        served = self._served(seen)
        left = (
            seen.count(served & (seen.vehicles.speed < HALTED_SPEED)) * self.headway
        )  # s that it would take yet
        lanes = (self.used + left) / max(seen.elapsed, seen.step)
        return float(min(np.max(lanes, initial=0.0), 2.0))

    def _served(self, seen: Observation) -> Bools:
        link = seen.vehicles.link
        served: Bools = (link >= 0) & self.greens[seen.phase, link]
        return served

    def _measure(self, seen: Observation) -> None:
        zone = np.maximum(PRESENCE, PASSAGE * seen.vehicles.speed)
        self.used += seen.step * (seen.count(self._served(seen) & (seen.vehicles.distance <= zone)) > 0)


def at_least(share: Array, least: Array) -> Array:
    """Shares that add to one, none below ``least`` (which add to less than one)."""
    spare = np.maximum(share - least, 0.0)
    room = 1.0 - least.sum()
    return np.asarray(least + (room * spare / spare.sum() if spare.sum() > 0 else room / len(share)))


def policies(
    network: Network, groups_: Mapping[str, Group], make: Callable[[Intersection, Group], Policy]
) -> dict[str, Policy]:
    """A fresh policy for every signal."""
    return {name: make(intersection, groups_[name]) for name, intersection in network.intersections.items()}
