"""The Pareto front of two objectives: the plans of which none is better in both.

The front is traced by a sequence of searches, each for another weighting of the larger relative loss (weighted
Chebyshev, which also reaches concave parts of a front), each starting from the candidates found before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.space import Candidate
from denxanh.experiments.optimize.search.climb import Neighbours
from denxanh.experiments.optimize.search.multistart import MultistartSearch

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

WEIGHTINGS = 9  # target points along the front, its two ends included
_SUM = 0.05  # share of the plain sum: breaks ties of the larger loss in favour of the other objective


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
    """The front of two objectives; ``evaluate`` returns costs (B, 2), lower is better.

    The budget is ``seconds`` of CPU time, or a number of ``evaluations``, which makes the search reproducible.
    At most ``most`` points are returned, the least crowded ones.
    """
    known: dict[Candidate, Array] = {}

    def evaluated(batch: Sequence[Candidate]) -> Array:
        costs = np.asarray(evaluate(batch), dtype=np.float64)
        known.update(zip(batch, costs, strict=True))
        return costs

    evaluated(list(dict.fromkeys(starts)))
    # the ends first: they give the extent of the front in each objective
    order = sorted(np.linspace(0, 1, WEIGHTINGS), key=lambda w: (abs(w - 0.5) < 0.5 - 1e-9, w))
    for weight in order:
        costs = np.array(list(known.values()))
        low, wide = costs.min(axis=0), np.maximum(np.ptp(costs[nondominated(costs)], axis=0), 1e-9)
        scale = np.array([weight, 1 - weight]) / wide
        begin = [list(known)[k] for k in np.argsort(_loss(costs, low, scale), kind="stable")[:3]]
        search = MultistartSearch(neighbours, begin, rng)
        until = time.process_time() + seconds / WEIGHTINGS
        while search.evaluations < evaluations // WEIGHTINGS if evaluations else time.process_time() < until:
            batch = search.ask()
            if not batch:
                break
            search.tell(_loss(evaluated(batch), low, scale))
    candidates, costs = list(known), np.array(list(known.values()))
    front = thin_front(costs, nondominated(costs), most)
    return Front(tuple(candidates[k] for k in front), costs[front])


def thin_front(costs: Array, front: Ints, most: int) -> Ints:
    """At most ``most`` points of a front; the most crowded ones are removed one by one."""
    while len(front) > most:
        front = np.delete(front, int(np.argmin(crowding(costs[front]))))
    return front


def nondominated(costs: Array) -> Ints:
    """Indices of the nondominated rows of (n, 2) in ascending first objective; of equal rows the first only."""
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
