"""Coordinated-actuated control on NEMA dual rings: barriers, force-offs, yield points and permissive periods.

Names as in NTCIP 1202: minimum green, passage, maximum 1, yellow change, red clearance; pattern cycle, offset
and splits; force-offs fixed or floating. The logic is that of the Signal Timing Manual (FHWA-HOP-08-024),
chapters 5 (actuated) and 6 (coordination).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.controllers.actuated.dual_ring import Rings, rings_of, timing_of
from denxanh.controllers.actuated.ring_pattern import Pattern, clearance, patterns
from denxanh.controllers.greens import called_on_red, green_links
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.network import Bools, Intersection, Network
from denxanh.sim.plan import Plan
from denxanh.sim.sumo.program import least_green

CLOSE = 1e-6  # s


@dataclass(frozen=True)
class Nema:
    """NEMA dual rings, actuated, and coordinated if asked to; pattern from the demand in the routes.

    Sees vehicles and flow. Free is the default: on both grids and on cologne3 it has less delay than a common
    cycle (docs/comparisons.md).

    A junction whose roads are not two streets runs its own phases as a single ring without a barrier. Since a
    signal changes as a whole here, a ring that changes holds the other one for its yellow, red clearance
    and the minimum green of the new pair.
    """

    name: ClassVar[str] = "nema"
    sees: ClassVar[frozenset[str]] = frozenset({"vehicles", "flow"})
    serves_pedestrian_calls: ClassVar[bool] = True  # a call counts as one on the phases that serve it

    coordinate: bool = False  # a common cycle on arterials; False: every intersection free, with maximum 1
    force_off: str = "fixed"  # at a fixed point of the cycle, or "floating": after the split
    passage: float = 2.0  # s
    presence: float = 15.0  # m in front of the stop line where any vehicle calls and extends
    max_1: float = 40.0  # s, maximum green against a call on another phase, where not coordinated
    stuck: float = 8.0  # s: a vehicle that stands so long on green does not extend it, since it is blocked
    longest: float = 120.0  # s, the longest cycle

    def __post_init__(self) -> None:
        if self.force_off not in ("fixed", "floating"):
            raise ValueError(f"force_off is {self.force_off!r}, not fixed or floating")

    def make_plan(self, network: Network) -> Plan:
        """The pairs of phases as stages; their order and greens are what the plan shows if a policy fails."""
        return Plan(
            {
                name: timing_of(
                    intersection, rings, [least_green(state, intersection.phases) for state in rings.states]
                )
                for name, (intersection, rings) in self._rings(network).items()
                if not rings.single
            },
            "NEMA dual rings",
        )

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy with the rings' memory, per intersection; ``network`` has the pairs as phases."""
        rings = {name: rings for name, (_, rings) in self._rings(network).items()}
        pattern = patterns(network, rings, longest=self.longest) if self.coordinate else {}
        return {
            name: _Controller(self, intersection, rings[name], pattern.get(name))
            for name, intersection in network.intersections.items()
        }

    def _rings(self, network: Network) -> dict[str, tuple[Intersection, Rings]]:
        return {
            name: (intersection, rings_of(intersection, network))
            for name, intersection in network.intersections.items()
        }


