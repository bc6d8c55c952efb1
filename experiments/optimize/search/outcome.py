"""The outcome of a search: the plan found or the existing one, with SUMO's costs of every evaluated candidate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.evaluated import Evaluated
from denxanh.experiments.optimize.evaluation.race import accept
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.statistics import PairedComparison
from denxanh.sim.plan import Plan

Array = NDArray[np.float64]

NOTE = "optimised by denxanh"
"""The note of a plan that a search has found."""
NOT_BEATEN = Plan({}, "the network's existing plan was not beaten")
"""The empty plan of a search that found nothing better: every signal keeps its program."""


@dataclass(frozen=True)
class Progress:
    """State of a search after one of its steps."""

    step: str  # "known plans", "search", "evaluate", "polish", "search in SUMO"
    evaluations: int  # candidates evaluated in the surrogate; in SUMO where the search is there
    runs: int  # of SUMO
    cpu: float  # s; wall time where the search is in SUMO
    predicted: float  # best cost in the surrogate
    sumo: float  # best cost in SUMO so far, NaN before the first evaluation


@dataclass(frozen=True)
class Outcome:
    """Result of a search. ``candidate`` is None and ``plan`` empty where the existing plan was not beaten."""

    plan: Plan
    candidate: Candidate | None
    cost: Array  # (cases,) SUMO's, of the plan
    existing_cost: Array  # (cases,) SUMO's, of the existing plan
    comparison: PairedComparison | None  # with the existing plan; None if that stays
    evaluated: tuple[Evaluated, ...]
    trace: tuple[Progress, ...]
    interrupted: bool


def ranked(evaluated: Iterable[Evaluated]) -> list[Evaluated]:
    """The candidates that ran on every case, in ascending mean cost."""
    return sorted((e for e in evaluated if e.complete), key=lambda e: float(e.cost.mean()))


def conclude(
    space: Space,
    evaluated: Sequence[Evaluated],
    existing_cost: Array,
    trace: Sequence[Progress],
    *,
    note: str = NOTE,
    interrupted: bool = False,
) -> Outcome:
    """The best candidate as the outcome if it beats the existing plan significantly, else the existing plan."""
    best = next(iter(ranked(evaluated)), None)
    comparison = accept(best.cost, existing_cost) if best is not None else None
    if best is None or comparison is None:
        return Outcome(
            NOT_BEATEN, None, existing_cost, existing_cost, None, tuple(evaluated), tuple(trace), interrupted
        )
    plan = space.plan(best.candidate, note + (", interrupted" if interrupted else ""))
    return Outcome(
        plan,
        best.candidate,
        best.cost,
        existing_cost,
        comparison,
        tuple(evaluated),
        tuple(trace),
        interrupted,
    )


def not_started(cases: int) -> Outcome:
    """The outcome of a search that was interrupted before its first step; costs are NaN, shape (cases,)."""
    unknown = np.full(cases, np.nan)
    plan = Plan({}, "the network's existing plan: the search was interrupted before it began")
    return Outcome(plan, None, unknown, unknown, None, (), (), interrupted=True)
