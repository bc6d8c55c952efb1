"""The stages that a signal may show: those of its existing program and generated sets of compatible greens.

A generated stage is a maximal set of compatible movements and crossings; or of lane groups (HCM); or of lane groups
without yielding: a single-lane road, where a waiting left turn blocks all others, often discharges more alone than
together with the opposite road. ``G`` is shown only to links without a foe in the stage. A link with a foe is part of a
stage only where the existing program shows the pair together; or, if protected turns may be dropped, where it is a turn
that must give way by the junction's right of way to a movement which the program runs together with another link of
the same road (the usual permitted left against oncoming traffic). Such a link shows ``g``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.sim.network import GREEN, TURN_AROUND, Bools, Intersection

MOST_GENERATED = 60
"""Limit of maximal sets. More result from signals over several junctions, whose parts multiply: such signals keep
their existing stages."""

WALK = 7.0  # s of green in which pedestrians start: MUTCD 2009, section 4E.06
_TURNS = frozenset("lLrR") | TURN_AROUND


@dataclass(frozen=True)
class StageSet:
    """The stages that a signal can show and the stages that each of its cycles must hold."""

    states: tuple[str, ...]  # those of the existing program first, in its order and without repeats
    own: tuple[int, ...]  # indices of the existing program's sequence
    min_green: tuple[float, ...]  # s by state
    max_green: tuple[float, ...]  # s by state, inf without a limit
    needs: Bools  # (rows, states): a cycle must hold at least one state of each row
    no_repeat: bool = False  # a cycle shows no state twice
    most: int | None = None  # stages of a cycle

    def complete(self, order: Sequence[int]) -> bool:
        """Whether a cycle of these stages serves every link, with at least two different stages, within the limits."""
        if (self.no_repeat and len(set(order)) < len(order)) or len(order) > (self.most or len(order)):
            return False
        return len(set(order)) >= 2 and bool(self.needs[:, list(order)].any(axis=1).all())


def stage_set(
    intersection: Intersection,
    *,
    generate: bool = True,
    drop_protected: bool = False,
    more: Callable[[str], str] | None = None,
) -> StageSet:
    """The stages of one signal.

    ``generate``: also stages that the existing program does not have. ``drop_protected``: a turn that the program
    protects in one stage may be left with permitted (yielding) green only. ``more``: a further state for each state.
    """
    program = [stage.state for stage in intersection.program.stages]
    states = list(dict.fromkeys(program))
    if generate:
        generated = generated_states(intersection)
        if drop_protected:
            generated += generated_states(intersection, drop_protected=True)
        states += [state for state in dict.fromkeys(generated) if state not in states]
    if more is not None:
        states += [state for state in dict.fromkeys(map(more, states)) if state not in states]
    limits = [green_limits(intersection, state) for state in states]
    return StageSet(
        states=tuple(states),
        own=tuple(states.index(state) for state in program),
        min_green=tuple(low for low, _ in limits),
        max_green=tuple(high for _, high in limits),
        needs=_needs(intersection, states, drop_protected=drop_protected),
    )


def generated_states(intersection: Intersection, *, drop_protected: bool = False) -> tuple[str, ...]:
    """Every maximal set of movements, of lane groups, and of lane groups without yielding.

    A kind that has more than MOST_GENERATED sets is left out.
    """
    letters = _Letters(intersection, drop_protected)
    movements = letters.beside_those_never_red(_groups(intersection))
    lane_groups = letters.beside_those_never_red(_groups(intersection, by_lane=True))
    found: set[str] = set()
    for groups, yielding in ((movements, True), (lane_groups, True), (lane_groups, False)):
        together = np.eye(len(groups), dtype=np.bool_)
        for a, first in enumerate(groups):
            for b, second in enumerate(groups[:a]):
                meet = all(letters.may_meet(i, j) for i in first for j in second)
                hinder = not yielding and intersection.foes[np.ix_(first, second)].any()
                together[a, b] = together[b, a] = meet and not hinder
        cliques = list(itertools.islice(maximal_cliques(together), MOST_GENERATED + 1))
        if len(cliques) <= MOST_GENERATED:
            found |= {letters.state(sorted(link for g in clique for link in groups[g])) for clique in cliques}
    return tuple(sorted(found, reverse=True))


def maximal_cliques(together: Bools) -> Iterator[tuple[int, ...]]:
    """Maximal cliques of a symmetric (n, n) relation: Bron and Kerbosch (1973) with pivoting."""
    near = [set(np.flatnonzero(row).tolist()) - {i} for i, row in enumerate(together)]

    def grow(clique: list[int], open_: set[int], closed: set[int]) -> Iterator[tuple[int, ...]]:
        if not open_ and not closed:
            yield tuple(clique)
            return
        pivot = max(sorted(open_ | closed), key=lambda v: len(near[v] & open_))
        for v in sorted(open_ - near[pivot]):
            yield from grow([*clique, v], open_ & near[v], closed & near[v])
            open_, closed = open_ - {v}, closed | {v}

    if len(near):
        yield from grow([], set(range(len(near))), set())


class _Letters:
    """Compatibility of links and the letters they show together."""

    def __init__(self, intersection: Intersection, drop_protected: bool) -> None:
        shown = [stage.state for stage in intersection.program.stages]
        green = np.array([[letter in GREEN for letter in state] for state in shown], dtype=np.bool_)
        self.intersection = intersection
        self.always = intersection.never_red()
        self.beside = [k for k, letter in self.always.items() if letter in GREEN]  # green in every state
        self.shown = shown
        together: Bools = np.zeros((intersection.n_links, intersection.n_links), dtype=np.bool_)
        for row in green:
            together |= row[:, None] & row[None, :]
        self.seen = together  # pairs that are green together in the program
        self.strangers = intersection.strangers()
        self.permitted: Bools = self._program_pairs()
        if drop_protected:
            self.permitted = np.logical_or(self.permitted, self._turns_that_give_way())

    def may_meet(self, a: int, b: int) -> bool:
        """Whether two links may be green together."""
        if self.intersection.foes[a, b]:
            # exactly one of the two must give way
            return bool(self.permitted[a, b] != self.permitted[b, a])
        return not self.strangers[a, b]

    def beside_those_never_red(self, groups: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """The groups whose links may be green together with the links that are never red."""
        return [group for group in groups if all(self.may_meet(k, m) for k in group for m in self.beside)]

    def state(self, links: Sequence[int]) -> str:
        """The state string with green on ``links``."""
        out = []
        for k in range(self.intersection.n_links):
            if k in links:
                yielding = any(self.permitted[k, m] for m in (*links, *self.beside))
                out.append("G" if self.intersection.protected(k) and not yielding else "g")
            else:
                out.append(self.always.get(k, self.intersection.unserved(k)))
        return "".join(out)

    def _program_pairs(self) -> Bools:
        """(n, n): the program shows ``g`` to the row while its foe, the column, has ``G``."""
        n = self.intersection.n_links
        out = np.zeros((n, n), dtype=np.bool_)
        for state in self.shown:
            yielding = np.array([letter == "g" for letter in state])
            going = np.array([letter == "G" for letter in state])
            out |= yielding[:, None] & going[None, :] & self.intersection.foes
        return out

    def _turns_that_give_way(self) -> Bools:
        """(n, n): the row is a turn that must yield to the column, which runs with the row's road in the program."""
        intersection = self.intersection
        direction = {link.index: link.direction for link in intersection.links}
        road: dict[int, str] = {link.index: link.start.rpartition("_")[0] for link in intersection.links}
        out = np.zeros((intersection.n_links, intersection.n_links), dtype=np.bool_)
        for k, m in zip(
            *np.nonzero(intersection.foes & intersection.yields & ~intersection.yields.T), strict=True
        ):
            if direction.get(int(k), "") in _TURNS:
                beside = [i for i in road if road[i] == road[int(k)] and i != k]
                out[k, m] = any(self.seen[i, m] for i in beside)
        return out