class _Controller:
    """The rings of one intersection: the green phases with their starts, and the calls."""

    def __init__(self, rule: Nema, intersection: Intersection, rings: Rings, pattern: Pattern | None) -> None:
        self.rule = rule
        self.rings = rings
        self.pattern = pattern
        self.index = {pair: i for i, pair in enumerate(rings.pairs)}
        self.side_of = {p: i for i, side in enumerate(rings.sides) for ring in side for p in ring}
        self.clearance = clearance(intersection)
        self.minimum = max(phase.min_green for phase in intersection.phases)
        self.order = tuple(self.side_of)
        self.row = {p: i for i, p in enumerate(self.order)}
        self.serves: Bools = np.zeros((len(self.order), intersection.n_links), dtype=np.bool_)
        for p, links in rings.links.items():
            self.serves[self.row[p], list(links)] = True
        self.greens: Bools = green_links(intersection)  # (pairs, n_links)
        self.since: dict[int, float] = {}  # s of the clock at which each green phase became green
        self.ends: dict[int, float] = {}  # s of the clock: its force-off, or its yield point if coordinated

    def __call__(self, seen: Observation) -> Green:
        pair = self.rings.pairs[seen.phase]
        self._note(pair, seen)
        if seen.minimum_left > 0:
            return Green(seen.phase, seen.minimum_left)
        calls, extends = self._detect(pair, seen)
        following = self._following(pair, calls, extends, seen.time)
        return Green(self.index[following], seen.step)

    def _note(self, pair: tuple[int, int], seen: Observation) -> None:
        green = [p for p in pair if p]
        self.since = {p: self.since.get(p, seen.time - seen.elapsed) for p in green}
        if self.pattern is not None:
            floating = self.rule.force_off == "floating"
            for p in green:
                if p not in self.ends:
                    coordinated = p in self.pattern.coordinated
                    self.ends[p] = self.since[p] + (
                        self.pattern.split[p] - self.clearance
                        if floating and not coordinated
                        else self.pattern.until(p, self.since[p])
                    )
            self.ends = {p: self.ends[p] for p in green}

    def _detect(self, pair: tuple[int, int], seen: Observation) -> tuple[set[int], set[int]]:
        """Phases on red that are called, and green ones that are extended."""
        known = seen.vehicles.link >= 0
        link, distance = seen.vehicles.link[known], seen.vehicles.distance[known]
        zone = np.maximum(self.rule.presence, self.rule.passage * seen.vehicles.speed[known])
        stuck = (seen.vehicles.wait[known] >= self.rule.stuck) & (seen.elapsed >= self.rule.stuck)
        wants = self.serves[:, link]  # (phases, vehicles)
        green = np.any(wants[[self.row[p] for p in pair if p]], axis=0)  # (vehicles,)
        called: Bools = np.any(wants & ~green, axis=1)
        held: Bools = np.any(wants & (distance <= zone) & ~stuck, axis=1)
        calls = {p for p in self.order if p not in pair and called[self.row[p]]}
        for crossing in called_on_red(seen, self.greens):
            beside = (p for p, i in self.index.items() if self.greens[i, crossing])
            calls |= {phase for phases in beside for phase in phases if phase and phase not in pair}
        if self.pattern is not None:
            calls |= self.pattern.coordinated - set(pair)  # recall
        return calls, {p for p in pair if p and held[self.row[p]]}

    def _following(
        self, pair: tuple[int, int], calls: set[int], extends: set[int], now: float
    ) -> tuple[int, int]:
        """The next pair: each ring goes on by itself on its side, and both cross the barrier together."""
        ready = [p == 0 or self._may_end(p, calls, extends, now) for p in pair]
        wanted = {p for p in calls if self._permitted(p, now)}
        side = self.side_of[next(p for p in pair if p)]
        moved = tuple(
            self._next_on_side(ring, p, wanted) if done and p else p
            for ring, p, done in zip(self.rings.sides[side], pair, ready, strict=True)
        )
        if moved != pair:
            return moved[0], moved[1]
        if not all(ready):
            return pair
        count = len(self.rings.sides)
        for k in range(1, count + 1):
            rings = self.rings.sides[(side + k) % count]
            first = [next((p for p in ring if p in wanted), 0) for ring in rings]
            if any(first):  # the ring without a call shows its through phase (dual entry), or stays
                stay = [p if p in ring else 0 for p, ring in zip(pair, rings, strict=True)]
                through = [ring[-1] if ring else 0 for ring in rings]
                both = [a or b or c for a, b, c in zip(first, stay, through, strict=True)]
                return both[0], both[1]
        return pair

    def _next_on_side(self, ring: tuple[int, ...], phase: int, wanted: set[int]) -> int:
        later = ring[ring.index(phase) + 1 :]
        return next((p for p in later if p in wanted), phase)

    def _may_end(self, phase: int, calls: set[int], extends: set[int], now: float) -> bool:
        green = now - self.since[phase]
        if green < self.minimum - CLOSE or not calls:
            return False
        if self.pattern is None:
            return phase not in extends or green >= self.rule.max_1 - CLOSE
        if phase in self.pattern.coordinated:
            return now >= self.ends[phase] - CLOSE
        return phase not in extends or now >= self.ends[phase] - CLOSE

    def _permitted(self, phase: int, now: float) -> bool:
        needs = self.clearance + self.minimum
        return self.pattern is None or self.pattern.permits(phase, now, needs)
