"""The result of ``denxanh optimize``: one or more plans and the held-out runs that validate them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.job.plan_files import PlanFiles
from denxanh.experiments.optimize.problem.actuation import Actuation
from denxanh.experiments.optimize.search.day_search import PlannedDay
from denxanh.experiments.optimize.search.fidelity import FidelityAssessment
from denxanh.experiments.optimize.search.front import EvaluatedFront
from denxanh.experiments.optimize.search.outcome import NOT_BEATEN, Outcome
from denxanh.experiments.results.references import EXISTING_NAME, existing_name
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text
from denxanh.sim.model.calibrate import Fidelity
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

Array = NDArray[np.float64]

NEW = "optimised"
"""Name of the optimised plan in tables and reports, where the label of its runs holds a path."""


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
    """One plan of the result. An empty ``plan``: the existing plan was not beaten.

    Where ``is_conventional`` the result is the conventional plan, which was better on held-out seeds and days than the
    plan found; ``found`` then is that plan, empty where the search found none.
    """

    name: str  # in tables and reports
    plan: Plan
    files: PlanFiles
    outcome: Outcome | None = None
    assessment: FidelityAssessment | None = None
    searched_in_sumo: bool = False  # because the surrogate could not rank plans
    actuation: Actuation | None = None
    day: PlannedDay | None = None
    duplicate: bool = False  # a day of one plan that another variant has already
    is_conventional: bool = False
    found: Plan | None = None  # None: ``plan``

    @property
    def new(self) -> bool:
        """Whether there is a plan other than the existing one."""
        return bool(self.plan.timings) and not self.duplicate

    @property
    def validated(self) -> bool:
        """Whether the search found a plan, which then ran on held-out seeds under the variant's name."""
        found = self.plan if self.found is None else self.found
        return bool(found.timings) and not self.duplicate


@dataclass(frozen=True)
class ConventionalBaseline:
    """The conventional plan beside which the plans are judged; ``file`` is None where there is none, for a reason.

    ``usable``: it keeps all constraints, so it is a start of the search and may be the result. ``values`` (cases,
    terms) are SUMO's on held-out seeds, None where the objective is delay.
    """

    file: Path | None = None
    plan: Plan = NOT_BEATEN
    usable: bool = False
    reason: str = ""
    values: Array | None = None


NO_BASELINE = ConventionalBaseline()


@dataclass(frozen=True)
class OtherFidelity:
    """The plans judged in the other fidelity of the place, or the reason why they were not."""

    scenario: Scenario
    rows: tuple[RunRow, ...] = ()
    reason: Text | None = None


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
    """(existing plan and validated variants, cases, terms) on held-out seeds; None where the objective is delay."""
    interrupted: bool = False
    baseline: ConventionalBaseline = NO_BASELINE
    other_fidelity: OtherFidelity | None = None  # None where the plans were not judged in it

    @property
    def existing_name(self) -> str:
        """The name of the existing plan in tables and reports."""
        return existing_name(self.scenarios[0]) if self.scenarios else EXISTING_NAME

    @property
    def validated(self) -> tuple[Variant, ...]:
        """The variants whose plan of the search ran on held-out seeds."""
        return tuple(v for v in self.variants if v.validated)

    @property
    def plan(self) -> Plan:
        """The plan found, the first of several; empty where the existing plan was not beaten."""
        return self.variants[0].plan

    @property
    def new(self) -> tuple[Variant, ...]:
        """The variants with a plan other than the existing one."""
        return tuple(v for v in self.variants if v.new)

    @property
    def unvalidated(self) -> list[str]:
        """Names of optimised plans without a finished held-out run, although the validation was not interrupted."""
        finished = {row.controller for row in self.rows if row.done}
        return [v.name for v in self.validated if not self.interrupted and v.name not in finished]

    @property
    def fidelity(self) -> Fidelity | None:
        """The measured fidelity of the surrogate, None if it was not measured."""
        return next((v.assessment.fidelity for v in self.variants if v.assessment is not None), None)
