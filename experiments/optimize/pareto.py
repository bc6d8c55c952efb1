"""Two objectives at once: the front of plans of which none is better in both.

The front is traced by a row of searches, each for another weighting of the larger relative loss (weighted
Chebyshev, which also reaches concave parts of a front), each starting from what the others have found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.climb import Neighbours
from experiments.optimize.search import Search
from experiments.optimize.space import Candidate

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

WEIGHTINGS = 9  # points aimed at along the front, its two ends included
_SUM = 0.05  # share of the plain sum: of plans equal in the larger loss, the one better in the other wins


@dataclass(frozen=True)
class Front:
    """Nondominated candidates in ascending first objective; ``costs`` has shape (n, 2)."""

    candidates: tuple[Candidate, ...]
    costs: Array


def pareto_front(
    evaluate: Callable[[Sequence[Candidate]], Array],
    neighbours: Neighbours,
    starts: Sequence[Candidate],
    rng: np.random.Generator,
    *,
    evaluations: int | None = None,
    seconds: float = 15.0,
    most: int = 40,
) -> Front:
    """The front of two objectives; ``evaluate`` gives costs (B, 2), lower is better.

    ``seconds`` of CPU are spent, or ``evaluations`` made, which repeats to the last byte. ``most`` bounds the points
    returned: the least crowded ones.
    """
    known: dict[Candidate, Array] = {}

    def told(batch: Sequence[Candidate]) -> Array:
        costs = np.asarray(evaluate(batch), dtype=np.float64)
        known.update(zip(batch, costs, strict=True))
        return costs

    told(list(dict.fromkeys(starts)))
    # the ends first: they say how long the front is in each objective
    order = sorted(np.linspace(0, 1, WEIGHTINGS), key=lambda w: (abs(w - 0.5) < 0.5 - 1e-9, w))
    for weight in order:
        costs = np.array(list(known.values()))
        low, wide = costs.min(axis=0), np.maximum(np.ptp(costs[best(costs)], axis=0), 1e-9)
        scale = np.array([weight, 1 - weight]) / wide
        begin = [list(known)[k] for k in np.argsort(_loss(costs, low, scale), kind="stable")[:3]]
        search = Search(neighbours, begin, rng)
        until = time.process_time() + seconds / WEIGHTINGS
        while search.evaluations < evaluations // WEIGHTINGS if evaluations else time.process_time() < until:
            batch = search.ask()
            if not batch:
                break
            search.tell(_loss(told(batch), low, scale))
    candidates, costs = list(known), np.array(list(known.values()))
    front = thinned(costs, best(costs), most)
    return Front(tuple(candidates[k] for k in front), costs[front])


def thinned(costs: Array, front: Ints, most: int) -> Ints:
    """At most ``most`` of the points of a front, the most crowded ones left out one by one."""
    while len(front) > most:
        front = np.delete(front, int(np.argmin(crowding(costs[front]))))
    return front


def best(costs: Array) -> Ints:
    """Indices of the first front in ascending first objective, of equal points only one."""
    order = np.lexsort((costs[:, 1], costs[:, 0]))
    second = costs[order, 1]
    lower = np.concatenate([[True], second[1:] < np.minimum.accumulate(second)[:-1]])
    return np.asarray(order[lower], dtype=np.int64)


def _loss(costs: Array, low: Array, scale: Array) -> Array:
    relative = (costs - low) * scale
    return np.asarray(relative.max(axis=1) + _SUM * relative.sum(axis=1), dtype=np.float64)


def crowding(costs: Array) -> Array:
    """Crowding distance of each point of one front, (n,): inf at its ends (Deb et al. 2002)."""
    out = np.zeros(len(costs))
    for column in costs.T:
        order = np.argsort(column, kind="stable")
        width = column[order[-1]] - column[order[0]]
        out[order[[0, -1]]] = np.inf
        if width > 0 and len(order) > 2:
            out[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / width
    return out
