"""Clearance: the time between the end of one green and the start of another, and the part that pedestrians need."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.network import Intersection
from denxanh.sim.plan import Timing
from denxanh.sim.sumo.program import MIN_GREEN, WALKING

RANK = {"g": 1, "G": 2}
"""Rank of a letter by right of way; all other letters have 0."""

Array = NDArray[np.float64]


def shortest_gaps(intersection: Intersection) -> Array:
    """Shortest time in the program from the end of the row's green to a rise of the column's, s, shape (n, n).

    A rise is a start of green, or ``G`` after ``g``; inf where the program has none.
    """
    return _gaps(intersection.program, ())


def pedestrian_clearance(intersection: Intersection) -> Array:
    """Time from the end of a crossing's green to the start of any foe, s, shape (n,); only crossings have a meaning.

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
