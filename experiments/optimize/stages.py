"""The stages that a signal may show: its program's own, and every other set of greens that may run together.

A generated stage is a maximal set of movements and crossings that may run together; or of lane groups (HCM); or of lane
groups of which nobody yields: a road of one lane, where a waiting left turn holds up all others, often moves more alone
than beside the opposite one. ``G`` goes only to links without a foe in the stage. A link with a foe is in it only
where the program itself shows the pair together; or, if protected turns may be dropped, where it is a turn that must
give way by the junction's right of way, to a movement that the program runs together with another link of the same road
(the usual permitted left against oncoming traffic). Such a link shows ``g``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.network import GREEN, Bools, Intersection

MOST_GENERATED = 60
"""More maximal sets than this come from signals over several junctions, whose parts multiply: then the own
stages, which were made by somebody who saw the place, are all there is."""

WALK = 7.0  # s of green in which people on foot start: MUTCD 2009, section 4E.06
_TURNS = frozenset("lLrRt")


@dataclass(frozen=True)
class StageSet:
    """What a signal can show, and what a cycle of it must hold."""

    states: tuple[str, ...]  # the program's own first, in its order and without repeats
    own: tuple[int, ...]  # the program's sequence
    min_green: tuple[float, ...]  # s by state
    max_green: tuple[float, ...]  # s by state, inf where nothing limits it
    needs: Bools  # (rows, states): a cycle must hold at least one state of each row

    def complete(self, order: Sequence[int]) -> bool:
        """Whether a cycle of these stages serves every link, with at least two different stages."""
        return len(set(order)) >= 2 and bool(self.needs[:, list(order)].any(axis=1).all())


def stage_set(where: Intersection, *, generate: bool = True, drop_protected: bool = False) -> StageSet:
    """The stages of one signal.

    ``generate``: also stages that the program does not have. ``drop_protected``: a turn that the program
    protects in one stage may be left with permitted (yielding) green only.
    """
    program = [stage.state for stage in where.program.stages]
    states = list(dict.fromkeys(program))
    if generate:
        made = generated_states(where)
        if drop_protected:
            made += generated_states(where, drop_protected=True)
        states += [state for state in dict.fromkeys(made) if state not in states]
    limits = [_limits(where, state) for state in states]
    return StageSet(
        states=tuple(states),
        own=tuple(states.index(state) for state in program),
        min_green=tuple(low for low, _ in limits),
        max_green=tuple(high for _, high in limits),
        needs=_needs(where, states, drop_protected=drop_protected),
    )


def generated_states(where: Intersection, *, drop_protected: bool = False) -> tuple[str, ...]:
    """Every maximal set of movements, of lane groups, and of lane groups without yielding.

    A kind that has more than MOST_GENERATED sets is left out.
    """
    letters = _Letters(where, drop_protected)
    lane_groups = _groups(where, by_lane=True)
    found: set[str] = set()
    for groups, yielding in ((_groups(where), True), (lane_groups, True), (lane_groups, False)):
        together = np.eye(len(groups), dtype=np.bool_)
        for a, first in enumerate(groups):
            for b, second in enumerate(groups[:a]):
                meet = all(letters.may_meet(i, j) for i in first for j in second)
                hinder = not yielding and where.foes[np.ix_(first, second)].any()
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
    """Which links may be green together, and with which letters."""

    def __init__(self, where: Intersection, drop_protected: bool) -> None:
        shown = [stage.state for stage in where.program.stages]
        green = np.array([[letter in GREEN for letter in state] for state in shown], dtype=np.bool_)
        self.where = where
        self.shown = shown
        together: Bools = np.zeros((where.n_links, where.n_links), dtype=np.bool_)
        for row in green:
            together |= row[:, None] & row[None, :]
        self.seen = together  # by the program
        self.junction = {link.index: _junction(link.via or link.start) for link in where.links}
        self.permitted: Bools = self._program_pairs()
        if drop_protected:
            self.permitted = np.logical_or(self.permitted, self._turns_that_give_way())

    def may_meet(self, a: int, b: int) -> bool:
        """Whether two links may be green together."""
        if self.where.foes[a, b]:
            # exactly one gives way: were both to, neither would know who goes
            return bool(self.permitted[a, b] != self.permitted[b, a])
        if self.junction[a] != self.junction[b]:  # the net says nothing of such pairs: ask the program
            return bool(self.seen[a, b])
        return True

    def state(self, links: Sequence[int]) -> str:
        """The state with green on ``links``."""
        out = []
        for k in range(self.where.n_links):
            shown = {state[k] for state in self.shown}
            if k in links:
                yielding = any(self.permitted[k, m] for m in links)
                out.append("G" if self.where.protected(k) and not yielding else "g")
            else:
                out.append("s" if shown - GREEN == {"s"} else "r")
        return "".join(out)

    def _program_pairs(self) -> Bools:
        """(n, n): the program shows row with ``g`` while its foe, column, has ``G``."""
        n = self.where.n_links
        out = np.zeros((n, n), dtype=np.bool_)
        for state in self.shown:
            yielding = np.array([letter == "g" for letter in state])
            going = np.array([letter == "G" for letter in state])
            out |= yielding[:, None] & going[None, :] & self.where.foes
        return out

    def _turns_that_give_way(self) -> Bools:
        """(n, n): row is a turn that must yield to column, which runs with row's road in the program."""
        where = self.where
        direction = {link.index: link.direction for link in where.links}
        road: dict[int, str] = {link.index: link.start.rpartition("_")[0] for link in where.links}
        out = np.zeros((where.n_links, where.n_links), dtype=np.bool_)
        for k, m in zip(*np.nonzero(where.foes & where.yields & ~where.yields.T), strict=True):
            if direction.get(int(k), "") in _TURNS:
                beside = [i for i in road if road[i] == road[int(k)] and i != k]
                out[k, m] = any(self.seen[i, m] for i in beside)
        return out


