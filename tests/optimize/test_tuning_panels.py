"""What a tuning's report says beyond a comparison, in both languages, from figures made up here."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.handover import Handed, write_front
from experiments.optimize.day import DaySchedule, Switch
from experiments.optimize.day_search import PlannedDay
from experiments.optimize.front import JudgedFront
from experiments.optimize.objective import parse_objective, parse_pair
from experiments.optimize.trusting import Believed
from experiments.optimize.tune import Judged, Outcome, Progress
from experiments.report import Panel
from experiments.tuned import Tuned, Variant
from experiments.tuning_panels import asked, believed, day, front, search, trust
from experiments.wish import Wish
from sim.errors import InputError
from sim.model.calibrate import Trust
from sim.network import Network
from sim.plan import Plan

TRUST = Trust(8, 2, 0.31, 0.12, 1.7, 0.8, 1.05, "All plans tried end within 5 % of each other.")


@pytest.fixture
def plan(pair: Network) -> Plan:
    return Plan({name: where.program for name, where in pair.intersections.items()})


@pytest.fixture
def tuned(pair: Network, plan: Plan, tmp_path: Path) -> Tuned:
    handed = Handed(tmp_path, "fixed-time", {"plan": "plan.json"})
    trace = (Progress("search", 100, 3, 1.0, 22.0, np.nan), Progress("judge", 100, 9, 1.0, 22.0, 31.0))
    judged = tuple(Judged((), 20.0 + k, np.array([30.0 + k, 31.0 + k])) for k in range(3))
    outcome = Outcome(plan, (), np.array([30.0, 31.0]), np.array([40.0, 41.0]), None, judged, trace, False)
    variant = Variant("optimised", plan, handed, outcome, Believed(None, TRUST, (), np.zeros(8), 16), True)  # type: ignore[arg-type]
    return Tuned((variant,), pair, (), (), tmp_path)


def words(panels: list[Panel], language: str) -> str:
    """Everything that a reader sees."""
    parts = [getattr(t, language) for p in panels for t in (p.heading, p.note, *(c for _, c in p.items)) if t]
    other = "vi" if language == "en" else "en"
    drawn = "".join(str(drawing) for p in panels for drawing, _ in p.items)
    drawn = re.sub(rf'<(\w+)([^>]*) lang="{other}"[^>]*>.*?</\1>', "", drawn, flags=re.DOTALL)
    return " ".join(parts) + re.sub(r"<[^>]+>", " ", drawn)


def test_a_model_that_cannot_rank_is_told_and_what_followed(tuned: Tuned):
    english, vietnamese = words(trust(tuned), "en"), words(trust(tuned), "vi")
    assert all(figure in english for figure in ("0.31", "0.12", "1.70", "0.80", "1.05"))
    assert "the budget was spent in SUMO itself" in english
    assert "0,31" in vietnamese
    assert "chạy trực tiếp trong SUMO" in vietnamese


def test_what_was_asked_for_stands_before_and_after(tuned: Tuned):
    objective = parse_objective("queue:A1B1 + 0.5*delay")
    values = np.array([[[80.0, 30.0], [84.0, 32.0]], [[40.0, 35.0], [42.0, 37.0]]])
    said = words(asked(replace(tuned, values=values), Wish(objective)), "en")
    assert "Longest queue on the named roads (A1B1)" in said
    assert all(figure in said for figure in (" 82 ", " 41 ", "−41 (", " 31 ", " 36 ", "+5 ("))
    assert "97.5" in said  # 82 + 0.5 · 31
    assert asked(tuned, Wish()) == []


def test_a_front_is_drawn_with_the_own_plan_beside_it(tuned: Tuned, tmp_path: Path):
    pair = parse_pair("delay,stops")
    points = tuple(replace(tuned.variants[0], name=f"point {k}") for k in (1, 2))
    values = np.array([[[50.0, 2.0], [52.0, 2.2]], [[30.0, 1.9], [32.0, 1.9]], [[35.0, 1.1], [37.0, 1.3]]])
    known = JudgedFront((), (), values[1:].mean(axis=1), np.zeros((0, 2)), np.ones(2), (), False)
    of = replace(tuned, variants=points, front=known, values=values)
    said = words(front(of, Wish(pareto=pair)), "en")
    assert all(text in said for text in ("own plan", "point 1", "point 2", "51.00", "31.00", "1.20"))
    assert "Thời gian trễ mỗi xe, s/xe" in words(front(of, Wish(pareto=pair)), "vi")
    write_front(tmp_path, ["own plan", "point 1", "point 2"], ["delay", "stops"], values)
    rows = (tmp_path / "pareto.csv").read_text().splitlines()
    assert rows[0] == "plan,delay,delay low,delay high,stops,stops low,stops high,file"
    assert rows[2].startswith("point 1,31,")
    assert rows[2].endswith(",point-1/plan.json")


def test_a_day_says_when_which_plan_runs(tuned: Tuned, plan: Plan):
    schedule = DaySchedule((plan, plan), (Switch(25_200, 0), Switch(27_000, 1)), 20.0)
    table = np.array([[5.0, 9.0], [8.0, 4.0]])
    planned = PlannedDay(
        schedule, (25_200, 27_000, 28_800), table, np.array([10.0]), np.array([13.0]), object()  # type: ignore[arg-type]
    )  # fmt: skip
    said = words(day(replace(tuned.variants[0], day=planned)), "en")
    assert all(text in said for text in ("7:00", "7:30", "10.0 s/veh", "13.0 s/veh"))
    single = words(day(replace(tuned.variants[0], day=replace(planned, comparison=None))), "en")
    assert "one plan runs all the time" in single


def test_the_search_is_drawn_in_the_objectives_own_unit(tuned: Tuned):
    objective = parse_objective("emissions")
    panels = [*search(tuned.variants[0], objective), *believed(tuned.variants[0], objective)]
    assert "CO2 per kilometre driven, g/km" in words(panels, "en")
    assert "own plan 40.5" in words(panels, "en")


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"day": 1}, "a day of one plan"),
        ({"day": 2, "objective": parse_objective("stops")}, "chosen by delay"),
        ({"day": 2, "lefts": "both"}, "--day and --lefts both"),
        ({"scales": (0.8,)}, "the demand as given"),
    ],
)
def test_wishes_that_exclude_each_other(wish: dict, said: str):
    with pytest.raises(InputError, match=said):
        Wish(**wish)


def test_a_plan_of_which_no_run_ended_is_unproved(tuned: Tuned):
    def rows(state: str) -> tuple[SimpleNamespace, ...]:
        return tuple(SimpleNamespace(controller=name, state=state) for name in ("own plan", "optimised"))

    assert replace(tuned, rows=rows("refused")).unproved == ["optimised"]
    assert replace(tuned, rows=rows("done")).unproved == []
    assert replace(tuned, rows=(), interrupted=True).unproved == []
