"""The steps of one optimisation and the state that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from denxanh.controllers.fixed.fixed_time import read_plan
from denxanh.experiments.optimize.evaluation.deadline import Deadline, OutOfTime, Stage
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.job.actuated_outcome import actuated_outcome
from denxanh.experiments.optimize.job.conventional import NotRaced, conventional_plan_file
from denxanh.experiments.optimize.job.expected_runs import expected_runs
from denxanh.experiments.optimize.job.other_fidelity import judge
from denxanh.experiments.optimize.job.plan_files import (
    write_conventional,
    write_day_files,
    write_plan_files,
    write_trace,
)
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import (
    NEW,
    NO_BASELINE,
    ConventionalBaseline,
    OtherFidelity,
    Variant,
)
from denxanh.experiments.optimize.job.validation import Validation, held_out_scenarios, validate
from denxanh.experiments.optimize.problem.actuation import ActuatedPlan, Actuation
from denxanh.experiments.optimize.problem.objective import Objective
from denxanh.experiments.optimize.problem.space import Candidate
from denxanh.experiments.optimize.problem.starts import as_start, starts
from denxanh.experiments.optimize.search.confirmation import confirm
from denxanh.experiments.optimize.search.day_search import plan_day
from denxanh.experiments.optimize.search.fidelity import FidelityAssessment, assess_fidelity
from denxanh.experiments.optimize.search.front import NO_FRONT, EvaluatedFront, search_front
from denxanh.experiments.optimize.search.outcome import NOT_BEATEN, NOTE, Outcome, not_started
from denxanh.experiments.optimize.search.search_in_sumo import search_in_sumo
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.experiments.optimize.tuning_problem import TuningProblem, prepare_problem
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.operation import operation_notes

FEW_SEEDS = 5  # held-out seeds after Ctrl-C, and for the plans of a front
NAMED = 5  # signals that a message names
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
    run_options: RunOptions  # of the validation, with warm-up and flush in s
    cluster: str | None = None  # address of the Dask scheduler whose workers make the held-out runs
    deadline: Deadline = field(default_factory=Deadline)
    # the conventional plan is to be computed, once the options have been checked
    needs_baseline: bool = False
    baseline: ConventionalBaseline = field(default=NO_BASELINE)
    interrupted: bool = field(default=False)
    warned_of_time: bool = field(default=False)
    reported_ignored: bool = field(default=False)

    @property
    def cuts(self) -> tuple[float, float]:
        """Warm-up and flush, s."""
        return float(self.run_options.warm_up), float(self.run_options.flush)

    def problem(self, *, drop_protected: bool) -> TuningProblem:
        """The scenario prepared for tuning. Raises InputError where nothing can be tuned."""
        options = self.options
        problem = prepare_problem(
            self.scenario,
            options.problem_options(drop_protected=drop_protected, seed=DAY_SEED, cuts=self.cuts),
            folder=self.out / "days",
            workers=self.jobs,
        )
        if options.pareto:
            options.pareto[1].check(problem.network)
        self._report_ignored(problem)
        evaluator = replace(
            problem.evaluator,
            limit=self.run_options.limits.wall,
            on_run=self.warn_if_slow,
            days=self.out / "days" if options.days == "each" else None,
        )
        return replace(problem, evaluator=evaluator)

    def find_conventional(self) -> None:
        """Compute the conventional plan; where there is none, its reason is kept and reported."""
        try:
            file = conventional_plan_file(
                self.scenario,
                jobs=self.jobs,
                on_message=self.listener.on_message,
                until=self.deadline.until("conventional"),
            )
        except NotRaced as found:
            file = write_conventional(self.out, found.plan)
            self.baseline = ConventionalBaseline(file, found.plan)
            self.listener.on_message(
                "conventional plan: the queue model chose its cycle, SUMO had no time to"
            )
        except KeyboardInterrupt:
            self.interrupted = True
            self.baseline = ConventionalBaseline(reason="interrupted")
        except InputError as error:
            self.baseline = ConventionalBaseline(reason=str(error))
            self.listener.on_message(f"no conventional plan: {error}")
        else:
            self.baseline = ConventionalBaseline(file, read_plan(str(file)))

    def _known(self, problem: TuningProblem, plans: Sequence[Plan]) -> list[Candidate]:
        """Plans that run in SUMO before the search: the conventional one if it keeps the constraints, and ``plans``."""
        if self.needs_baseline:
            self.needs_baseline = False
            self.find_conventional()
        conventional = as_start(problem.space, self.baseline.plan)
        self.baseline = replace(self.baseline, usable=conventional is not None)
        known = [problem.space.candidate(plan) for plan in plans]
        return known if conventional is None else [conventional, *known]

    def _report_ignored(self, problem: TuningProblem) -> None:
        """Report once which signals stay as they are, and what SUMO simulates and the surrogate does not.

        That is vehicles, and programs not by the clock.
        """
        ignored = problem.surrogate.models[0].demand.ignored
        counts = ", ".join(
            f"{n} × {kind}" for kind, n in sorted(ignored.items()) if kind.endswith("of its own")
        )
        if self.reported_ignored:
            return
        self.reported_ignored = True
        if unchanging := problem.space.unchanging:
            names = ", ".join(one.id for one in unchanging[:NAMED]) + (
                ", …" if len(unchanging) > NAMED else ""
            )
            self.listener.on_message(
                f"{len(unchanging)} × a signal that shows one state only and stays as it is: {names}"
            )
        for said in operation_notes(problem.network.by_operation()):
            self.listener.on_message(said.en)
        if counts:
            self.listener.on_message(f"not in the model, but in every run of SUMO: {counts}")

    def warn_if_slow(self, seconds: float) -> None:
        """Report once if a run of SUMO takes so long (s) that the search will take LONG minutes or more."""
        runs = expected_runs(self.options)
        minutes = runs * seconds / self.jobs / 60
        if (
            self.warned_of_time or minutes < LONG or self.options.time is not None
        ):  # with --time the clock ends it
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
            return assess_fidelity(self._until("fidelity", problem), self.options.seeds, rng)
        except OutOfTime:
            self.listener.on_message(
                "the fidelity of the model was not measured: its share of --time is over"
            )
            return None
        except KeyboardInterrupt:
            self.interrupted = True
            return None

    def _until(self, stage: Stage, problem: TuningProblem) -> TuningProblem:
        """The problem with an evaluator that ends its runs when the stage is over."""
        evaluator = replace(problem.evaluator, until=self.deadline.until(stage))
        return replace(problem, evaluator=evaluator)

    @property
    def _budget(self) -> Budget:
        return Budget(seconds=self.options.seconds, until=self.deadline.until("search"))

    def search(
        self,
        name: str,
        folder: Path,
        *,
        drop_protected: bool,
        known: Sequence[Plan] = (),
        actuated: Sequence[ActuatedPlan] = (),
    ) -> tuple[Variant, TuningProblem]:
        """Search one plan and write its files; ``known`` plans and ``actuated`` programs take part."""
        problem = self.problem(drop_protected=drop_protected)
        cases = problem.cases(self.options.seeds)
        started = self._known(problem, known)
        assessment = None if self.interrupted else self.assess(problem)
        in_sumo = assessment is not None and not assessment.fidelity.usable
        limited = self._until("search", problem)
        if self.interrupted:
            outcome = not_started(len(cases))
        elif assessment is not None and in_sumo:
            outcome = self._search_in_sumo(limited, cases, assessment, started)
        else:
            tuner = Tuner(
                problem.space,
                assessment.surrogate if assessment is not None else problem.surrogate,
                limited.evaluator,
                cases,
                np.random.default_rng(self.options.search_seed),
                self._budget,
                on_progress=self.listener.on_search,
                extra_starts=started,
            )
            outcome = tuner.run()
        outcome = self._confirmed(outcome, problem, cases)
        self.interrupted |= outcome.interrupted
        outcome, actuation = self._actuated(outcome, problem, cases, actuated)
        files = write_plan_files(folder, outcome.plan, problem.network, actuation)
        write_trace(folder, outcome.trace)
        return Variant(name, outcome.plan, files, outcome, assessment, in_sumo, actuation), problem

    def _search_in_sumo(
        self,
        problem: TuningProblem,
        cases: Sequence[Case],
        assessment: FidelityAssessment,
        known: Sequence[Candidate],
    ) -> Outcome:
        """Search in SUMO itself, from the plans of the assessment, the best first, and the usual starts."""
        self.listener.on_message(assessment.fidelity.verdict)
        order = [assessment.candidates[k] for k in np.argsort(assessment.cost, kind="stable")]
        return search_in_sumo(
            problem.space,
            problem.evaluator,
            cases,
            [c for c in [*known, *order, *starts(problem.space)] if problem.space.legal(c)]
            or [problem.space.existing()],
            np.random.default_rng(self.options.search_seed),
            self._budget,
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
                self._until("confirmation", problem).evaluator,
                cases,
                exclude=self.options.held_out,
                note=NOTE + self._budget.note,
            )
        except OutOfTime:
            self.listener.on_message("the leaders were not confirmed: their share of --time is over")
            return outcome
        except KeyboardInterrupt:
            return replace(outcome, interrupted=True)

    def _actuated(
        self, outcome: Outcome, problem: TuningProblem, cases: Sequence[Case], known: Sequence[ActuatedPlan]
    ) -> tuple[Outcome, Actuation | None]:
        """With ``--kind actuated`` the actuated program of least cost, if it beats the existing plan."""
        if self.options.kind == "static":
            return outcome, None
        if self.interrupted:
            return self._without_program(outcome, "the search was interrupted")
        self.listener.on_message(
            "searching stages, greens, gaps and coordination of the actuated program in SUMO"
        )
        try:
            found, actuation = actuated_outcome(
                outcome,
                self._until("actuation", problem),
                cases,
                self.options,
                self.baseline.plan,
                known,
                self.listener,
            )
        except KeyboardInterrupt:
            self.interrupted = True
            return self._without_program(outcome, "the search was interrupted")
        except OutOfTime:
            return self._without_program(outcome, "its share of --time is over")
        self.interrupted |= found.interrupted
        return found, actuation

    def _without_program(self, outcome: Outcome, why: str) -> tuple[Outcome, None]:
        """The outcome without a plan: what never ran is not written."""
        self.listener.on_message(f"no actuated program was raced to its end: {why}")
        cost = outcome.existing_cost
        return replace(outcome, plan=NOT_BEATEN, candidate=None, cost=cost, comparison=None), None

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
        known = self._known(problem, ())
        assessment = None if self.interrupted else self.assess(problem)
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
            extra_starts=known,
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
            programs = (
                [ActuatedPlan(kept.plan.timings, kept.plan.note, kept.actuation)]
                if kept.actuation is not None
                else []
            )
            dropped, _ = self.search(
                "lefts permitted",
                self.out / "lefts-permitted",
                drop_protected=True,
                known=known,
                actuated=programs,
            )
            return [kept, dropped], problem
        one, problem = self.search(NEW, self.out, drop_protected=self.options.lefts == "drop")
        day = self.search_day(one, problem) if self.options.day else None
        return [one] if day is None else [one, day], problem

    def validation(self, variants: Sequence[Variant], problem: TuningProblem) -> Validation:
        """The plans found, the existing and the conventional one on held-out seeds and days."""
        found = [v for v in variants if v.validated]
        if self.interrupted and not found:
            return Validation((), (self.scenario,))
        days, seeds = [self.scenario], self.options.held_out
        # after Ctrl-C, and for the many plans of a front, only the demand given is run
        if self.interrupted or self.options.pareto:
            seeds = seeds[:FEW_SEEDS]
        else:
            days = held_out_scenarios(self.scenario, self.options, self.out / "days", DAY_SEED + 1)
        return validate(
            days,
            self.options,
            found,
            self.baseline,
            self._until("validation", problem),
            self.out,
            seeds=seeds,
            jobs=self.jobs,
            run_options=self.run_options,
            listener=self._timed("validation"),
            cluster=self.cluster,
        )

    def _timed(self, stage: Stage) -> ProgressListener:
        """The listener, which ends a stage of whole runs when its time is over."""
        return replace(self.listener, on_wait=lambda: self.deadline.check(stage))

    def judge_in_other_fidelity(self, variants: Sequence[Variant]) -> OtherFidelity | None:
        """The plans found, the existing and the conventional one in the other fidelity of the place."""
        if self.interrupted or self.options.pareto is not None:
            return None
        return judge(
            self.scenario,
            self.options,
            [v for v in variants if v.validated],
            self.baseline,
            self.out,
            jobs=self.jobs,
            run_options=self.run_options,
            listener=self._timed("other fidelity"),
            cluster=self.cluster,
        )