def _groups(where: Intersection, *, by_lane: bool = False) -> list[tuple[int, ...]]:
    """Links that turn green together: those of one movement, each crossing alone; unused links left out.

    ``by_lane``: movements that leave on the same lanes, or the one on some of the other's, are one lane group: on red
    the one would stand in the other's way. They stay two where the program itself shows one without the other.
    """
    used = {k for s in where.program.stages for k, letter in enumerate(s.state) if letter in GREEN}
    shown = np.array([[letter in GREEN for letter in s.state] for s in where.program.stages])
    taken: set[int] = set()
    groups: list[tuple[set[int], set[str]]] = []  # links, and lanes they leave
    for movement in where.movements:
        links = {k for k in movement.links if k in used and k not in taken}
        taken |= links
        lanes = {x.start for x in where.links if x.index in links}
        apart = []
        for other in groups if links else ():
            both = sorted(links | other[0])
            sharing = lanes <= other[1] or other[1] <= lanes
            if by_lane and sharing and (shown[:, both] == shown[:, both[:1]]).all():
                links, lanes = links | other[0], lanes | other[1]
            else:
                apart.append(other)
        if links:
            groups = [*apart, (links, lanes)]
    rest = sorted({link.index for link in where.links} & used - taken)
    return sorted(tuple(sorted(links)) for links, _ in groups) + [(k,) for k in rest]


def _junction(lane: str) -> str:
    """The junction that an internal lane ``:J_3_0`` or ``:J_c1_0`` belongs to."""
    return lane.lstrip(":").rsplit("_", 2)[0]


def _limits(where: Intersection, state: str) -> tuple[float, float]:
    """Minimum and maximum green of a state, s: its phase's own, or the strictest of those that it shares."""
    phases = [p for p in where.phases if p.state == state]
    sharing = phases or [
        p for p in where.phases if any(p.serves(k) and a in GREEN for k, a in enumerate(state))
    ]
    low = max((p.min_green for p in sharing), default=0.0)
    for link in {link.index for link in where.links if link.crossing and state[link.index] in GREEN}:
        low = max(low, min([WALK, *(s.green for s in where.program.stages if s.state[link] in GREEN)]))
    return low, min((p.max_green for p in phases), default=float("inf"))


def _needs(where: Intersection, states: Sequence[str], *, drop_protected: bool) -> Bools:
    """One row for each link that the program serves: the states that serve it well enough."""
    rows = []
    for link in {link.index for link in where.links}:  # a letter that drives nothing needs no green
        shown = {stage.state[link] for stage in where.program.stages} & GREEN
        if shown:
            enough = {"G"} if "G" in shown and not drop_protected else GREEN
            rows.append([state[link] in enough for state in states])
    return np.unique(np.array(rows, dtype=np.bool_), axis=0)
