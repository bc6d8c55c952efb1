"""Search in SUMO itself, for scenarios in which the surrogate cannot rank plans (gridlocked ones).

Starts, neighbourhood and climb are those of the search in the surrogate, but every candidate runs in SUMO: on one
case, so that many can be evaluated. The best of them then run on all cases.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.evaluated import Evaluated
from denxanh.experiments.optimize.evaluation.race import Case, Evaluator, race
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.search.multistart import MultistartSearch
from denxanh.experiments.optimize.search.outcome import NOTE, Outcome, Progress, conclude
from denxanh.experiments.optimize.search.tuner import Budget
from denxanh.sim.plan import Plan

Array = NDArray[np.float64]

CLIMBS = 2  # starts that are climbed from: SUMO is too slow for more
BATCH = 8  # candidates per batch
LEADERS_FROM = 0.7  # share of a limited time after which the leaders run on all cases
INTERRUPTED_LEADERS = 2  # of the best, which still run on all cases after Ctrl-C: the user does not wait long


def search_in_sumo(
    space: Space,
    evaluator: Evaluator,
    cases: Sequence[Case],
    starts: Sequence[Candidate],
    rng: np.random.Generator,
    budget: Budget,
    on_progress: Callable[[Progress], None] = lambda progress: None,
    *,
    spent: int = 0,
) -> Outcome:
    """Search in SUMO alone: as many runs as the evaluations of a surrogate search, then ``budget.seconds`` more.

    The seconds are wall time here; the note of the plan says so. ``spent`` is the number of runs made before. With
    ``budget.evaluations`` that many candidates are evaluated instead. Ctrl-C ends the search with the best candidate
    that ran on all cases so far, the existing plan if none did.
    """
    trace: list[Progress] = []
    evaluated: list[Evaluated] = []
    first_case: dict[Candidate, float] = {}  # cost on the first case
    existing_cost = np.full(len(cases), np.nan)
    runs, began, interrupted, late = spent, time.perf_counter(), False, False
    started = time.monotonic()
    least_runs = budget.rounds * budget.evaluated * len(cases)

    def evaluate(batch: Sequence[Candidate]) -> None:
        nonlocal runs
        cost = evaluator([space.plan(c) for c in batch], cases[:1])[:, 0]
        runs += len(batch)
        first_case.update(zip(batch, cost.tolist(), strict=True))
        report("search in SUMO")

    def report(step: str) -> None:
        best = min(first_case.values(), default=float("nan"))
        progress = Progress(step, len(first_case), runs, time.perf_counter() - began, float("nan"), best)
        trace.append(progress)
        on_progress(progress)

    def within_budget() -> bool:
        if budget.evaluations is not None:
            return len(first_case) < budget.evaluations
        if math.isfinite(budget.until):
            return time.monotonic() < started + LEADERS_FROM * (budget.until - started)
        return runs - spent < least_runs or time.perf_counter() - began < budget.seconds

    def best_first(most: int) -> list[Candidate]:
        return sorted(first_case, key=lambda c: first_case[c])[:most]

    try:
        existing_cost = evaluator([Plan({})], cases)[0]
        runs += len(cases)
        first = list(dict.fromkeys(starts))
        for k in range(0, len(first), BATCH):
            if k == 0 or within_budget():
                evaluate(first[k : k + BATCH])
        search = MultistartSearch(Neighbourhood(space), best_first(CLIMBS), rng, batch=BATCH)
        while within_budget():
            batch = search.ask()
            if not batch:
                break
            fresh = [c for c in batch if c not in first_case]
            if fresh:
                evaluate(fresh)
            search.tell([first_case[c] for c in batch])
    except OutOfTime:
        late = True
    except KeyboardInterrupt:
        interrupted = True
    late = late or math.isfinite(budget.until)
    try:
        leaders = best_first(INTERRUPTED_LEADERS if interrupted or late else budget.evaluated)
        if leaders and np.isfinite(existing_cost).all():
            result = race([space.plan(c) for c in leaders], evaluator, cases)
            runs += result.runs
            evaluated = [Evaluated(c, float("nan"), x) for c, x in zip(leaders, result.cost, strict=True)]
            report("evaluate")
    except OutOfTime:
        pass
    except KeyboardInterrupt:
        interrupted = True
    note = f"{NOTE} in SUMO{budget.note}"
    return conclude(space, evaluated, existing_cost, trace, note=note, interrupted=interrupted)