def _groups(intersection: Intersection, *, by_lane: bool = False) -> list[tuple[int, ...]]:
    """Groups of links that turn green together: one movement, or one crossing; without unused and never-red links.

    ``by_lane``: movements that start on the same lanes, or one on some of the other's, form one lane group: on red
    one would block the other. They stay separate where the program shows one without the other.
    """
    used = {k for s in intersection.program.stages for k, letter in enumerate(s.state) if letter in GREEN}
    used -= intersection.never_red().keys()  # green beside every stage
    shown = np.array([[letter in GREEN for letter in s.state] for s in intersection.program.stages])
    taken: set[int] = set()
    groups: list[tuple[set[int], set[str]]] = []  # links and their lanes
    for movement in intersection.movements:
        links = {k for k in movement.links if k in used and k not in taken}
        taken |= links
        lanes = {x.start for x in intersection.links if x.index in links}
        apart = []
        for other in groups if links else ():
            merged = sorted(links | other[0])
            sharing = lanes <= other[1] or other[1] <= lanes
            if by_lane and sharing and (shown[:, merged] == shown[:, merged[:1]]).all():
                links, lanes = links | other[0], lanes | other[1]
            else:
                apart.append(other)
        if links:
            groups = [*apart, (links, lanes)]
    rest = sorted({link.index for link in intersection.links} & used - taken)
    return sorted(tuple(sorted(links)) for links, _ in groups) + [(k,) for k in rest]


def green_limits(intersection: Intersection, state: str) -> tuple[float, float]:
    """Minimum and maximum green of a state, s: of its own phase, or the strictest of the phases it overlaps."""
    phases = [p for p in intersection.phases if p.state == state]
    sharing = phases or [
        p for p in intersection.phases if any(p.serves(k) and a in GREEN for k, a in enumerate(state))
    ]
    low = max((p.min_green for p in sharing), default=0.0)
    for link in {link.index for link in intersection.links if link.crossing and state[link.index] in GREEN}:
        low = max(low, min([WALK, *(s.green for s in intersection.program.stages if s.state[link] in GREEN)]))
    return low, min((p.max_green for p in phases), default=float("inf"))


def _needs(intersection: Intersection, states: Sequence[str], *, drop_protected: bool) -> Bools:
    """A row for each link that the program serves: the states that serve it sufficiently."""
    rows = []
    for link in {link.index for link in intersection.links}:  # a letter without a connection needs no green
        shown = {stage.state[link] for stage in intersection.program.stages} & GREEN
        if shown:
            enough = {"G"} if "G" in shown and not drop_protected else GREEN
            rows.append([state[link] in enough for state in states])
    return np.unique(np.array(rows, dtype=np.bool_), axis=0)
