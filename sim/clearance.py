"""What lies between the end of one green and the start of another, and what people on foot need of it."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from sim.network import Intersection
from sim.plan import Timing
from sim.program import MIN_GREEN, WALKING

RANK = {"g": 1, "G": 2}
"""How much right of way a letter gives; all others give none."""

Array = NDArray[np.float64]


def shortest_gaps(where: Intersection) -> Array:
    """(n, n): the shortest time in the program from the end of the row's green to a rise of the column's, s.

    A rise is a start of green, or ``G`` after ``g``. inf where the program never gets there.
    """
    return _gaps(where.program, ())


def walkers_need(where: Intersection) -> Array:
    """(n,) s from the end of a crossing's green to the start of any foe; values of other links mean nothing.

    It is the same before every foe, since the way across is: what the program gives them. Where the way is known,
    no more than the walk takes, nor than what is left when greens in between are as short as they may become.
    """
    given = _before_any_foe(where, shortest_gaps(where))
    if where.walks:
        stages = where.phases[: len(where.program.stages)]
        least = _before_any_foe(where, _gaps(where.program, tuple(phase.min_green for phase in stages)))
        walk = np.full(where.n_links, np.inf)
        walk[list(where.walks)] = [math.ceil(way.length / WALKING) for way in where.walks.values()]
        given = np.where(np.isfinite(walk), np.minimum(given, np.minimum(least, walk)), given)
    return given


def _before_any_foe(where: Intersection, gaps: Array) -> Array:
    """(n,) the shortest of a link's gaps before any foe of it, s; yellow and all-red where there is none."""
    shortest = np.where(where.foes, gaps, np.inf).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(shortest), shortest, where.yellow + where.all_red)


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
