"""Racing: which of a few plans is best in SUMO, judged on the same seeds and demands, losers dropped early.

All plans meet the same cases (common random numbers), so differences are paired. After each case a plan is
dropped that is clearly worse than the best so far, or than the best of earlier races. What was there before is
accepted as beaten only where the paired interval of the difference lies below zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.statistics import PairedComparison, compare_paired
from sim.errors import InputError
from sim.plan import Plan

Array = NDArray[np.float64]

CONFIDENCE = 0.95
HOPELESS = 0.15
"""A plan this much (relative) worse than the best on its first case is dropped at once, half as much after two
cases, a third after three: the largest spread of one plan over seeds on an undersaturated network was below half
of it, and a mean spreads less."""


@dataclass(frozen=True)
class Case:
    """One way of putting plans to the test: a demand (index into the judge's scenarios) and a seed."""

    demand: int
    seed: int


Judge = Callable[[Sequence[Plan], Sequence[Case]], Array]
"""Delay (or another cost, lower is better) of plans in SUMO, shape (plans, cases)."""


@dataclass(frozen=True)
class Race:
    """``cost`` has shape (plans, cases), nan where a plan had been dropped; ``order`` is best first."""

    cost: Array
    order: tuple[int, ...]
    cases: tuple[Case, ...]

    @property
    def winner(self) -> int:
        """Index of the plan with the least mean among those that met all cases."""
        return self.order[0]

    @property
    def runs(self) -> int:
        """Simulations made."""
        return int(np.isfinite(self.cost).sum())


def race(plans: Sequence[Plan], judge: Judge, cases: Sequence[Case], incumbent: Array | None = None) -> Race:
    """Judge ``plans`` case by case and drop those that cannot win.

    ``incumbent`` (cases,) is what the best plan of earlier races cost: it runs along without being run again.
    """
    if not plans or not cases:
        raise InputError("there is nothing to judge", remedy="give at least one plan and one seed")
    cost = np.full((len(plans), len(cases)), np.nan)
    live = list(range(len(plans)))
    for k, case in enumerate(cases):
        cost[live, k] = judge([plans[i] for i in live], [case])[:, 0]
        met = cost[:, : k + 1]
        rivals = [met[i] for i in live] + ([] if incumbent is None else [incumbent[: k + 1]])
        best = min(rivals, key=lambda row: row.mean())
        live = [i for i in live if not _lost(met[i], best)]
        if not live:
            break
    means = np.where(np.isfinite(cost).all(axis=1), cost.mean(axis=1), np.inf)
    order = sorted(range(len(plans)), key=lambda i: (means[i], np.nanmean(cost[i])))
    return Race(cost, tuple(order), tuple(cases))


def _lost(cost: Array, best: Array) -> bool:
    """Whether a plan is clearly worse than ``best``: hopeless at first sight, or by the paired interval."""
    if cost.mean() > best.mean() + HOPELESS / len(cost) * abs(best.mean()):
        return True
    if len(cost) == 1 or np.array_equal(cost, best):
        return False
    comparison = _paired(cost, best)
    return comparison.interval is not None and comparison.interval.low > 0


def accept(candidate: Array, incumbent: Array) -> PairedComparison | None:
    """The comparison if ``candidate`` is better than ``incumbent`` beyond doubt, else None; costs by case."""
    comparison = _paired(candidate, incumbent)
    sure = comparison.interval is not None and comparison.interval.high < 0
    return comparison if sure else None


def _paired(candidate: Array, baseline: Array) -> PairedComparison:
    return compare_paired(
        {(k, ""): float(v) for k, v in enumerate(candidate)},
        {(k, ""): float(v) for k, v in enumerate(baseline)},
        confidence=CONFIDENCE,
    )
