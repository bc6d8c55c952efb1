"""Validation of plans: SUMO runs beside the existing plan on held-out seeds and days that the search never used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from denxanh.experiments.compare import execute_runs
from denxanh.experiments.definition.resample import Resampling, another_day, scaled_demand
from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import EXISTING, EXISTING_NAME, Array, Variant
from denxanh.experiments.optimize.problem.objective import DELAY
from denxanh.experiments.optimize.tuning_problem import TuningProblem
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.run_options import Limits, RunOptions
from denxanh.experiments.specification.run_specification import RunSpecification, absolute, controller_label
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

JITTER = 300.0  # s: spread of departures between days in the reference study of held-out demand
HELD_OUT_DAYS = 2  # other days on which a plan is validated; the search never uses them


@dataclass(frozen=True)
class Validation:
    """The held-out runs; no rows if they were interrupted."""

    rows: tuple[RunRow, ...]
    scenarios: tuple[Scenario, ...]  # the scenario given, then other days of it
    values: Array | None = None
    """(existing plan and new variants, cases, terms) on held-out seeds; None where the objective is delay."""
    interrupted: bool = False


def validate(
    days: Sequence[Scenario],
    options: TuningOptions,
    new: Sequence[Variant],
    problem: TuningProblem,
    out: Path,
    *,
    jobs: int,
    limits: Limits,
    listener: ProgressListener,
) -> Validation:
    """Run the existing plan and the ``new`` ones on the held-out seeds of ``days``, the scenario given first."""
    scenario = days[0]
    run_options = RunOptions(limits=limits)
    runs = [
        RunSpecification(day.name, day, name, parameters, seed, options=run_options)
        for day in days
        for seed in options.held_out
        for name, parameters in (
            (EXISTING, dict[str, str]()),
            *((v.files.controller, v.files.parameters) for v in new),
        )
    ]
    names = {EXISTING: EXISTING_NAME}
    names |= {controller_label(v.files.controller, v.files.parameters): v.name for v in new}
    try:
        rows = execute_runs(out / "held-out", runs, jobs=jobs, on_progress=listener.on_run)
        values = _values(scenario, options, new, problem, listener)
    except KeyboardInterrupt:
        return Validation((), tuple(days), interrupted=True)
    labels = {run.label for run in runs}
    own = (row for row in rows if row.controller in labels)
    return Validation(
        tuple(replace(row, controller=names.get(row.controller, row.controller)) for row in own),
        tuple(days),
        values,
    )


def _values(
    scenario: Scenario,
    options: TuningOptions,
    new: Sequence[Variant],
    problem: TuningProblem,
    listener: ProgressListener,
) -> Array | None:
    """SUMO's values of the terms of the objective on held-out seeds; None where the objective is delay."""
    if options.pareto is None and options.objective == DELAY:
        return None
    listener.on_message("running the plans on held-out seeds to measure the objective")
    terms = options.terms
    cases = [Case(0, seed) for seed in options.held_out]
    evaluator: SumoEvaluator = replace(problem.evaluator, scenarios=(scenario,))
    found = [evaluator.values([Plan({})], cases, terms)[0]]
    for variant in new:
        with_actuation = replace(evaluator, actuation=variant.actuation)
        found.append(with_actuation.values([variant.plan], cases, terms)[0])
    return np.stack(found)


def held_out_scenarios(scenario: Scenario, options: TuningOptions, folder: Path, seed: int) -> list[Scenario]:
    """The demand given, other days of it, and other days of the further demands of the options.

    ``seed`` must differ from that of the days of the search. Route files are written to ``folder``.
    """
    resampling = Resampling("jitter", JITTER, seed)

    def other(day: int, name: str, given: Scenario = scenario) -> Scenario:
        return replace(another_day(given, resampling, day, folder, random_flows=True), name=name)

    days = [scenario]
    for k in range(1, HELD_OUT_DAYS + 1):
        day = other(k, f"{scenario.name} (another day, {k})")
        if all((day.routes, day.additional) != (known.routes, known.additional) for known in days):
            days.append(day)  # SUMO draws random flows by its own seed: such a day is no other demand
    for k, factor in enumerate((f for f in options.scales if f != 1), HELD_OUT_DAYS + 1):
        days.append(
            other(k, f"{scenario.name} × {factor:g} (another day)", scaled_demand(scenario, factor, folder))
        )
    names = {day.name for day in days}
    for number, given in enumerate(options.also, 1):
        one = absolute(given)
        days.append(replace(one, name=one.name if one.name not in names else f"{one.name} (also, {number})"))
        names.add(days[-1].name)
    return days
