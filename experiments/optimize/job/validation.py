"""Validation of plans: SUMO runs beside the existing plan on held-out seeds and days that the search never used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from denxanh.experiments.compare import execute_runs, with_days
from denxanh.experiments.definition.resample import Resampling, another_day, scaled_demand
from denxanh.experiments.executors import executor_for
from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import Array, ConventionalBaseline, Variant
from denxanh.experiments.optimize.problem.objective import DELAY
from denxanh.experiments.optimize.tuning_problem import TuningProblem
from denxanh.experiments.results.references import CONVENTIONAL, EXISTING, existing_name
from denxanh.experiments.results.run_tables import read_rows
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.controllers import PLAN
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import RunSpecification, absolute, controller_label
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

JITTER = 300.0  # s: spread of departures between days in the reference study of held-out demand
HELD_OUT_DAYS = 2  # other days on which a plan is validated where all seeds have the same vehicles


@dataclass(frozen=True)
class Validation:
    """The held-out runs; no rows if they were interrupted."""

    rows: tuple[RunRow, ...]
    scenarios: tuple[Scenario, ...]  # the scenario given, then other days of it
    values: Array | None = None
    """(existing plan and new variants, cases, terms) on held-out seeds; None where the objective is delay."""
    interrupted: bool = False
    conventional_values: Array | None = None
    """(cases, terms) of the conventional plan on held-out seeds; None where it or ``values`` is missing."""


def validate(
    days: Sequence[Scenario],
    options: TuningOptions,
    new: Sequence[Variant],
    baseline: ConventionalBaseline,
    problem: TuningProblem,
    out: Path,
    *,
    seeds: Sequence[int],
    jobs: int,
    run_options: RunOptions,
    listener: ProgressListener,
    cluster: str | None = None,
) -> Validation:
    """Run the existing plan, the conventional and the ``new`` ones on ``seeds`` of ``days``, the scenario given first.

    Unless ``options.days`` is ``same``, each seed has a day of its own, the same for all plans.
    """
    runs, names = held_out_runs(days, options, new, baseline, out, seeds=seeds, run_options=run_options)
    try:
        # the objective's own values come first: they decide which plan is the result
        values, conventional = _values(days[0], options, new, baseline, problem, seeds, listener)
        rows = execute_until_late(out, runs, jobs=jobs, listener=listener, cluster=cluster)
    except KeyboardInterrupt:
        return Validation((), tuple(days), interrupted=True)
    return Validation(named(rows, runs, names), tuple(days), values, conventional_values=conventional)


def execute_until_late(
    out: Path,
    runs: Sequence[RunSpecification],
    *,
    jobs: int,
    listener: ProgressListener,
    cluster: str | None = None,
) -> Sequence[RunRow]:
    """The rows of the runs; those that were not done when the listener's time was over are left out.

    ``cluster`` is the address of a Dask scheduler whose workers run them.
    """
    target = out / "held-out"
    try:
        return execute_runs(
            target,
            runs,
            jobs=jobs,
            on_progress=listener.on_run,
            on_wait=listener.on_wait,
            executor=executor_for(target, jobs=jobs, cluster=cluster),
        )
    except OutOfTime:
        rows = [row for row in read_rows(out / "held-out") if row.done]
        listener.on_message(f"the time is over: {len(rows)} runs are done")
        return rows


def held_out_runs(
    days: Sequence[Scenario],
    options: TuningOptions,
    new: Sequence[Variant],
    baseline: ConventionalBaseline,
    out: Path,
    *,
    seeds: Sequence[int],
    run_options: RunOptions,
) -> tuple[list[RunSpecification], dict[str, str]]:
    """The runs of all plans on ``seeds`` of ``days``, and the names of their controllers in tables and reports."""
    plans: list[tuple[str, dict[str, str], dict[str, str]]] = [(EXISTING, {}, {})]
    names = {EXISTING: existing_name(days[0])}
    if baseline.file is not None:
        plans.append((CONVENTIONAL, {}, {PLAN: str(baseline.file)}))
    for variant in new:  # copies: the conventional plan may take the place of the plan found
        files = variant.files.copied_to(out / "held-out" / "plans" / variant.name.replace(" ", "-"))
        plans.append((files.controller, files.parameters, {}))
        names[controller_label(files.controller, files.parameters)] = variant.name
    runs = [
        RunSpecification(day.name, day, name, parameters, seed, options=run_options, computed=computed)
        for day in days
        for seed in seeds
        for name, parameters, computed in plans
    ]
    return with_days(runs, out / "days") if options.days == "each" else runs, names


def named(
    rows: Sequence[RunRow], runs: Sequence[RunSpecification], names: Mapping[str, str]
) -> tuple[RunRow, ...]:
    """The rows of these runs under the names of their plans."""
    known = {run.identity() for run in runs}  # the folder may hold runs of an earlier optimisation
    own = (row for row in rows if row.id in known)
    return tuple(replace(row, controller=names.get(row.controller, row.controller)) for row in own)


def _values(
    scenario: Scenario,
    options: TuningOptions,
    new: Sequence[Variant],
    baseline: ConventionalBaseline,
    problem: TuningProblem,
    seeds: Sequence[int],
    listener: ProgressListener,
) -> tuple[Array | None, Array | None]:
    """SUMO's values of the terms on held-out seeds, of the plans and of the conventional one; None for delay alone."""
    if options.pareto is None and options.objective == DELAY:
        return None, None
    listener.on_message("running the plans on held-out seeds to measure the objective")
    terms = options.terms
    cases = [Case(0, seed) for seed in seeds]
    evaluator: SumoEvaluator = replace(problem.evaluator, scenarios=(scenario,))
    try:
        found = [evaluator.values([Plan({})], cases, terms)[0]]
        for variant in new:
            with_actuation = replace(evaluator, actuation=variant.actuation)
            found.append(with_actuation.values([variant.plan], cases, terms)[0])
        conventional = None
        if baseline.file is not None:
            conventional = evaluator.values([baseline.plan], cases, terms)[0]
    except OutOfTime:
        listener.on_message("the objective was not measured on held-out seeds: the time is over")
        return None, None
    return np.stack(found), conventional


