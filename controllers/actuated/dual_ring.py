"""Dual rings: the eight phases of NEMA found in the geometry of a junction, and the stages that their pairs make.

Phases 2 and 6 are the two directions of the main street, 4 and 8 those of the side street; the left turn that
opposes an even phase has the number before it: 1 turns against 2, 5 against 6, 3 against 4, 7 against 8
(FHWA-HOP-08-024, chapter 4; NTCIP 1202). Ring 1 is 1 2 | 3 4, ring 2 is 5 6 | 7 8; phases of different rings
on the same side of the barrier may be green together. Where traffic drives on the left all of this is mirrored: left
and right change places.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from denxanh.sim.errors import InputError
from denxanh.sim.network import GREEN, Intersection, Link, Network
from denxanh.sim.plan import Plan, Stage, Timing
from denxanh.sim.signals.change import change_between
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan
from denxanh.sim.sumo.program import MIN_GREEN

SIDES = (((1, 2), (5, 6)), ((3, 4), (7, 8)))
"""Phase numbers by side of the barrier, then by ring."""

OPPOSITE = math.radians(45.0)  # largest deviation of two directions of one street
Pair = tuple[int, int]  # a phase of ring 1 and one of ring 2; 0: the ring shows nothing


@dataclass(frozen=True)
class Rings:
    """The phases of one intersection. ``pairs`` are the stages that the rings can show, in the plan's order.

    ``single`` is the reason why a junction has no dual rings: then its own phases are one ring, 1 … n, and each pair
    is (number, 0), without a barrier.
    """

    sides: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]  # phases by side and ring, in their order
    links: dict[int, tuple[int, ...]]  # link indices with right of way, by phase
    pairs: tuple[Pair, ...]
    states: tuple[str, ...]  # of the pairs
    letters: dict[
        int, str
    ]  # of each phase alone: yielding wherever a phase that may be green beside it has way
    single: str = ""


def rings_of(intersection: Intersection, network: Network) -> Rings:
    """The dual rings of an intersection, or its own phases as a single ring."""
    try:
        rings = _Builder(intersection, network).build()
        plan = Plan({intersection.id: timing_of(intersection, rings, [MIN_GREEN] * len(rings.pairs))})
        only = replace(network, intersections={intersection.id: intersection}, left_to_sumo={})
        checked_plan(only, with_plan(only, plan))
    except _NoRings as reason:
        return _single(intersection, str(reason))
    except InputError as error:
        return _single(intersection, f"its pairs of phases are not as safe as its program: {error}")
    return rings


def timing_of(intersection: Intersection, rings: Rings, greens: list[float]) -> Timing:
    """A timing that shows the pairs in their order, each for its green (s); pairs without green are left out."""
    shown = [(state, green) for state, green in zip(rings.states, greens, strict=True) if green > 0]
    return Timing(
        tuple(
            Stage(state, green, change_between(intersection, state, after))
            for (state, green), (after, _) in zip(shown, shown[1:] + shown[:1], strict=True)
        )
    )


class _NoRings(Exception):
    """The junction has no dual-ring structure; the text says why."""


def _single(intersection: Intersection, why: str) -> Rings:
    numbers = tuple(range(1, len(intersection.phases) + 1))
    return Rings(
        sides=((numbers, ()),),
        links={
            n: tuple(k for k in range(intersection.n_links) if phase.serves(k))
            for n, phase in zip(numbers, intersection.phases, strict=True)
        },
        pairs=tuple((n, 0) for n in numbers),
        states=tuple(phase.state for phase in intersection.phases),
        letters={n: phase.state for n, phase in zip(numbers, intersection.phases, strict=True)},
        single=why,
    )


class _Builder:
    """Roads, then phases, then pairs of one intersection."""

    def __init__(self, intersection: Intersection, network: Network) -> None:
        self.intersection = intersection
        self.network = network
        self.greens = [{k for k in range(intersection.n_links) if p.serves(k)} for p in intersection.phases]
        self.roads: dict[str, list[Link]] = {}
        for link in intersection.links:
            if not link.crossing:
                self.roads.setdefault(network.lanes[link.start].edge, []).append(link)
        self.links: dict[int, set[int]] = {}
        # lefts that may also go, yielding, with their through phase
        self.permissive: dict[int, set[int]] = {}

    def build(self) -> Rings:
        for number, (first, second) in enumerate(self._streets()):
            even = (2, 6) if number == 0 else (4, 8)
            self._phases(first, second, even[0], even[1])
            self._phases(second, first, even[1], even[0])
        self._crossings()
        sides = tuple(tuple(tuple(p for p in ring if p in self.links) for ring in side) for side in SIDES)
        if not all(any(side) for side in sides):
            raise _NoRings("it has only one street")
        pairs = tuple((a, b) for first, second in sides for a in first or (0,) for b in second or (0,))
        shown = set().union(*self.greens)
        states = tuple(self._state(pair) for pair in pairs)
        served = {k for state in states for k, letter in enumerate(state) if letter in GREEN}
        if missing := sorted(shown - served):
            raise _NoRings(f"link {missing[0]} belongs to none of the eight phases")
        return Rings(
            sides=tuple((first, second) for first, second in sides),
            links={p: tuple(sorted(links)) for p, links in self.links.items()},
            pairs=pairs,
            states=states,
            letters={p: self._letters(p, pairs) for p in self.links},
        )

    def _streets(self) -> list[tuple[str, str]]:
        """The main street and the side street as pairs of roads that face each other; "" where one is missing."""
        roads = sorted(self.roads)
        if not 2 <= len(roads) <= 4:
            raise _NoRings(f"{len(roads)} roads lead to it")
        facing = sorted(
            (miss, a, b)
            for i, a in enumerate(roads)
            for b in roads[i + 1 :]
            if (miss := abs(self._turned(a, b) - math.pi)) <= OPPOSITE
        )
        pairs: list[tuple[str, str]] = []
        for _, a, b in facing:
            if not any({a, b} & set(pair) for pair in pairs):
                pairs.append((a, b))
        alone = [(road, "") for road in roads if not any(road in pair for pair in pairs)]
        streets = pairs + alone
        if len(streets) != 2:
            raise _NoRings(f"its {len(roads)} roads are not two streets")
        return sorted(streets, key=lambda street: [-w for w in self._weight(street)])

    def _weight(self, street: tuple[str, str]) -> tuple[float, ...]:
        edges = [self.network.edges[road] for road in street if road]
        return (max(e.priority for e in edges), sum(len(e.lanes) for e in edges), max(e.speed for e in edges))

    def _turned(self, a: str, b: str) -> float:
        """The angle between the directions in which two roads arrive, rad in 0…π."""
        turned = abs(self._heading(a) - self._heading(b)) % (2 * math.pi)
        return min(turned, 2 * math.pi - turned)

    def _heading(self, road: str) -> float:
        (x0, y0), (x1, y1) = self.network.edges[road].shape[-2:]
        return math.atan2(y1 - y0, x1 - x0)

    def _phases(self, road: str, opposite: str, even: int, other: int) -> None:
        """The through phase ``even`` of a road and the left turn that opposes the phase ``other``."""
        if not road:
            return
        lefts = {link.index for link in self.roads[road] if link.direction in self.network.opposed_turns}
        rest = {link.index for link in self.roads[road]} - lefts
        if not opposite or not lefts:
            self.links[even] = rest | lefts
            return
        facing = {
            link.index for link in self.roads[opposite] if link.direction not in self.network.opposed_turns
        }
        foes = {k for k in facing if any(self.intersection.foes[k, left] for left in lefts)}
        protected = any(lefts <= green and not green & foes for green in self.greens)
        together = any(lefts <= green and green & foes for green in self.greens)
        shared = {x.start for x in self.roads[road] if x.index in lefts} & {
            x.start for x in self.roads[road] if x.index in rest
        }
        if (
            protected and rest and (together or not shared)
        ):  # a red left turn must not stand before the others
            self.links[other - 1], self.links[even] = lefts, rest
            if together:
                self.permissive[even] = lefts
        elif together or not foes:
            self.links[even] = rest | lefts
        else:
            raise _NoRings(f"the opposed turns of {road!r} share lanes and never go with those they oppose")

    def _crossings(self) -> None:
        """Crossings go with the through phase whose side of the barrier has no foe with right of way."""
        for crossing in sorted({link.index for link in self.intersection.links if link.crossing}):
            fits = [
                even
                for even in (2, 6, 4, 8)
                if even in self.links
                and any(crossing in green and self.links[even] & green for green in self.greens)
                and not any(
                    self.intersection.foes[crossing, k] and not self.intersection.yields[k, crossing]
                    for phase in self._beside(even)
                    for k in self.links[phase]
                )
            ]
            if not fits:
                raise _NoRings(f"the crossing of link {crossing} goes with none of the eight phases")
            self.links[fits[0]].add(crossing)

    def _beside(self, phase: int) -> list[int]:
        """The phase and those of the other ring that may be green with it."""
        side = next(side for side in SIDES if any(phase in ring for ring in side))
        return [phase, *(p for ring in side if phase not in ring for p in ring if p in self.links)]

    def _letters(self, phase: int, pairs: tuple[Pair, ...]) -> str:
        """The letters of a phase alone. It may come beside any phase of the other ring, and has way there or yields.

        An overlap is among them only where it is one in all its pairs and meets no link of theirs.
        """
        beside = set().union(*(self.links[p] for p in self._beside(phase)))
        free = {
            k for k in range(self.intersection.n_links) if not self.intersection.foes[k, sorted(beside)].any()
        }
        for pair in pairs:
            if phase in pair:
                free &= self._overlaps(self._own(pair))
        return self._shown(self._own((phase, 0)) | free, beside)

    def _state(self, pair: Pair) -> str:
        """The letters of a pair."""
        own = self._own(pair)
        return self._shown(own | self._overlaps(own), set())

    def _own(self, pair: Pair) -> set[int]:
        """The links of a pair without overlaps."""
        own = set().union(*(self.links.get(p, set()) for p in pair))
        own |= set().union(*(self.permissive.get(p, set()) for p in pair))
        return own | set.intersection(*self.greens)  # what is never red, such as a free right turn

    def _shown(self, own: set[int], beside: set[int]) -> str:
        """Green for ``own``: ``g`` where a link yields to one of them or ``beside``, else ``G``."""
        letters = []
        for k in range(self.intersection.n_links):
            if k not in own:
                letters.append(self.intersection.unserved(k))
                continue
            major = any(phase.state[k] == "G" for phase in self.intersection.phases)
            yields = any(self.intersection.yields[k, m] for m in own | beside if m != k)
            letters.append("G" if major and not yields else "g")
        return "".join(letters)

    def _overlaps(self, own: set[int]) -> set[int]:
        """Right turns that the program shows in every phase with these greens, though their road has red."""
        near = self.network.near_turns
        rights = {link.index for links in self.roads.values() for link in links if link.direction in near}
        like = [green for green in self.greens if own - rights <= green]
        return (set.intersection(*like) & rights) if like else set()
