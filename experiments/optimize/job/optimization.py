"""``denxanh optimize``: search a plan for a scenario, validate it in SUMO on held-out seeds and days, write its files.

The search ranks thousands of plans in the surrogate; SUMO evaluates the best few on training seeds. The reported
results are SUMO's on held-out seeds, with the demand given and on other days of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from denxanh.experiments.optimize.evaluation.race import Case, accept
from denxanh.experiments.optimize.job.plan_files import (
    write_day_files,
    write_front,
    write_plan_files,
    write_trace,
)
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import EXISTING_NAME, NEW, TuningResult, Variant
from denxanh.experiments.optimize.job.validation import (
    HELD_OUT_DAYS,
    Validation,
    held_out_scenarios,
    validate,
)
from denxanh.experiments.optimize.problem.objective import Objective, pair_costs
from denxanh.experiments.optimize.problem.plan_programs import Actuation
from denxanh.experiments.optimize.problem.starts import starts
from denxanh.experiments.optimize.search.actuated_program import shown_once, tune_actuation
from denxanh.experiments.optimize.search.confirmation import EXTRA_SEEDS, LEADERS, confirm, extra_cases
from denxanh.experiments.optimize.search.day_search import periods, plan_day
from denxanh.experiments.optimize.search.fidelity import PLANS, SEEDS, FidelityAssessment, assess_fidelity
from denxanh.experiments.optimize.search.front import NO_FRONT, EvaluatedFront, search_front
from denxanh.experiments.optimize.search.outcome import NOT_BEATEN, NOTE, Outcome, not_started
from denxanh.experiments.optimize.search.search_in_sumo import search_in_sumo
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.experiments.optimize.tuning_problem import TuningProblem, prepare_problem
from denxanh.experiments.specification.run_options import Limits
from denxanh.experiments.specification.run_specification import absolute
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

LONG = 30.0  # min of SUMO runs to come from which the user is warned
DAY_SEED = 7919  # of the days of the search; far from the seeds that users choose


@dataclass
class TuningJob:
    """State shared by the steps of one call of ``optimize``."""

    scenario: Scenario
    options: TuningOptions
    out: Path
    jobs: int
    listener: ProgressListener
    limits: Limits
    interrupted: bool = field(default=False)
    warned_of_time: bool = field(default=False)
    reported_ignored: bool = field(default=False)

    def problem(self, *, drop_protected: bool) -> TuningProblem:
        """The scenario prepared for tuning. Raises InputError where nothing can be tuned."""
        options = self.options
        problem = prepare_problem(
            self.scenario,
            options.problem_options(drop_protected=drop_protected, seed=DAY_SEED),
            folder=self.out / "days",
            workers=self.jobs,
        )
        if options.pareto:
            options.pareto[1].check(problem.network)
        self._report_ignored(problem)
        evaluator = replace(problem.evaluator, limit=self.limits.wall, on_run=self.warn_if_slow)
        return replace(problem, evaluator=evaluator)

    def _report_ignored(self, problem: TuningProblem) -> None:
        """Report once the vehicles that SUMO simulates and the surrogate does not."""
        ignored = problem.surrogate.models[0].demand.ignored
        counts = ", ".join(
            f"{n} × {kind}" for kind, n in sorted(ignored.items()) if kind.endswith("of its own")
        )
        if counts and not self.reported_ignored:
            self.reported_ignored = True
            self.listener.on_message(f"not in the model, but in every run of SUMO: {counts}")

    def warn_if_slow(self, seconds: float) -> None:
        """Report once if a run of SUMO takes so long (s) that the search will take LONG minutes or more."""
        runs = expected_runs(self.options)
        minutes = runs * seconds / self.jobs / 60
        if self.warned_of_time or minutes < LONG:
            return
        self.warned_of_time = True
        self.listener.on_message(
            f"a run of SUMO takes {seconds:.0f} s here: some {runs} runs may take {minutes:.0f} min, {self.jobs} at "
            "a time. --end, --seeds 2 and --no-trust make them shorter or fewer; Ctrl-C keeps the best plan so far"
        )

    def assess(self, problem: TuningProblem) -> FidelityAssessment | None:
        """The fidelity of the surrogate, None if it is not to be measured, cannot be, or was interrupted."""
        if not self.options.trust:
            return None
        self.listener.on_message("running diverse plans in SUMO to measure the fidelity of the model")
        try:
            rng = np.random.default_rng([self.options.search_seed, 1])
            return assess_fidelity(problem, self.options.seeds, rng)
        except KeyboardInterrupt:
            self.interrupted = True
            return None

    def search(
        self, name: str, folder: Path, *, drop_protected: bool, known: Sequence[Plan] = ()
    ) -> tuple[Variant, TuningProblem]:
        """Search one plan and write its files; ``known`` plans are additional starts."""
        problem = self.problem(drop_protected=drop_protected)
        cases = problem.cases(self.options.seeds)
        assessment = self.assess(problem)
        in_sumo = assessment is not None and not assessment.fidelity.usable
        if self.interrupted:
            outcome = not_started(len(cases))
        elif assessment is not None and in_sumo:
            outcome = self._search_in_sumo(problem, cases, assessment)
        else:
            tuner = Tuner(
                problem.space,
                assessment.surrogate if assessment is not None else problem.surrogate,
                problem.evaluator,
                cases,
                np.random.default_rng(self.options.search_seed),
                Budget(seconds=self.options.seconds),
                on_progress=self.listener.on_search,
                extra_starts=[problem.space.candidate(plan) for plan in known],
            )
            outcome = tuner.run()
        outcome = self._confirmed(outcome, problem, cases)
        self.interrupted |= outcome.interrupted
        outcome, actuation = self._actuated(outcome, problem, cases)
        files = write_plan_files(folder, outcome.plan, problem.network, actuation)
        write_trace(folder, outcome.trace)
        return Variant(name, outcome.plan, files, outcome, assessment, in_sumo, actuation), problem

    def _search_in_sumo(
        self, problem: TuningProblem, cases: Sequence[Case], assessment: FidelityAssessment
    ) -> Outcome:
        """Search in SUMO itself, from the plans of the assessment, the best first, and the usual starts."""
        self.listener.on_message(assessment.fidelity.verdict)
        order = [assessment.candidates[k] for k in np.argsort(assessment.cost, kind="stable")]
        return search_in_sumo(
            problem.space,
            problem.evaluator,
            cases,
            [c for c in [*order, *starts(problem.space)] if problem.space.legal(c)],
            np.random.default_rng(self.options.search_seed),
            Budget(seconds=self.options.seconds),
            self.listener.on_search,
            spent=assessment.runs,
        )

    def _confirmed(self, outcome: Outcome, problem: TuningProblem, cases: Sequence[Case]) -> Outcome:
        if outcome.interrupted:
            return outcome
        self.listener.on_message("running the leaders and the existing plan on additional seeds")
        try:
            return confirm(
                outcome,
                problem.space,
                problem.evaluator,
                cases,
                exclude=self.options.held_out,
                note=NOTE + Budget(seconds=self.options.seconds).note,
            )
        except KeyboardInterrupt:
            return replace(outcome, interrupted=True)

    def _actuated(
        self, outcome: Outcome, problem: TuningProblem, cases: Sequence[Case]
    ) -> tuple[Outcome, Actuation | None]:
        """With ``--kind actuated`` the stages and settings of least cost, if they beat the existing plan."""
        if self.options.kind == "static":
            return outcome, None
        space = problem.space
        chosen = [c for c in (outcome.candidate, space.existing()) if c is not None and space.legal(c)]
        if self.interrupted or not chosen:
            return outcome, Actuation()
        self.listener.on_message("racing stages, maximum greens and gaps of the actuated program in SUMO")
        note = outcome.plan.note
        if not outcome.plan.timings:
            note = NOTE + Budget(seconds=self.options.seconds).note
        plans = [space.plan(shown_once(space, candidate), note) for candidate in chosen]
        # many settings are tried: the best of them on few seeds is partly the luckiest
        cases = [*cases, *extra_cases(cases, self.options.held_out)]
        try:
            existing_cost = problem.evaluator([Plan({})], cases)[0]
            found = tune_actuation(plans, problem.evaluator, cases)
        except KeyboardInterrupt:
            self.interrupted = True
            return outcome, Actuation()
        comparison = accept(found.cost, existing_cost)
        if comparison is None:
            return (
                replace(
                    outcome,
                    plan=NOT_BEATEN,
                    candidate=None,
                    cost=existing_cost,
                    existing_cost=existing_cost,
                    comparison=None,
                ),
                None,
            )
        return (
            replace(
                outcome,
                plan=found.plan,
                candidate=shown_once(space, chosen[plans.index(found.plan)]),
                cost=found.cost,
                existing_cost=existing_cost,
                comparison=comparison,
            ),
            found.actuation,
        )

    def search_day(self, one: Variant, problem: TuningProblem) -> Variant | None:
        """Plans by time of day with the stages of ``one``; None if the search was interrupted."""
        if self.interrupted or one.outcome is None:
            return None
        try:
            planned = plan_day(
                problem,
                one.outcome.candidate or problem.space.existing(),
                one.assessment.surrogate if one.assessment is not None else problem.surrogate,
                problem.cases(self.options.seeds),
                np.random.default_rng([self.options.search_seed, 2]),
                most=self.options.day,
                seconds=self.options.seconds,
                period=self.options.day_period,
                on_message=self.listener.on_message,
            )
        except KeyboardInterrupt:
            self.interrupted = True
            return None
        first = planned.day.plans[0]
        return Variant(
            "by time of day",
            first,
            write_day_files(self.out / "day", planned.day, problem.network),
            day=planned,
            duplicate=planned.comparison is None and first.timings == one.plan.timings,
        )

    def search_front(
        self, pair: tuple[Objective, Objective]
    ) -> tuple[EvaluatedFront, list[Variant], TuningProblem]:
        """The front of two objectives, a variant for each of its points."""
        problem = self.problem(drop_protected=self.options.lefts == "drop")
        assessment = self.assess(problem)
        if self.interrupted:
            return NO_FRONT, [], problem
        front = search_front(
            problem,
            assessment.surrogate if assessment is not None else problem.surrogate,
            pair,
            problem.cases(self.options.seeds),
            np.random.default_rng(self.options.search_seed),
            seconds=self.options.seconds,
            on_progress=self.listener.on_search,
        )
        self.interrupted |= front.interrupted
        write_trace(self.out, front.trace)
        variants = [
            Variant(
                f"point {k}",
                plan,
                write_plan_files(self.out / f"point-{k}", plan, problem.network),
                assessment=assessment if k == 1 else None,
            )
            for k, plan in enumerate(front.plans, 1)
        ]
        return front, variants, problem

    def search_variants(self) -> tuple[list[Variant], TuningProblem]:
        """One plan; with ``--lefts both`` two, with ``--day`` the plans by time of day in addition."""
        if self.options.lefts == "both":
            kept, problem = self.search("lefts protected", self.out / "lefts-protected", drop_protected=False)
            if self.interrupted:
                return [kept], problem
            # a space with permitted turns holds the protected ones too: the plan found with them is a start
            known = [kept.plan] if kept.plan.timings and self.options.kind == "static" else []
            dropped, _ = self.search(
                "lefts permitted", self.out / "lefts-permitted", drop_protected=True, known=known
            )
            return [kept, dropped], problem
        one, problem = self.search(NEW, self.out, drop_protected=self.options.lefts == "drop")
        day = self.search_day(one, problem) if self.options.day else None
        return [one] if day is None else [one, day], problem

    def validation(self, variants: Sequence[Variant], problem: TuningProblem) -> Validation:
        """The new variants and the existing plan on held-out seeds and days."""
        new = [v for v in variants if v.new]
        if self.interrupted and not new:
            return Validation((), (self.scenario,))
        days = [self.scenario]
        # after Ctrl-C, and for the many plans of a front, only the demand given is run
        if not (self.interrupted or self.options.pareto):
            days = held_out_scenarios(self.scenario, self.options, self.out / "days", DAY_SEED + 1)
        return validate(
            days,
            self.options,
            new,
            problem,
            self.out,
            jobs=self.jobs,
            limits=self.limits,
            listener=self.listener,
        )


def expected_runs(options: TuningOptions) -> int:
    """Number of SUMO runs for one plan: fidelity, evaluation in each round, confirmation, validation."""
    budget = Budget()
    evaluation = budget.rounds * budget.evaluated * len(options.seeds)
    validation = 2 * len(options.held_out) * (1 + HELD_OUT_DAYS)
    return (PLANS * SEEDS if options.trust else 0) + evaluation + (LEADERS + 1) * EXTRA_SEEDS + validation


def optimize(
    scenario: Scenario,
    options: TuningOptions,
    out: Path,
    *,
    jobs: int,
    limits: Limits,
    listener: ProgressListener | None = None,
) -> TuningResult:
    """Search a plan, write its files into ``out``, and run it beside the existing plan on held-out seeds and days.

    ``jobs`` is the number of SUMO processes at a time. Ctrl-C ends the search with the best plan so far, and a second
    one the validation, before which the plans have been written. Raises InputError where nothing can be tuned.
    """
    if options.day:
        periods(scenario.begin, scenario.end, options.day_period)  # raises before the search, not after it
    out.mkdir(parents=True, exist_ok=True)
    job = TuningJob(absolute(scenario), options, out, jobs, listener or ProgressListener(), limits)
    front: EvaluatedFront | None = None
    if options.pareto is not None:
        front, variants, problem = job.search_front(options.pareto)
    else:
        variants, problem = job.search_variants()
    validation = job.validation(variants, problem)
    if options.pareto is not None and validation.values is not None:
        names = [EXISTING_NAME, *(v.name for v in variants if v.new)]
        costs = pair_costs(options.pareto, validation.values)
        write_front(out, names, [o.name for o in options.pareto], costs)
    return TuningResult(
        tuple(variants),
        problem.network,
        validation.rows,
        validation.scenarios,
        out,
        front,
        validation.values,
        job.interrupted or validation.interrupted,
    )
