"""Evaluation of plans in SUMO: each plan runs as a separate SUMO process on its exported program."""

from __future__ import annotations

import math
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.definition.days import day_of_seed
from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.measures import OUTPUTS, RunOutput, outputs
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.actuation import ActuatedPlan, Actuation
from denxanh.experiments.optimize.problem.objective import DELAY, Objective, Term
from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.experiments.specification.run_specification import absolute
from denxanh.sim.demand.equivalents import Equivalent, read_equivalents
from denxanh.sim.errors import RunError
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.run_input import MEASURES, write_input
from denxanh.sim.sumo.wheel import program_threads, start_program
from denxanh.sim.time_limit import Countdown

Array = NDArray[np.float64]
PLAN = "plan.add.xml"
_NEW_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # on Windows only


@dataclass(frozen=True)
class Program:
    """Signal programs for bare SUMO: an additional file and the signals it controls."""

    xml: str
    signals: tuple[str, ...]


@dataclass(frozen=True)
class SumoEvaluator:
    """Runs plans in bare SUMO and reads their cost. ``scenarios`` are one network under different demands."""

    network: Network
    scenarios: tuple[Scenario, ...]
    workers: int = 1  # processes at a time
    limit: float = 3600.0  # s of wall time for one run
    on_run: Callable[[float], None] = field(default=lambda seconds: None, compare=False)
    """Called with the wall time of each run, s, from the thread that waited for it."""
    actuation: Actuation | None = None  # evaluate actuated programs with the plans' stages instead
    objective: Objective = DELAY
    until: float = math.inf
    """The moment of ``time.monotonic`` from which on no run goes on: OutOfTime is raised instead."""
    cuts: tuple[float, float] = (0.0, 0.0)  # s, warm-up and flush, which are not measured
    days: Path | None = None
    """Where each seed has a day of its own: the folder of its route files. None: all have the same vehicles."""

    def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> Array:
        """Cost of plans, shape (plans, cases). Raises RunError where SUMO fails."""
        return self.objective.cost(self.values(plans, cases, self.objective.terms))

    def values(self, plans: Sequence[Plan], cases: Sequence[Case], terms: Sequence[Term]) -> Array:
        """SUMO's value of each term, shape (plans, cases, terms)."""
        programs = [self.program(plan) for plan in plans]
        return self.read(programs, cases, lambda run: run.values(terms), terms)

    def program(self, plan: Plan) -> Program:
        """The signal programs with which SUMO runs a plan."""
        actuation = plan.actuation if isinstance(plan, ActuatedPlan) else self.actuation
        return Program(plan_xml(plan, self.network, actuation=actuation), tuple(plan.timings))

    def read(
        self,
        programs: Sequence[Program],
        cases: Sequence[Case],
        reader: Callable[[RunOutput], Array],
        terms: Sequence[Term] = (),
    ) -> Array:
        """Run every program on every case and apply ``reader`` to its output, shape (programs, cases, …).

        ``terms`` decide what SUMO must write besides its trips. An interrupt ends the runs at once, and so does a
        request to end this process.
        """
        for case in cases:  # before the threads start, which would draw the same day twice
            self._scenario(case)
        jobs = [(program, case) for program in programs for case in cases]
        with program_threads(max(1, self.workers)) as (pool, stop):
            tasks = [pool.submit(self._job, program, case, reader, terms, stop) for program, case in jobs]
            found = [task.result() for task in tasks]
        table = np.array(found, dtype=np.float64)
        return table.reshape(len(programs), len(cases), *table.shape[1:])

    def _job(
        self,
        program: Program,
        case: Case,
        reader: Callable[[RunOutput], Array],
        terms: Sequence[Term],
        stop: threading.Event,
    ) -> Array:
        scenario = self._scenario(case)
        with tempfile.TemporaryDirectory(prefix="denxanh-evaluate-") as name:
            folder = Path(name)
            run_input = write_input(
                replace(scenario, notes=()),
                folder,
                seed=case.seed,
                signals=(),
                drop_programs=program.signals,
            )
            # the measures of a full run are omitted: they cost time and are not read
            additional = [*(a for a in run_input.additional if a != MEASURES), PLAN]
            (folder / PLAN).write_text(program.xml, encoding="utf-8")
            equivalents, cuts = self._equivalents[case.demand], self.cuts
            window = scenario.begin + cuts[0], scenario.end - cuts[1]
            requested = outputs(terms, self.network, window, equivalents)
            if requested:
                (folder / OUTPUTS).write_text(requested, encoding="utf-8")
                additional.append(OUTPUTS)
            began = time.perf_counter()
            self._run([*run_input.arguments, "--additional-files", ",".join(additional)], folder, stop)
            self.on_run(time.perf_counter() - began)
            return reader(RunOutput(folder, scenario, self.network, equivalents, cuts))

    def _scenario(self, case: Case) -> Scenario:
        """The demand of a case, on the day of its seed."""
        given = self.scenarios[case.demand]
        if self.days is None:
            return given
        if case not in self._drawn:
            self._drawn[case] = absolute(day_of_seed(given, case.seed, self.days))
        return self._drawn[case]

    @cached_property
    def _drawn(self) -> dict[Case, Scenario]:
        return {}

    @cached_property
    def _equivalents(self) -> tuple[dict[str, Equivalent], ...]:
        return tuple(read_equivalents((*one.routes, *one.additional)) for one in self.scenarios)

    def _run(self, arguments: Sequence[str], folder: Path, stop: threading.Event | None = None) -> None:
        if time.monotonic() > self.until:
            raise OutOfTime
        with (folder / "messages").open("w+b") as messages:
            process = start_program(
                "sumo",
                arguments,
                folder=folder,
                errors=messages,
                start_new_session=True,  # Ctrl-C reaches this process only: no half-written output is read
                creationflags=_NEW_GROUP,
            )
            _wait(process, self.limit, stop, self.until)
            messages.seek(0)
            text = messages.read().decode("utf-8", "replace")
        if process.returncode or "Error:" in text:
            lines = [line for line in text.splitlines() if line.startswith("Error:")]
            reason = " ".join(lines) or text.strip() or "no message"
            raise RunError(f"SUMO failed while evaluating a plan: {reason}")


def _wait(
    process: subprocess.Popen[bytes], limit: float, stop: threading.Event | None, until: float = math.inf
) -> None:
    """Wait for SUMO to evaluate a plan; kill it on ``stop`` or after ``limit`` s, pauses of this process not counted.

    Raises RunError if it was killed, OutOfTime if that was because ``until`` has come.
    """
    countdown = Countdown(limit)
    while True:
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            late = countdown.expired()
        else:
            return
        stopped = stop is not None and stop.is_set()
        over = time.monotonic() > until
        if stopped or late or over:
            process.kill()
            process.wait()
            if over and not stopped:
                raise OutOfTime
            reason = f"SUMO did not finish evaluating a plan within {limit:g} s"
            raise RunError("stopped" if stopped else f"{reason}; use a longer --limit or a shorter --end")
