"""Permits: the states that the base plan of a signal permits; waivers: the rules that the plan itself breaks.

A run may show what the existing plan of a place shows, and nothing beyond it. Each rule that the plan breaks is
reported as a ``Waiver``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.network import GREEN, Bools, Intersection
from denxanh.sim.signals.clearance import RANK, pedestrian_clearance, shortest_gaps

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

YELLOW = frozenset("yY")
REACTION = 1.0  # s, ITE (2020), Guidelines for Determining Traffic Signal Change and Clearance Intervals
BRAKING = 3.05  # m/s² (10 ft/s²), the same
LEAST_YELLOW, MOST_YELLOW = 3.0, 6.0  # s, MUTCD 2009, section 4D.26
_CLOSE = 1e-6  # s


@dataclass(frozen=True)
class Waiver:
    """One rule that the base plan of an intersection breaks itself, ``count`` times."""

    intersection: str
    rule: str
    what: str
    count: int

    def __str__(self) -> str:
        return f"signal {self.intersection}: {self.what}"


@dataclass(frozen=True)
class Permits:
    """The states that one signal may show. Arrays over its n links are (n,), over pairs (n, n)."""

    letters: Bools  # (n, 128) which ASCII letters the link may show
    together: Bools  # (3, 3, n, n): may a link of rank r show green beside one of rank s
    yellow: Array  # s that a link shows yellow at least
    green: Array  # s that a link shows green at least
    ends_at_once: Bools  # (n,) the plan ends this green without yellow
    from_yellow: Bools  # (n,) the plan turns this link green from yellow
    to_yellow: Bools  # (n,) the plan turns this link yellow from red
    clearance: Array  # (n, n) s from the end of the row's green to the start of the column's
    crossing: Bools  # (n,) pedestrian crossings


def ite_yellow(speed: float, grade: float = 0.0) -> float:
    """Yellow for an approach speed (m/s) and a grade (uphill positive), s.

    ITE: t + v / (2a + 2Gg), limited to 3 to 6 s (MUTCD 4D.26); not rounded to a multiple of the step.

    >>> round(ite_yellow(50 / 3.6), 2)
    3.28
    """
    kinematic = REACTION + speed / (2 * BRAKING + 2 * grade * 9.81)
    return min(max(kinematic, LEAST_YELLOW), MOST_YELLOW)


def permits_of(intersection: Intersection) -> Permits:
    """Read the permits from ``intersection.program`` and the conflicts of its links."""
    sequence = _Sequence(intersection)
    n = intersection.n_links
    letters = np.zeros((n, 128), dtype=np.bool_)
    letters[:, [ord("r"), ord("y")]] = True
    for state in sequence.states:
        letters[np.arange(n), [ord(letter) for letter in state]] = True
    letters[:, ord("g")] |= letters[:, ord("G")]
    for link in range(n):  # with all its foes red, which ``together`` sees to
        letters[link, ord("G")] |= intersection.protected(link)
    crossing = np.zeros(n, dtype=np.bool_)
    crossing[[link.index for link in intersection.links if link.crossing]] = True
    ends = sequence.ends_at_once()
    yellow = sequence.shortest(sequence.yellow)
    yellow = np.where(np.isfinite(yellow), yellow, np.where(ends, 0.0, intersection.yellow))
    return Permits(
        letters=letters,
        together=_together(intersection, sequence.rank),
        yellow=yellow,
        green=_least_green(intersection, sequence),
        ends_at_once=ends,
        from_yellow=np.any(sequence.yellow & _next(sequence.rank > 0), axis=0),
        to_yellow=np.any((sequence.rank == 0) & ~sequence.yellow & _next(sequence.yellow), axis=0),
        clearance=_clearance(intersection, yellow, crossing),
        crossing=crossing,
    )


def waivers(intersection: Intersection) -> tuple[Waiver, ...]:
    """Each rule that ``intersection.program`` breaks; a permissive turn (``g`` beside a foe's ``G``) is none."""
    sequence, permits = _Sequence(intersection), permits_of(intersection)
    a, b = np.nonzero(np.triu(intersection.foes))
    ends = {
        k: {link.end for link in intersection.links if link.index == k} for k in range(intersection.n_links)
    }
    out = []
    for rank, letter in ((2, "G"), (1, "g")):
        both = (sequence.rank[:, a] == rank) & (sequence.rank[:, b] == rank)
        clash = [(int(i), int(j)) for i, j in zip(a[both.any(axis=0)], b[both.any(axis=0)], strict=True)]
        merging = [pair for pair in clash if _merge(intersection, *pair, ends)]
        for pairs, how in ((merging, "merge"), ([p for p in clash if p not in merging], "cross")):
            if pairs:
                named = ", ".join(f"{i}–{j}" for i, j in pairs[:4]) + (" …" if len(pairs) > 4 else "")
                text = f"links {named} {how} and show {letter} together"
                out.append(Waiver(intersection.id, f"{letter}{letter}-{how}", text, len(pairs)))
    out += _yellow_waivers(intersection, permits)
    direct = permits.ends_at_once
    for name, which in (("vehicle", direct & ~permits.crossing), ("crossing", direct & permits.crossing)):
        if which.any():
            text = f"{which.sum()} {name} links turn red without yellow"
            out.append(Waiver(intersection.id, f"no-yellow-{name}", text, int(which.sum())))
    early = (
        intersection.foes
        & (permits.clearance < permits.yellow[:, None] - _CLOSE)
        & ~permits.crossing[:, None]
    )
    if early.any():
        text = f"{early.sum()} links turn green while a foe shows yellow"
        out.append(Waiver(intersection.id, "green-against-yellow", text, int(early.sum())))
    bare = sum(not any(_all_red(i.state) for i in stage.change) for stage in intersection.program.stages)
    if bare:
        text = f"{bare} of {len(intersection.program.stages)} changes have no all-red"
        out.append(Waiver(intersection.id, "no-all-red", text, bare))
    return tuple(out)


def _yellow_waivers(intersection: Intersection, permits: Permits) -> list[Waiver]:
    """Links whose yellow is shorter than ITE's for the speed limit of their approach."""
    speed = {k: approach.speed for approach in intersection.approaches for k in approach.links}
    short = {
        k: (float(permits.yellow[k]), ite_yellow(v))
        for k, v in sorted(speed.items())
        if permits.letters[k, ord("g")]
        and not permits.ends_at_once[k]
        and permits.yellow[k] < ite_yellow(v) - _CLOSE
    }
    if not short:
        return []
    shown, asked = min(short.values(), key=lambda pair: pair[0] - pair[1])
    text = f"{len(short)} links have a yellow shorter than ITE's (worst: {shown:g} s for {asked:.2f} s)"
    return [Waiver(intersection.id, "short-yellow", text, len(short))]


def _all_red(state: str) -> bool:
    return not set(state) & (GREEN | YELLOW | {"u"})


def _merge(intersection: Intersection, a: int, b: int, ends: dict[int, set[str]]) -> bool:
    """Whether two letters lead into the same road rather than across each other."""

    def edges(k: int) -> set[str]:
        return {lane.rsplit("_", 1)[0] for lane in ends[k]}

    return bool(edges(a) & edges(b))


class _Sequence:
    """A program written out: S states in their cyclic order, with arrays of shape (S, n)."""

    def __init__(self, intersection: Intersection) -> None:
        steps = [
            step
            for stage in intersection.program.stages
            for step in ((stage.state, stage.green), *((i.state, i.duration) for i in stage.change))
        ]
        self.states = [state for state, _ in steps]
        self.duration = np.array([seconds for _, seconds in steps])
        self.rank: Ints = np.array([[RANK.get(c, 0) for c in state] for state in self.states])
        self.yellow: Bools = np.array([[c in YELLOW for c in state] for state in self.states])

    def ends_at_once(self) -> Bools:
        """(n,) whether a green is followed by neither green nor yellow."""
        goes_on = _next(self.rank > 0) | _next(self.yellow)
        return np.asarray(((self.rank > 0) & ~goes_on).any(axis=0))

    def shortest(self, on: Bools) -> Array:
        """(n,) the shortest run of ``on`` (S, n), s; inf where there is none or no end."""
        out = np.full(on.shape[1], np.inf)
        for link in range(on.shape[1]):
            column = on[:, link]
            if column.all() or not column.any():
                continue
            first = int(np.flatnonzero(~column)[0])
            run = 0.0
            for k in (*range(first, len(column)), *range(first)):
                if column[k]:
                    run += self.duration[k]
                elif run:
                    out[link], run = min(out[link], run), 0.0
            if run:
                out[link] = min(out[link], run)
        return out


def _next(rows: Bools) -> Bools:
    """Each row's successor in the cycle."""
    return np.roll(rows, -1, axis=0)


def _together(intersection: Intersection, ranks: Ints) -> Bools:
    """(3, 3, n, n): foes may be green together as the plan shows them, or with less right of way."""
    out = np.zeros((3, 3, intersection.n_links, intersection.n_links), dtype=np.bool_)
    out[0], out[:, 0] = True, True
    for row in ranks:
        for r in (1, 2):
            for s in (1, 2):
                out[r, s] |= (row >= r)[:, None] & (row >= s)[None, :]
    return out | ~intersection.foes


def _least_green(intersection: Intersection, sequence: _Sequence) -> Array:
    least = sequence.shortest(sequence.rank > 0)
    for phase in intersection.phases:
        served = np.array([letter in GREEN for letter in phase.state])
        least = np.where(served, np.minimum(least, phase.min_green), least)
    return np.where(np.isfinite(least), least, 0.0)


def _clearance(intersection: Intersection, yellow: Array, crossing: Bools) -> Array:
    """From the end of one green to the start of a foe's: the plan's own shortest, s.

    Vehicles need at most the yellow and the all-red between any two phases. Pedestrians need the time that the plan
    gives them before any foe, since the crossing has the same length before all of them.
    """
    own = shortest_gaps(intersection)
    ordinary = np.where(yellow > 0, yellow, 0.0) + intersection.all_red
    vehicles = np.minimum(own, ordinary[:, None])
    return np.where(crossing[:, None], pedestrian_clearance(intersection)[:, None], vehicles)
