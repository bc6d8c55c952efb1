"""The judge: what a plan is worth in SUMO itself, run as a plain process on the plan's exported program.

Delay is (time lost by every inserted vehicle + waiting before insertion of every vehicle) over all vehicles,
those that never finished or never entered included.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.export import Actuation, plan_xml
from experiments.optimize.race import Case
from sim.errors import RunError
from sim.network import Network
from sim.plan import Plan
from sim.scenario import Scenario
from sim.sumo_input import MEASURES, TRIPINFO, write_input
from sim.sumo_world import sumo_binary, sumo_environment
from sim.trips import read_trips

Array = NDArray[np.float64]
PLAN = "plan.add.xml"


@dataclass(frozen=True)
class SumoJudge:
    """Runs plans in bare SUMO. ``scenarios`` are the same place under different demands."""

    network: Network
    scenarios: tuple[Scenario, ...]
    workers: int = 1  # processes at a time
    limit: float = 600.0  # s of wall time for one run
    actuation: Actuation | None = None  # judge actuated programs with the plans' stages instead

    def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> Array:
        """Delay in s/veh, shape (plans, cases). Raises RunError where SUMO fails."""
        jobs = [(plan, case) for plan in plans for case in cases]
        with ThreadPoolExecutor(max(1, self.workers)) as pool:
            values = list(pool.map(lambda job: self._delay(*job), jobs))
        return np.array(values, dtype=np.float64).reshape(len(plans), len(cases))

    def _delay(self, plan: Plan, case: Case) -> float:
        scenario = self.scenarios[case.demand]
        with tempfile.TemporaryDirectory(prefix="denxanh-judge-") as name:
            folder = Path(name)
            given = write_input(
                replace(scenario, notes=()), folder, seed=case.seed, signals=(), drop_programs=plan.timings
            )
            # a full run's measures are left out: they cost time and are not looked at
            additional = [*(a for a in given.additional if a != MEASURES), PLAN]
            xml = plan_xml(plan, self.network, actuation=self.actuation)
            (folder / PLAN).write_text(xml, encoding="utf-8")
            self._run([*given.arguments, "--additional-files", ",".join(additional)], folder)
            return mean_delay(folder / TRIPINFO)

    def _run(self, arguments: Sequence[str], folder: Path) -> None:
        command = [str(sumo_binary()), *arguments]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=sumo_environment(),
                capture_output=True,
                text=True,
                timeout=self.limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise RunError(f"SUMO did not finish within {self.limit:g} s") from None
        if done.returncode or "Error:" in done.stderr:
            lines = [line for line in done.stderr.splitlines() if line.startswith("Error:")]
            said = " ".join(lines) or done.stderr.strip() or "nothing"
            raise RunError(f"SUMO failed while judging a plan; it said: {said}")


def mean_delay(tripinfo: Path) -> float:
    """Delay of a run in s/veh, shown to be complete by its closed tripinfo."""
    trips, _ = read_trips(tripinfo)
    if not len(trips):
        raise RunError("no vehicle was simulated")
    lost = float(trips.time_loss[trips.inserted].sum())
    return (lost + float(trips.depart_delay.sum())) / len(trips)
