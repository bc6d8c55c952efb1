"""Panels of an optimisation report in both languages, from made-up results."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.evaluated import Evaluated
from denxanh.experiments.optimize.job.plan_files import PlanFiles, write_front
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import TuningResult, Variant
from denxanh.experiments.optimize.problem.day_schedule import DaySchedule, Switch
from denxanh.experiments.optimize.problem.objective import parse_objective, parse_pair
from denxanh.experiments.optimize.search.day_search import PlannedDay
from denxanh.experiments.optimize.search.fidelity import FidelityAssessment
from denxanh.experiments.optimize.search.front import EvaluatedFront
from denxanh.experiments.optimize.search.outcome import Outcome, Progress
from denxanh.experiments.report import Panel
from denxanh.experiments.report.optimization.tuning_panels import (
    day_panel,
    fidelity_panel,
    front_panel,
    objective_panel,
    prediction_panel,
    search_panel,
)
from denxanh.experiments.runs.run_row import RunRow, State
from denxanh.sim.errors import InputError
from denxanh.sim.model.calibrate import Fidelity
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan

FIDELITY = Fidelity(8, 2, 0.31, 0.12, 1.7, 0.8, 1.05, "All plans tried end within 5 % of each other.")


@pytest.fixture
def plan(pair: Network) -> Plan:
    return Plan({name: intersection.program for name, intersection in pair.intersections.items()})


@pytest.fixture
def tuned(pair: Network, plan: Plan, tmp_path: Path) -> TuningResult:
    files = PlanFiles(tmp_path, "fixed-time", {"plan": "plan.json"})
    trace = (Progress("search", 100, 3, 1.0, 22.0, np.nan), Progress("evaluate", 100, 9, 1.0, 22.0, 31.0))
    evaluated = tuple(Evaluated((), 20.0 + k, np.array([30.0 + k, 31.0 + k])) for k in range(3))
    outcome = Outcome(plan, (), np.array([30.0, 31.0]), np.array([40.0, 41.0]), None, evaluated, trace, False)
    variant = Variant(
        "optimised", plan, files, outcome, FidelityAssessment(None, FIDELITY, (), np.zeros(8), 16), True
    )  # type: ignore[arg-type]
    return TuningResult((variant,), pair, (), (), tmp_path)


def words(panels: list[Panel], language: str) -> str:
    """All text of the panels in one language."""
    parts = [getattr(t, language) for p in panels for t in (p.heading, p.note, *(c for _, c in p.items)) if t]
    other = "vi" if language == "en" else "en"
    drawn = "".join(str(drawing) for p in panels for drawing, _ in p.items)
    drawn = re.sub(rf'<(\w+)([^>]*) lang="{other}"[^>]*>.*?</\1>', "", drawn, flags=re.DOTALL)
    return " ".join(parts) + re.sub(r"<[^>]+>", " ", drawn)


def test_a_surrogate_that_cannot_rank_is_reported_with_its_consequence(tuned: TuningResult):
    english, vietnamese = words(fidelity_panel(tuned), "en"), words(fidelity_panel(tuned), "vi")
    assert all(figure in english for figure in ("0.31", "0.12", "1.70", "0.80", "1.05"))
    assert "the search ran in SUMO itself" in english
    assert "0,31" in vietnamese
    assert "chạy trực tiếp trong SUMO" in vietnamese


def test_the_objective_is_shown_before_and_after(tuned: TuningResult):
    objective = parse_objective("queue:A1B1 + 0.5*delay")
    values = np.array([[[80.0, 30.0], [84.0, 32.0]], [[40.0, 35.0], [42.0, 37.0]]])
    said = words(objective_panel(replace(tuned, values=values), TuningOptions(objective)), "en")
    assert "Longest queue on the named roads (A1B1)" in said
    assert all(figure in said for figure in (" 82 ", " 41 ", "−41 (", " 31 ", " 36 ", "+5 ("))
    assert "97.5" in said  # 82 + 0.5 · 31
    assert objective_panel(tuned, TuningOptions()) == []


def test_a_front_is_drawn_with_the_existing_plan(tuned: TuningResult, tmp_path: Path):
    pair = parse_pair("delay,stops")
    points = tuple(replace(tuned.variants[0], name=f"point {k}") for k in (1, 2))
    values = np.array([[[50.0, 2.0], [52.0, 2.2]], [[30.0, 1.9], [32.0, 1.9]], [[35.0, 1.1], [37.0, 1.3]]])
    known = EvaluatedFront((), (), values[1:].mean(axis=1), np.zeros((0, 2)), np.ones(2), (), False)
    of = replace(tuned, variants=points, front=known, values=values)
    said = words(front_panel(of, TuningOptions(pareto=pair)), "en")
    assert all(text in said for text in ("existing plan", "point 1", "point 2", "51.00", "31.00", "1.20"))
    assert "Thời gian trễ mỗi xe, s/xe" in words(front_panel(of, TuningOptions(pareto=pair)), "vi")
    write_front(tmp_path, ["existing plan", "point 1", "point 2"], ["delay", "stops"], values)
    rows = (tmp_path / "pareto.csv").read_text().splitlines()
    assert rows[0] == "plan,delay,delay low,delay high,stops,stops low,stops high,file"
    assert rows[2].startswith("point 1,31,")
    assert rows[2].endswith(",point-1/plan.json")


def test_a_day_shows_its_schedule(tuned: TuningResult, plan: Plan):
    schedule = DaySchedule((plan, plan), (Switch(25_200, 0), Switch(27_000, 1)), 20.0)
    table = np.array([[5.0, 9.0], [8.0, 4.0]])
    planned = PlannedDay(
        schedule, (25_200, 27_000, 28_800), table, np.array([10.0]), np.array([13.0]), object()  # type: ignore[arg-type]
    )  # fmt: skip
    said = words(day_panel(replace(tuned.variants[0], day=planned)), "en")
    assert all(text in said for text in ("7:00", "7:30", "10.0 s/veh", "13.0 s/veh"))
    single = words(day_panel(replace(tuned.variants[0], day=replace(planned, comparison=None))), "en")
    assert "one plan runs all the time" in single


def test_the_search_is_drawn_in_the_objectives_own_unit(tuned: TuningResult):
    objective = parse_objective("emissions")
    panels = [*search_panel(tuned.variants[0], objective), *prediction_panel(tuned.variants[0], objective)]
    assert "CO2 per kilometre driven, g/km" in words(panels, "en")
    assert "existing plan 40.5" in words(panels, "en")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"day": 1}, "a day with one plan"),
        ({"day": 2, "objective": parse_objective("stops")}, "chosen by delay"),
        ({"day": 2, "lefts": "both"}, "--day and --lefts both are mutually exclusive"),
        ({"scales": (0.8,)}, "the demand as given"),
    ],
)
def test_options_that_are_mutually_exclusive(options: dict, said: str):
    with pytest.raises(InputError, match=said):
        TuningOptions(**options)


def test_a_plan_of_which_no_run_ended_is_unvalidated(tuned: TuningResult):
    def rows(state: State) -> tuple[RunRow, ...]:
        return tuple(RunRow("x", name, 1, state) for name in ("existing plan", "optimised"))

    assert replace(tuned, rows=rows("refused")).unvalidated == ["optimised"]
    assert replace(tuned, rows=rows("done")).unvalidated == []
    assert replace(tuned, rows=(), interrupted=True).unvalidated == []
