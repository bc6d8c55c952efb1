"""Search for the Pareto front of two objectives, evaluated in SUMO.

The surrogate traces a front, SUMO evaluates points along it on all cases, the surrogate of each objective is refitted
to them, and the front is traced again from the evaluated points. The result is the front of SUMO's values alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.objective import Objective, pair_costs
from denxanh.experiments.optimize.problem.space import Candidate
from denxanh.experiments.optimize.problem.starts import starts
from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.optimize.search.pareto import nondominated, pareto_front, thin_front
from denxanh.experiments.optimize.search.tuner import Budget
from denxanh.experiments.optimize.surrogate.predicted_cost import Surrogate
from denxanh.experiments.optimize.tuning_problem import TuningProblem
from denxanh.sim.plan import Plan

Array = NDArray[np.float64]

ROUNDS = 2
POINTS_PER_ROUND = 10  # points of a traced front that are evaluated in SUMO
MOST_POINTS = 8  # in the result: more than an engineer chooses between


@dataclass(frozen=True)
class EvaluatedFront:
    """Nondominated candidates by SUMO's costs; ``cost`` and ``others`` are means over the cases."""

    candidates: tuple[Candidate, ...]  # in ascending first objective
    plans: tuple[Plan, ...]
    cost: Array  # (points, 2)
    others: Array  # (n, 2) of the evaluated plans that are not on the front
    existing: Array  # (2,) of the existing plan; NaN if the search was interrupted before it ran
    trace: tuple[Progress, ...]
    interrupted: bool


NO_FRONT = EvaluatedFront(
    (), (), np.zeros((0, 2)), np.zeros((0, 2)), np.full(2, np.nan), (), interrupted=True
)
"""The front of a search that was interrupted before its first step."""


def search_front(
    problem: TuningProblem,
    surrogate: Surrogate,
    pair: tuple[Objective, Objective],
    cases: Sequence[Case],
    rng: np.random.Generator,
    *,
    seconds: float = 15.0,
    evaluations: int | None = None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    extra_starts: Sequence[Candidate] = (),
) -> EvaluatedFront:
    """Trace and evaluate a front. ``seconds`` is CPU time of search. Ctrl-C ends it with the points so far.

    ``extra_starts``: plans known before, which run in SUMO too.
    """
    terms = (*pair[0].terms, *pair[1].terms)
    models = [replace(surrogate, objective=objective, residual=None) for objective in pair]
    trace: list[Progress] = []
    known: dict[Candidate, Array] = {}  # SUMO's mean costs, (2,)
    existing, evaluated, runs, began = np.full(2, np.nan), 0, 0, time.process_time()
    interrupted = False

    def predict(batch: Sequence[Candidate]) -> Array:
        nonlocal evaluated
        evaluated += len(batch)
        return np.column_stack([model(batch) for model in models])

    def evaluate(plans: Sequence[Plan]) -> Array:
        nonlocal runs
        values = problem.evaluator.values(plans, cases, terms)  # (plans, cases, terms)
        runs += len(plans) * len(cases)
        return np.asarray(pair_costs(pair, values).mean(axis=1), dtype=np.float64)

    def report(step: str) -> None:
        low = min((float(cost[0]) for cost in known.values()), default=float("nan"))
        trace.append(Progress(step, evaluated, runs, time.process_time() - began, float("nan"), low))
        on_progress(trace[-1])

    first = [c for c in starts(problem.space) if problem.space.legal(c)] or [problem.space.existing()]
    try:
        existing = evaluate([Plan({})])[0]
        for candidate in dict.fromkeys(extra_starts):
            known[candidate] = evaluate([problem.space.plan(candidate)])[0]
        predict(first[:1])  # the model compiles itself at its first batch: that is not search
        for number in range(ROUNDS):
            found = pareto_front(
                predict,
                Neighbourhood(problem.space),
                [*known, *first],
                rng,
                seconds=seconds / ROUNDS,
                evaluations=evaluations // ROUNDS if evaluations else None,
                most=POINTS_PER_ROUND,
            )
            report("search")
            fresh = [c for c in found.candidates if c not in known]
            for at in range(
                0, len(fresh), 2
            ):  # two at a time: an interrupt keeps the points evaluated so far
                some = fresh[at : at + 2]
                costs = evaluate([problem.space.plan(c) for c in some])
                known.update(zip(some, costs, strict=True))
                report("evaluate")
            if number + 1 < ROUNDS and len(known) > 2:
                table = np.array(list(known.values()))
                models = [model.refit(list(known), table[:, k]) for k, model in enumerate(models)]
    except KeyboardInterrupt:
        interrupted = True
    note = "a point of a front, by denxanh" + Budget(seconds, evaluations).note
    return _front(problem, known, existing, trace, note=note, interrupted=interrupted)


def _front(
    problem: TuningProblem,
    known: dict[Candidate, Array],
    existing: Array,
    trace: Sequence[Progress],
    *,
    note: str,
    interrupted: bool,
) -> EvaluatedFront:
    candidates = list(known)
    costs = np.array(list(known.values())).reshape(-1, 2)
    on = thin_front(costs, nondominated(costs), MOST_POINTS) if candidates else np.zeros(0, dtype=np.int64)
    note += ", interrupted" if interrupted else ""
    rest = np.setdiff1d(np.arange(len(candidates)), on)
    return EvaluatedFront(
        tuple(candidates[k] for k in on),
        tuple(problem.space.plan(candidates[k], note) for k in on),
        costs[on],
        costs[rest],
        existing,
        tuple(trace),
        interrupted,
    )
