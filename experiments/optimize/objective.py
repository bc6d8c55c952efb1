"""What is minimised: a column of the model, a weighted sum of columns, a mean over demands, or two at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MAXIMISED = frozenset({"finished"})
"""Columns of which more is better; they enter with their sign turned."""

OBJECTIVES: Mapping[str, str] = {
    "delay": "delay",
    "delay-pcu": "delay_pcu",
    "delay-person": "delay_person",
    "stops": "stops",
    "throughput": "finished",
    "queue": "queue",
}
"""The user's names of single objectives and the columns they read."""


@dataclass(frozen=True)
class Objective:
    """A weighted sum of columns; ``terms`` are (column, weight). Lower is better."""

    terms: tuple[tuple[str, float], ...]

    def __call__(self, metrics: Array, columns: Sequence[str]) -> Array:
        """Cost of each plan, shape (B,), from the metrics (B, columns) or, averaged, (demands, B, columns)."""
        table = metrics.mean(axis=0) if metrics.ndim == 3 else metrics
        cost = np.zeros(len(table))
        for name, weight in self.terms:
            if name not in columns:
                raise InputError(
                    f"the model has no {name!r}", where="objective", remedy=f"use one of {', '.join(columns)}"
                )
            sign = -1.0 if name in MAXIMISED else 1.0
            cost += sign * weight * table[:, list(columns).index(name)]
        return cost


def parse_objective(text: str) -> Objective:
    """``delay``, or a weighted sum such as ``delay + 10*stops``.

    >>> parse_objective("delay-person + 5*stops").terms
    (('delay_person', 1.0), ('stops', 5.0))
    """
    terms = []
    for part in text.split("+"):
        factor, star, name = part.strip().rpartition("*")
        try:
            weight = float(factor) if star else 1.0
        except ValueError:
            raise InputError(f"{factor.strip()!r} is not a weight", where="objective", remedy=_FORM) from None
        if name.strip() not in OBJECTIVES or not np.isfinite(weight):
            raise InputError(f"{part.strip()!r} is not an objective", where="objective", remedy=_FORM)
        terms.append((OBJECTIVES[name.strip()], weight))
    return Objective(tuple(terms))


_FORM = f"write a sum such as 'delay + 10*stops' of {', '.join(OBJECTIVES)}"


def robust(evaluators: Sequence[Callable[..., Array]], *, tail: float = 0.0) -> Callable[..., Array]:
    """One evaluator of cost (B,) over several demands: their mean, drawn towards the worst by ``tail`` in [0, 1]."""
    if not evaluators or not 0.0 <= tail <= 1.0:
        raise InputError("robust tuning needs a demand, and a tail from 0 to 1", where="objective")

    def cost(*plans: object) -> Array:
        each = np.array([evaluate(*plans) for evaluate in evaluators])  # (demands, B)
        return np.asarray((1 - tail) * each.mean(axis=0) + tail * each.max(axis=0), dtype=np.float64)

    return cost


def fronts(costs: Array) -> list[Ints]:
    """Nondominated sorting of (n, objectives), lower is better: indices by front (Deb et al. 2002)."""
    below: Bools = np.asarray((costs[:, None, :] <= costs[None, :, :]).all(axis=2), dtype=np.bool_)
    better: Bools = below & ~below.T  # row dominates column
    dominated_by = better.sum(axis=0)
    out, left = [], np.ones(len(costs), dtype=np.bool_)
    while left.any():
        front = np.flatnonzero(left & (dominated_by == 0)).astype(np.int64)
        out.append(front)
        left[front] = False
        dominated_by = dominated_by - better[front].sum(axis=0)
    return out


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
