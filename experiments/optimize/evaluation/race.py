"""Racing: the best of a few plans in SUMO, evaluated on the same seeds and demands, with clear losers dropped early.

All plans run on the same cases (common random numbers), so differences are paired. After each case the plans that are
clearly worse than the best so far, or than the best of earlier races, are dropped. The existing plan counts as beaten
only where the paired confidence interval of the difference lies below zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.statistics import PairedComparison, compare_cases
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Plan

Array = NDArray[np.float64]

CONFIDENCE = 0.95
HOPELESS = 0.15
"""Relative excess over the best at which a plan is dropped after its first case; half of it after two cases, a third
after three. The largest spread of one plan over seeds on an undersaturated network was below half of it, and a mean
spreads less."""


@dataclass(frozen=True)
class Case:
    """One simulation setting: a demand (index into the scenarios of the evaluator) and a seed."""

    demand: int
    seed: int


Evaluator = Callable[[Sequence[Plan], Sequence[Case]], Array]
"""Cost of plans in SUMO, lower is better, shape (plans, cases)."""


@dataclass(frozen=True)
class Race:
    """``cost`` has shape (plans, cases), NaN where a plan had been dropped; ``order`` is best first."""

    cost: Array
    order: tuple[int, ...]
    cases: tuple[Case, ...]

    @property
    def winner(self) -> int:
        """Index of the plan with the least mean among those that ran on all cases."""
        return self.order[0]

    @property
    def runs(self) -> int:
        """Number of simulations."""
        return int(np.isfinite(self.cost).sum())


def race(
    plans: Sequence[Plan], evaluator: Evaluator, cases: Sequence[Case], incumbent: Array | None = None
) -> Race:
    """Evaluate ``plans`` case by case and drop those that cannot win.

    ``incumbent`` (cases,) is the cost of the best plan of earlier races, which competes without running again.
    """
    if not plans or not cases:
        raise InputError("there is nothing to evaluate", remedy="give at least one plan and one seed")
    cost = np.full((len(plans), len(cases)), np.nan)
    live = list(range(len(plans)))
    for k, case in enumerate(cases):
        cost[live, k] = evaluator([plans[i] for i in live], [case])[:, 0]
        so_far = cost[:, : k + 1]
        rivals = [so_far[i] for i in live] + ([] if incumbent is None else [incumbent[: k + 1]])
        best = min(rivals, key=lambda row: row.mean())
        live = [i for i in live if not _is_worse(so_far[i], best)]
        if not live:
            break
    means = np.where(np.isfinite(cost).all(axis=1), cost.mean(axis=1), np.inf)
    order = sorted(range(len(plans)), key=lambda i: (means[i], np.nanmean(cost[i])))
    return Race(cost, tuple(order), tuple(cases))


def _is_worse(cost: Array, best: Array) -> bool:
    """Whether a plan is clearly worse than ``best``: by HOPELESS or by the paired interval."""
    if cost.mean() > best.mean() + HOPELESS / len(cost) * abs(best.mean()):
        return True
    if len(cost) == 1 or np.array_equal(cost, best):
        return False
    comparison = compare_cases(cost, best, confidence=CONFIDENCE)
    return comparison.interval is not None and comparison.interval.low > 0


def accept(candidate: Array, incumbent: Array) -> PairedComparison | None:
    """The comparison if ``candidate`` is significantly better than ``incumbent``, else None; costs (cases,)."""
    comparison = compare_cases(candidate, incumbent, confidence=CONFIDENCE)
    better = comparison.interval is not None and comparison.interval.high < 0
    return comparison if better else None
