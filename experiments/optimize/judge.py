"""The judge: what a plan is worth in SUMO itself, run as a plain process on the plan's exported program."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.export import Actuation, plan_xml
from experiments.optimize.measures import OUTPUTS, Reading, outputs
from experiments.optimize.objective import Objective, Term, parse_objective
from experiments.optimize.race import Case
from sim.equivalents import Equivalent, read_equivalents
from sim.errors import RunError
from sim.network import Network
from sim.plan import Plan
from sim.scenario import Scenario
from sim.sumo_input import MEASURES, write_input
from sim.sumo_world import sumo_binary, sumo_environment

Array = NDArray[np.float64]
PLAN = "plan.add.xml"
_NEW_GROUP: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows' word for a session of its own
DELAY = parse_objective("delay")


@dataclass(frozen=True)
class Program:
    """Signal programs for bare SUMO: an additional file, and the signals that it takes over."""

    xml: str
    signals: tuple[str, ...]


@dataclass(frozen=True)
class SumoJudge:
    """Runs plans in bare SUMO. ``scenarios`` are the same place under different demands."""

    network: Network
    scenarios: tuple[Scenario, ...]
    workers: int = 1  # processes at a time
    limit: float = 3600.0  # s of wall time for one run
    ran: Callable[[float], None] = field(default=lambda seconds: None, compare=False)
    """Told the wall time of each run, s, by the thread that waited for it."""
    actuation: Actuation | None = None  # judge actuated programs with the plans' stages instead
    objective: Objective = DELAY

    def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> Array:
        """Cost of plans, shape (plans, cases). Raises RunError where SUMO fails."""
        return self.objective.cost(self.values(plans, cases, self.objective.terms))

    def values(self, plans: Sequence[Plan], cases: Sequence[Case], terms: Sequence[Term]) -> Array:
        """SUMO's value of each term, shape (plans, cases, terms)."""
        programs = [self.program(plan) for plan in plans]
        return self.read(programs, cases, lambda run: run.values(terms), terms)

    def program(self, plan: Plan) -> Program:
        """A plan as this judge shows it to SUMO."""
        return Program(plan_xml(plan, self.network, actuation=self.actuation), tuple(plan.timings))

    def read(
        self,
        programs: Sequence[Program],
        cases: Sequence[Case],
        what: Callable[[Reading], Array],
        terms: Sequence[Term] = (),
    ) -> Array:
        """Run every program on every case and read ``what`` from it, shape (programs, cases, …).

        ``terms`` say what SUMO must write beside its trips. An interrupt ends the runs at once.
        """
        jobs = [(program, case) for program in programs for case in cases]
        stop = threading.Event()
        pool = ThreadPoolExecutor(max(1, self.workers))
        try:
            tasks = [pool.submit(self._job, program, case, what, terms, stop) for program, case in jobs]
            found = [task.result() for task in tasks]
        except BaseException:
            stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        table = np.array(found, dtype=np.float64)
        return table.reshape(len(programs), len(cases), *table.shape[1:])

    def _job(
        self,
        program: Program,
        case: Case,
        what: Callable[[Reading], Array],
        terms: Sequence[Term],
        stop: threading.Event,
    ) -> Array:
        scenario = self.scenarios[case.demand]
        with tempfile.TemporaryDirectory(prefix="denxanh-judge-") as name:
            folder = Path(name)
            given = write_input(
                replace(scenario, notes=()),
                folder,
                seed=case.seed,
                signals=(),
                drop_programs=program.signals,
            )
            # a full run's measures are left out: they cost time and are not looked at
            additional = [*(a for a in given.additional if a != MEASURES), PLAN]
            (folder / PLAN).write_text(program.xml, encoding="utf-8")
            more = outputs(terms, self.network)
            if more:
                (folder / OUTPUTS).write_text(more, encoding="utf-8")
                additional.append(OUTPUTS)
            began = time.perf_counter()
            self._run([*given.arguments, "--additional-files", ",".join(additional)], folder, stop)
            self.ran(time.perf_counter() - began)
            return what(Reading(folder, scenario, self.network, self._equivalents[case.demand]))

    @cached_property
    def _equivalents(self) -> tuple[dict[str, Equivalent], ...]:
        return tuple(read_equivalents((*one.routes, *one.additional)) for one in self.scenarios)

    def _run(self, arguments: Sequence[str], folder: Path, stop: threading.Event | None = None) -> None:
        with (folder / "said").open("w+b") as said:
            process = subprocess.Popen(
                [str(sumo_binary()), *arguments],
                cwd=folder,
                env=sumo_environment(),
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,  # Ctrl-C reaches us alone: a half-written run is never read
                creationflags=_NEW_GROUP,
            )
            _wait(process, self.limit, stop)
            said.seek(0)
            text = said.read().decode("utf-8", "replace")
        if process.returncode or "Error:" in text:
            lines = [line for line in text.splitlines() if line.startswith("Error:")]
            words = " ".join(lines) or text.strip() or "nothing"
            raise RunError(f"SUMO failed while judging a plan; it said: {words}")


def _wait(process: subprocess.Popen[bytes], limit: float, stop: threading.Event | None) -> None:
    """Wait for a run, and end it when we are asked to stop or it takes too long."""
    waited = 0.0
    while True:
        try:
            process.wait(timeout=0.2)
        except subprocess.TimeoutExpired:
            waited += 0.2
        else:
            return
        stopped = stop is not None and stop.is_set()
        if stopped or waited >= limit:
            process.kill()
            process.wait()
            late = f"SUMO did not finish judging a plan within {limit:g} s; use a longer --limit or a shorter --end"
            raise RunError("stopped" if stopped else late)