def held_out_scenarios(scenario: Scenario, options: TuningOptions, folder: Path, seed: int) -> list[Scenario]:
    """The demand given, other days of it, and other days of the further demands of the options.

    Where each seed has a day of its own, the demand given and the further demands: every run is on another day.
    ``seed`` must differ from that of the days of the search. Route files are written to ``folder``.
    """
    resampling = Resampling("jitter", JITTER, seed)

    def other(day: int, name: str, given: Scenario = scenario) -> Scenario:
        return replace(another_day(given, resampling, day, folder, random_flows=True), name=name)

    days = [scenario]
    if options.days == "each":
        days += [
            replace(scaled_demand(scenario, factor, folder), name=f"{scenario.name} × {factor:g}")
            for factor in options.scales
            if factor != 1
        ]
    for k in range(1, HELD_OUT_DAYS + 1) if options.days == "same" else ():
        day = other(k, f"{scenario.name} (another day, {k})")
        if all((day.routes, day.additional) != (known.routes, known.additional) for known in days):
            days.append(day)  # SUMO draws random flows by its own seed: such a day is no other demand
    further = [f for f in options.scales if f != 1] if options.days == "same" else []
    for k, factor in enumerate(further, HELD_OUT_DAYS + 1):
        days.append(
            other(k, f"{scenario.name} × {factor:g} (another day)", scaled_demand(scenario, factor, folder))
        )
    names = {day.name for day in days}
    for number, given in enumerate(options.also, 1):
        one = absolute(given)
        days.append(replace(one, name=one.name if one.name not in names else f"{one.name} (also, {number})"))
        names.add(days[-1].name)
    return days
