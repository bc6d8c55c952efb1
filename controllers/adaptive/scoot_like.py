"""SCOOT-like: splits, cycle and offsets stepped a few seconds at a time, by a model of the traffic measured.

After P. B. Hunt, D. I. Robertson, R. D. Bretherton, R. I. Winton, "SCOOT – a traffic responsive method of coordinating
signals", TRRL Laboratory Report 1014 (1981), and Traffic Advisory Leaflet 4/95 (UK Department for Transport): cyclic
flow profiles from detectors upstream; a stage ends early, on time or late so that its neighbours are equally
full; once a cycle the offset steps to where the profiles wait least. SCOOT itself is proprietary.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.adaptive.stepping import Group, Stepper, at_least, groups, policies
from denxanh.sim.controller import Array, Observation, Policy
from denxanh.sim.network import Intersection, Network

BIN = 2.0  # s of a cyclic flow profile's bins


@dataclass(frozen=True)
class ScootLike:
    """SCOOT-like: splits, cycle and offset stepped by cyclic flow profiles. Sees vehicles."""

    name: ClassVar[str] = "scoot-like"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles"})
    serves_pedestrian_calls: ClassVar[bool] = True  # every phase is shown in every cycle

    target: float = 0.9  # degree of saturation of the fullest stage
    split_step: float = 4.0  # s by which one stage may end early or late
    kept: float = 1.0  # s of that which stays for the next cycles
    offset_step: float = 4.0  # s
    cycle_step: float = 4.0  # s
    detector: float = 100.0  # m before the stop line where arrivals are counted
    memory: float = 0.8  # what a profile keeps from one cycle to the next
    shortest: float = 30.0  # s, bounds of the cycle
    longest: float = 120.0  # s

    def start(self, network: Network) -> Mapping[str, Policy]:
        """Policies that share the cycle of their group."""
        shared = groups(network, self.next_cycle, self.shortest, self.longest)
        return policies(network, shared, lambda intersection, group: _Signal(self, intersection, group))

    def next_cycle(self, cycle: float, saturation: float) -> float:
        """The cycle after one whose fullest stage had this degree of saturation, s."""
        if saturation > self.target:
            return min(cycle + self.cycle_step, max(self.longest, cycle))
        if saturation < self.target - 0.1:
            return max(cycle - self.cycle_step, min(self.shortest, cycle))
        return cycle


class _Signal(Stepper):
    def __init__(self, rule: ScootLike, intersection: Intersection, group: Group) -> None:
        super().__init__(intersection, group)
        self.rule = rule
        self.least = np.array([phase.min_green for phase in intersection.phases])
        self.limit = np.array([approach.speed for approach in intersection.approaches])
        self.profile = np.zeros(
            (round(rule.longest * 2 / BIN), len(intersection.approaches))
        )  # veh by bin of the cycle
        self.fresh = np.zeros_like(self.profile)  # of the cycle under way
        self.extra: float | None = None  # s by which the present stage is lengthened, once it is decided
        # (stages, approaches) whether the lane has green
        self.lanes = np.array(
            [
                [any(p.serves(k) for k in a.links) for a in intersection.approaches]
                for p in intersection.phases
            ]
        )

    def watch(self, seen: Observation) -> None:
        """Count who passes the detector in this step, for the instant at which it will reach the stop line."""
        vehicles, at = seen.vehicles, self.rule.detector
        passing = (vehicles.distance > at) & (vehicles.distance <= at + vehicles.speed * seen.step)
        if passing.any():
            lane = vehicles.approach[passing]
            due = (seen.time + at / self.limit[lane] - self.group.origin - self.offset) % self.group.cycle
            np.add.at(self.fresh, ((due / BIN).astype(np.int64), lane), 1.0)

    def length(self, seen: Observation) -> float:
        """The planned green, ended a step early or late: decided when the earlier end has come."""
        planned, step = self.planned(seen), self.rule.split_step
        if self.extra is None and seen.elapsed >= planned - step:
            following = (seen.phase + 1) % len(self.share)
            now = np.array([self.degree(seen) * seen.elapsed / planned, self.saturation[following]])
            changed = [max(now[0] * planned / max(planned + d, 1.0), now[1]) for d in (0.0, step)]
            if changed[0] > now[1] + 0.05 and changed[1] < changed[0]:
                self.extra = step
            else:
                self.extra = -step if now[1] > now[0] + 0.05 else 0.0
        return planned + (self.extra or 0.0)

    def ended(self, seen: Observation) -> None:
        """Keep a part of the change, taken from or given to the stage that follows."""
        green = self.group.cycle - sum(self.changes)
        part = np.sign(self.extra or 0.0) * self.rule.kept / green
        share = self.share.copy()
        share[seen.phase] += part
        share[(seen.phase + 1) % len(share)] -= part
        room = max(green, float(self.least.sum()) + 1.0)
        self.share = at_least(np.maximum(share, 1e-3), self.least / room)
        self.extra = None

    def turned(self, seen: Observation) -> None:
        """Smooth the profile, and step the offset to where it waits least."""
        self.profile = self.rule.memory * self.profile + (1 - self.rule.memory) * self.fresh
        self.fresh[:] = 0.0
        steps = (0.0, self.rule.offset_step, -self.rule.offset_step)
        best = min(steps, key=lambda d: (round(self.waiting(d), 6), abs(d)))
        self.offset = (self.offset + best) % self.group.cycle
        self.profile = np.roll(self.profile[: self._bins()], -round(best / BIN), axis=0)
        self.profile = np.vstack(
            [self.profile, np.zeros((len(self.fresh) - len(self.profile), len(self.limit)))]
        )

    def waiting(self, later: float) -> float:
        """Delay of the profiles in a cycle whose stages begin ``later`` s after now, veh·s."""
        bins = self._bins()
        green = self._greens(later, bins)  # (bins, approaches)
        arrivals, out = self.profile[:bins], BIN / self.headway
        queue, total = np.zeros(len(out)), 0.0
        for k in range(2 * bins):  # the first round fills the queues
            queue = np.maximum(queue + arrivals[k % bins] - green[k % bins] * out, 0.0)
            total += float(queue.sum()) * BIN if k >= bins else 0.0
        return total

    def _bins(self) -> int:
        return max(round(self.group.cycle / BIN), 1)

    def _greens(self, later: float, bins: int) -> Array:
        lengths = self.share * (self.group.cycle - sum(self.changes))
        out, start = np.zeros((bins, len(self.limit))), later
        for stage, length in enumerate(lengths):
            rows = (np.arange(round(start / BIN), round((start + length) / BIN))) % bins
            out[rows] = np.maximum(out[rows], self.lanes[stage])
            start += length + self.changes[stage]
        return out
