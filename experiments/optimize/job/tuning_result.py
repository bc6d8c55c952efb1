"""The result of ``denxanh optimize``: one or more plans and the held-out runs that validate them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.job.plan_files import PlanFiles
from denxanh.experiments.optimize.problem.plan_programs import Actuation
from denxanh.experiments.optimize.search.day_search import PlannedDay
from denxanh.experiments.optimize.search.fidelity import FidelityAssessment
from denxanh.experiments.optimize.search.front import EvaluatedFront
from denxanh.experiments.optimize.search.outcome import Outcome
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text
from denxanh.sim.model.calibrate import Fidelity
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

Array = NDArray[np.float64]

NEW = "optimised"
"""Name of the new plan in tables and reports, where the label of its runs holds a path."""
EXISTING = "program"  # the controller that runs the existing plan
EXISTING_NAME = "existing plan"  # and its name in tables and reports


def cycle_range(plan: Plan) -> str:
    """The cycles of a plan, s, as ``90`` or ``60–90``."""
    cycles = sorted({round(timing.cycle) for timing in plan.timings.values()})
    return str(cycles[0]) if len(cycles) == 1 else f"{cycles[0]}–{cycles[-1]}"


def budget_note(seconds: float) -> Text:
    """That a search limited by ``seconds`` depends on the machine."""
    return Text(
        f"The search was limited to {seconds:g} s, so another or a busier machine may find another plan; "
        "the figures of this plan are SUMO's and can be repeated.",
        f"Thời gian tìm kiếm giới hạn {seconds:g} s nên máy khác hoặc máy đang bận có thể tìm ra phương án khác; "
        "số liệu của phương án này là của SUMO và có thể lặp lại.",
    )


@dataclass(frozen=True)
class Variant:
    """One plan of the result. An empty ``plan``: the existing plan was not beaten."""

    name: str  # in tables and reports
    plan: Plan
    files: PlanFiles
    outcome: Outcome | None = None
    assessment: FidelityAssessment | None = None
    searched_in_sumo: bool = False  # because the surrogate could not rank plans
    actuation: Actuation | None = None
    day: PlannedDay | None = None
    duplicate: bool = False  # a day of one plan that another variant has already

    @property
    def new(self) -> bool:
        """Whether there is a plan to validate."""
        return bool(self.plan.timings) and not self.duplicate


@dataclass(frozen=True)
class TuningResult:
    """The plans found and SUMO's runs of them on held-out seeds and days."""

    variants: tuple[Variant, ...]
    network: Network
    rows: tuple[RunRow, ...]  # empty if the validation was interrupted
    scenarios: tuple[Scenario, ...]  # the scenario given, then other days of it
    folder: Path
    front: EvaluatedFront | None = None
    values: Array | None = None
    """(existing plan and new variants, cases, terms) on held-out seeds; None where the objective is delay."""
    interrupted: bool = False

    @property
    def plan(self) -> Plan:
        """The plan found, the first of several; empty where the existing plan was not beaten."""
        return self.variants[0].plan

    @property
    def new(self) -> tuple[Variant, ...]:
        """The variants with a plan to validate."""
        return tuple(v for v in self.variants if v.new)

    @property
    def unvalidated(self) -> list[str]:
        """Names of new plans without a finished held-out run, although the validation was not interrupted."""
        finished = {row.controller for row in self.rows if row.done}
        return [v.name for v in self.new if not self.interrupted and v.name not in finished]

    @property
    def fidelity(self) -> Fidelity | None:
        """The measured fidelity of the surrogate, None if it was not measured."""
        return next((v.assessment.fidelity for v in self.variants if v.assessment is not None), None)
