"""The outcome of a search for an actuated program, and the messages that say why."""

from __future__ import annotations

import math
import time
from typing import Any, cast

import numpy as np
import pytest

from denxanh.experiments.optimize.job.actuated_outcome import actuated_outcome
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.problem.actuation import ActuatedPlan, Actuation
from denxanh.experiments.optimize.problem.space import Space
from denxanh.experiments.optimize.search.outcome import Outcome
from denxanh.experiments.optimize.tuning_problem import TuningProblem
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from tests.experiments.optimize.conftest import CASES, HELD_OUT, Sumo, far_from, legal_start


def outcome_of(
    problem: Space, sumo: Sumo, options: TuningOptions, fixed: float = math.nan
) -> tuple[Outcome, Actuation | None, list[str]]:
    """The outcome, the settings and the messages; ``fixed``: cost of the fixed plan found, if there is one."""
    said: list[str] = []
    given: Any = sumo
    candidate = legal_start(problem) if not problem.legal(problem.existing()) else problem.existing()
    cost = np.full(8, fixed)
    plan = Plan({}) if math.isnan(fixed) else problem.plan(candidate, "found")
    outcome = Outcome(plan, candidate, cost, cost, None, (), (), False)
    tuning = TuningProblem(problem.network, problem, cast("Any", None), given)
    got, actuation = actuated_outcome(
        outcome, tuning, CASES, options, Plan({}), (), ProgressListener(on_message=said.append)
    )
    return got, actuation, said


ACTUATED = TuningOptions(kind="actuated", held_out=HELD_OUT)
LATER = 3600.0


def test_the_message_says_what_was_accepted_against_what_and_in_which_unit(pair: Network) -> None:
    until = time.monotonic() + LATER
    better = Sumo(far_from(pair, 27.0, 1.0), calls=60, until=until)
    got, actuation, said = outcome_of(Space(pair), better, ACTUATED, fixed=3.0)
    assert got.comparison is not None
    assert actuation is not None
    lacking, result, fixed = said
    assert lacking == "the leaders were not confirmed: their share of --time is over"
    assert result.startswith(f"actuated program accepted: delay {got.cost.mean():.1f} s/veh on 8 seeds, ")
    assert ", existing plan 60.0 s/veh, SUMO's default " in result
    assert fixed.startswith(
        "the fixed plan of this search has a lower delay: 3.00 s/veh, the actuated program "
    )
    assert fixed.endswith(" on the same 8 seeds; --kind static writes it")


def test_the_message_says_that_no_program_was_accepted(pair: Network) -> None:
    worse = Sumo(lambda plan: 30.0 if plan.timings else 20.0, calls=60, until=time.monotonic() + LATER)
    got, actuation, said = outcome_of(Space(pair), worse, ACTUATED)
    assert got.comparison is None
    assert actuation is None
    assert said[-1].startswith("actuated program not accepted, the existing plan stays: delay 30.0 s/veh on ")


def test_the_message_says_that_sumos_default_violates_the_constraints(three_stages: Space) -> None:
    def level(plan: Plan) -> float:
        if not isinstance(plan, ActuatedPlan):
            return 60.0
        return 5.0 if len(plan.timings["A"].stages) == 4 else 30.0

    sumo = Sumo(level, calls=60, until=time.monotonic() + LATER)
    got, _, said = outcome_of(three_stages, sumo, ACTUATED)
    assert got.cost.mean() == pytest.approx(30.0, abs=0.1)
    assert "SUMO's default (violates the constraints, for comparison only) 5.0" in said[-1]


def test_without_stages_that_keep_the_constraints_the_existing_plan_stays(three_stages: Space) -> None:
    outcome = Outcome(Plan({}), None, np.ones(3), np.ones(3), None, (), (), False)
    said: list[str] = []
    given: Any = Sumo(lambda plan: 1.0)
    tuning = TuningProblem(three_stages.network, three_stages, cast("Any", None), given)
    got, actuation = actuated_outcome(
        outcome, tuning, CASES, ACTUATED, Plan({}), (), ProgressListener(on_message=said.append)
    )
    assert (got.plan.timings, actuation) == ({}, None)
    assert said == ["no actuated program: no plan is known whose stages keep the constraints"]
