"""What the base plan of a signal permits.

The plan of a real place is not ours to judge at run time: what it shows itself is permitted, and nothing
beyond it. Where that falls short of a rule, ``denxanh.sim.signals.waivers`` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.frozen import Frozen
from denxanh.sim.network import GREEN, Bools, Intersection
from denxanh.sim.signals.clearance import kept_apart, pedestrian_clearance, shortest_gaps
from denxanh.sim.sumo.program import RANK

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

YELLOW = frozenset("yY")
REACTION = 1.0  # s, ITE (2020), Guidelines for Determining Traffic Signal Change and Clearance Intervals
BRAKING = 3.05  # m/s² (10 ft/s²), the same
LEAST_YELLOW, MOST_YELLOW = 3.0, 6.0  # s, MUTCD 2009, section 4D.26


@dataclass(frozen=True)
class Permits(Frozen):
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
    sequence = WrittenOut(intersection.program.steps())
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
        to_yellow=sequence.yellow.all(axis=0)
        | np.any((sequence.rank == 0) & ~sequence.yellow & _next(sequence.yellow), axis=0),
        clearance=_clearance(intersection, yellow, crossing),
        crossing=crossing,
    )


def own_clearance(intersection: Intersection) -> Array:
    """(n, n) s: ``Intersection.clearance`` of a plan that takes the place of the program of the intersection."""
    permits = permits_of(intersection)
    return np.where(intersection.foes & ~permits.crossing[:, None], permits.clearance, 0.0)


class WrittenOut:
    """A program written out: S states in their cyclic order, with arrays of shape (S, n)."""

    def __init__(self, steps: Sequence[tuple[str, float]]) -> None:
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
    """(3, 3, n, n): foes may be green together as the plan shows them, or with less right of way.

    So may links of different junctions, of which the net does not say whether they are foes.
    """
    out = np.zeros((3, 3, intersection.n_links, intersection.n_links), dtype=np.bool_)
    out[0], out[:, 0] = True, True
    for row in ranks:
        for r in (1, 2):
            for s in (1, 2):
                out[r, s] |= (row >= r)[:, None] & (row >= s)[None, :]
    return out | ~(intersection.foes | intersection.strangers())


def _least_green(intersection: Intersection, sequence: WrittenOut) -> Array:
    least = sequence.shortest(sequence.rank > 0)
    for phase in intersection.phases:
        served = np.array([letter in GREEN for letter in phase.state])
        least = np.where(served, np.minimum(least, phase.min_green), least)
    return np.where(np.isfinite(least), least, 0.0)


def _clearance(intersection: Intersection, yellow: Array, crossing: Bools) -> Array:
    """From the end of one green to the start of a foe's: the plan's own shortest, s.

    Vehicles need no more than the yellow and the all-red that lead between any two phases, unless the plan itself keeps
    the pair apart for longer. People on foot need what the plan gives them before any foe at all, since the way across
    is the same.
    """
    own = shortest_gaps(intersection)
    ordinary = np.where(yellow > 0, yellow, 0.0) + intersection.all_red
    vehicles = np.maximum(np.minimum(own, ordinary[:, None]), kept_apart(intersection))
    return np.where(crossing[:, None], pedestrian_clearance(intersection)[:, None], vehicles)
