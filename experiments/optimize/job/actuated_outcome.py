"""``--kind actuated``: the outcome of a search with the best actuated program in place of the fixed plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.race import Case, accept
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.problem.actuation import ActuatedPlan, Actuation
from denxanh.experiments.optimize.problem.objective import Objective
from denxanh.experiments.optimize.problem.starts import as_start
from denxanh.experiments.optimize.search.actuated_program import (
    ActuationResult,
    search_actuation,
    stage_plans,
    sumo_default,
)
from denxanh.experiments.optimize.search.confirmation import EXTRA_SEEDS, extra_cases
from denxanh.experiments.optimize.search.outcome import NOT_BEATEN, NOTE, Outcome
from denxanh.experiments.optimize.search.tuner import Budget
from denxanh.experiments.optimize.tuning_problem import TuningProblem
from denxanh.sim.plan import Plan


def actuated_outcome(
    outcome: Outcome,
    problem: TuningProblem,
    cases: Sequence[Case],
    options: TuningOptions,
    conventional: Plan,
    known: Sequence[ActuatedPlan],
    listener: ProgressListener,
) -> tuple[Outcome, Actuation | None]:
    """The outcome with the best actuated program if it beats the existing plan, else with the existing plan.

    ``known`` programs take part. Raises OutOfTime where the evaluator's time ends before SUMO's default is through.
    """
    space = problem.space
    note = outcome.plan.note if outcome.plan.timings else NOTE + Budget(seconds=options.seconds).note
    baseline = as_start(space, conventional)
    more = [space.existing(), *([] if baseline is None else [baseline])]
    plans = stage_plans(space, outcome, more, note)
    default_legal = space.legal(space.existing())
    if not (plans or known or default_legal):
        listener.on_message("no actuated program: no plan is known whose stages keep the constraints")
        kept = replace(outcome, plan=NOT_BEATEN, candidate=None, cost=outcome.existing_cost, comparison=None)
        return kept, None
    # many settings are tried: the best of them on few seeds is partly the luckiest
    cases = [*cases, *extra_cases(cases, options.held_out)]
    result = search_actuation(
        problem.network,
        plans,
        sumo_default(space, note),
        problem.evaluator,
        cases,
        np.random.default_rng([options.search_seed, 3]),
        exclude=options.held_out,
        known=known,
        constraints=space.constraints,
        default_legal=default_legal,
    )
    comparison = accept(result.cost, result.existing)
    for sentence in _report(
        result,
        outcome,
        len(cases),
        problem.evaluator.objective,
        accepted=comparison is not None,
        default_legal=default_legal,
    ):
        listener.on_message(sentence)
    interrupted = outcome.interrupted or result.interrupted
    if comparison is None:
        kept = replace(outcome, plan=NOT_BEATEN, candidate=None, cost=result.existing, comparison=None)
        return replace(kept, existing_cost=result.existing, interrupted=interrupted), None
    return (
        replace(
            outcome,
            plan=result.plan,
            candidate=space.candidate(result.plan),
            cost=result.cost,
            existing_cost=result.existing,
            comparison=comparison,
            interrupted=interrupted,
        ),
        result.actuation,
    )


def _report(
    result: ActuationResult,
    outcome: Outcome,
    cases: int,
    objective: Objective,
    *,
    accepted: bool,
    default_legal: bool,
) -> list[str]:
    """What became of the program, its cost beside the existing plan, SUMO's default and the fixed plan found."""
    out = []
    if result.further < EXTRA_SEEDS and not result.interrupted:
        part = f"confirmed on {result.further} of {EXTRA_SEEDS} further seeds only"
        what = part if result.further else "not confirmed"
        out.append(f"the leaders were {what}: their share of --time is over")

    def mean(values: NDArray[np.float64]) -> str:
        unit = "" if objective.unit == "1" else f" {objective.unit}"
        found = float(values.mean())
        return f"{found:.{1 if found >= 10 else 2}f}{unit}"

    default = "SUMO's default" + ("" if default_legal else " (violates the constraints, for comparison only)")
    out.append(
        f"actuated program {'accepted' if accepted else 'not accepted, the existing plan stays'}: {objective.name} "
        f"{mean(result.cost)} on {len(result.cost)} seeds, existing plan {mean(result.existing)}, "
        f"{default} {mean(result.default)}; {result.runs} runs"
    )
    if outcome.plan.timings and len(outcome.cost) == cases:
        here = result.cost[:cases]
        if outcome.cost.mean() < here.mean():
            out.append(
                f"the fixed plan of this search has a lower {objective.name}: {mean(outcome.cost)}, the actuated "
                f"program {mean(here)} on the same {cases} seeds; --kind static writes it"
            )
    return out
