"""What lies between the end of one green and the start of another, and what vehicles and people on foot need of it.

Between two greens of a program lies a clearance if nobody is served in the meantime: no link that is red at other
times turns green in a phase in between and ends again. Others may go on there, or start early. What lies between two
greens with a phase for somebody else in between is no clearance: then the signal's yellow and all-red are enough.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.network import Bools, Intersection
from denxanh.sim.plan import Timing
from denxanh.sim.sumo.program import MIN_GREEN, RANK, WALKING

Array = NDArray[np.float64]


def shortest_gaps(intersection: Intersection) -> Array:
    """Shortest time in the program from the end of the row's green to a rise of the column's, s, shape (n, n).

    A rise is a start of green, or ``G`` after ``g``; inf where the program has none.
    """
    return _gaps(intersection.program, ())


def kept_apart(intersection: Intersection) -> Array:
    """(n, n): the clearance from the end of the row's green to a rise of the column's, s; 0 where there is none.

    It is the program's shortest, or that of the network's own program where a plan stands in its place. Letters
    that drive people on foot need what ``pedestrian_clearance`` says.
    """
    own = np.where(_spans(intersection.program).any(axis=0), shortest_gaps(intersection), 0.0)
    return own if intersection.clearance is None else np.maximum(own, intersection.clearance)


def clearing_stages(intersection: Intersection) -> tuple[bool, ...]:
    """By stage of the program, whether it is part of the clearance between two foes."""
    between = _spans(intersection.program)[1:]
    return tuple(bool((stage & intersection.foes).any()) for stage in between)


def pedestrian_clearance(intersection: Intersection) -> Array:
    """(n,) s from the end of a crossing's green to the start of any foe; values of other links mean nothing.

    It is the time that the program gives, the same before every foe. Where the length of the crossing is known, it
    is limited to the walking time, and to what is left when the greens in between have their minimum.
    """
    given = _before_any_foe(intersection, shortest_gaps(intersection))
    if intersection.crossings:
        stages = intersection.phases[: len(intersection.program.stages)]
        least = _before_any_foe(
            intersection, _gaps(intersection.program, tuple(phase.min_green for phase in stages))
        )
        walk = np.full(intersection.n_links, np.inf)
        walk[list(intersection.crossings)] = [
            math.ceil(way.length / WALKING) for way in intersection.crossings.values()
        ]
        given = np.where(np.isfinite(walk), np.minimum(given, np.minimum(least, walk)), given)
    return given


def _before_any_foe(intersection: Intersection, gaps: Array) -> Array:
    """Shortest gap of each link before any of its foes, s, shape (n,); yellow and all-red where it has none."""
    shortest = np.where(intersection.foes, gaps, np.inf).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(shortest), shortest, intersection.yellow + intersection.all_red)


@lru_cache(maxsize=1024)
def _gaps(program: Timing, min_green: tuple[float, ...]) -> Array:
    """``shortest_gaps``; with ``min_green`` (s by stage) every green is as short as that."""
    steps = []
    for k, stage in enumerate(program.stages):
        least = min(stage.green, min_green[k], MIN_GREEN) if min_green else stage.green
        steps += [(stage.state, least), *((i.state, i.duration) for i in stage.change)]
    rank = np.array([[RANK.get(letter, 0) for letter in state] for state, _ in steps])
    size, n = rank.shape
    gaps = np.full((n, n), np.inf)
    for end in range(size):
        ending = (rank[end - 1] > 0) & (rank[end] == 0)
        if not ending.any():
            continue
        first, waited = np.full(n, np.inf), 0.0
        for k in range(end, end + size):
            rises = (rank[k % size] > rank[(k - 1) % size]) & np.isinf(first)
            first[rises] = waited
            waited += steps[k % size][1]
        gaps[ending] = np.minimum(gaps[ending], first)
    gaps.flags.writeable = False
    return gaps


@lru_cache(maxsize=1024)
def _spans(program: Timing) -> Bools:
    """(1 + stages, n, n): pairs of links with a clearance between them, then those of which it spans the stage."""
    rows = [  # state, and the number of the stage from 1 on, 0 for a change interval
        row
        for number, stage in enumerate(program.stages, start=1)
        for row in ((stage.state, number), *((interval.state, 0) for interval in stage.change))
    ]
    rank = np.array([[RANK.get(letter, 0) for letter in state] for state, _ in rows])
    size, n = rank.shape
    sometimes_red = (rank == 0).any(axis=0)
    spans = np.zeros((1 + len(program.stages), n, n), dtype=np.bool_)
    for end in range(size):
        ending = (rank[end - 1] > 0) & (rank[end] == 0)
        if not ending.any():
            continue
        new = np.ones(n, dtype=np.bool_)  # has not risen since
        started = served = np.zeros(n, dtype=np.bool_)
        passed = [0]
        for k in range(end, end + size):
            now, before = rank[k % size], rank[(k - 1) % size]
            if (served & (now < before)).any():
                break
            rises = now > before
            spans[passed] |= ending[:, None] & (rises & new)[None, :]
            new = new & ~rises
            started = (started | (rises & sometimes_red)) & (now > 0)
            if stage := rows[k % size][1]:
                served = served | started
                passed.append(stage)
    spans.flags.writeable = False
    return spans
