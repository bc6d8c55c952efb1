"""Which plan is the result: the plan found, unless the conventional plan is better on held-out seeds and days."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from denxanh.experiments.optimize.job.final_plan import settle
from denxanh.experiments.optimize.job.other_fidelity import fidelity_sentences
from denxanh.experiments.optimize.job.plan_files import PlanFiles, write_plan_files
from denxanh.experiments.optimize.job.result_file import result_json
from denxanh.experiments.optimize.job.tuning_options import HELD_OUT, HELD_OUT_SAME, TuningOptions
from denxanh.experiments.optimize.job.tuning_result import (
    ConventionalBaseline,
    OtherFidelity,
    TuningResult,
    Variant,
)
from denxanh.experiments.optimize.job.validation import Validation
from denxanh.experiments.optimize.problem.constraints import Constraints
from denxanh.experiments.optimize.problem.objective import parse_objective
from denxanh.experiments.optimize.problem.space import Space
from denxanh.experiments.optimize.problem.starts import as_start
from denxanh.experiments.report.optimization.baseline_text import baseline_notes
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import CONFIRMED, Scenario

NOISE = (-0.4, 0.3, 0.0, -0.1, 0.2)


def rows(place: str, means: Mapping[str, float], spread: float = 1.0) -> tuple[RunRow, ...]:
    """Five held-out seeds; the noise of a plan depends on its place among the plans, so that pairs differ."""
    return tuple(
        RunRow(place, name, 101 + k, metrics={"delay_s": mean + spread * NOISE[(k * (n + 1)) % 5]})
        for n, (name, mean) in enumerate(means.items())
        for k in range(5)
    )


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return Scenario("town", tmp_path / "net.net.xml", ())


@pytest.fixture
def plans(pair: Network) -> tuple[Plan, Plan]:
    """A plan found and the conventional one, which differ in their offsets."""
    own = {name: intersection.program for name, intersection in pair.intersections.items()}
    return Plan(own, "found"), Plan({name: replace(t, offset=7.0) for name, t in own.items()}, "textbook")


class Case:
    """A validation with made-up delays, and what became of it."""

    def __init__(self, pair: Network, plans: Sequence[Plan], scenario: Scenario, folder: Path) -> None:
        self.pair, self.plans, self.scenario, self.folder = pair, plans, scenario, folder

    def settled(self, means: Mapping[str, float], *, usable: bool = True, spread: float = 1.0) -> Variant:
        found = self.plans[0] if "optimised" in means else Plan({}, "not beaten")
        files = write_plan_files(self.folder, found, self.pair)
        validation = Validation(rows("town", means, spread), (self.scenario,))
        baseline = ConventionalBaseline(Path("conventional.json"), self.plans[1], usable)
        (out,) = settle(
            [Variant("optimised", found, files)], validation, baseline, TuningOptions(), self.pair
        )
        return out


@pytest.fixture
def case(pair: Network, plans: tuple[Plan, Plan], scenario: Scenario, tmp_path: Path) -> Case:
    return Case(pair, plans, scenario, tmp_path / "out")


def test_the_plan_found_stays_where_its_mean_is_lower(case: Case) -> None:
    out = case.settled({"assumed plan": 50.0, "conventional": 40.0, "optimised": 39.0})
    assert not out.is_conventional
    assert json.loads((case.folder / "plan.json").read_text("utf-8"))["note"] == "found"


def test_the_conventional_plan_is_the_result_where_its_mean_is_lower(case: Case) -> None:
    same = case.settled({"assumed plan": 50.0, "conventional": 39.0, "optimised": 39.0}, spread=0.0)
    assert same.is_conventional  # nothing is gained over it
    out = case.settled({"assumed plan": 50.0, "conventional": 38.9, "optimised": 39.0})
    assert out.is_conventional
    assert out.plan == case.plans[1]
    assert out.found == case.plans[0]
    assert json.loads((case.folder / "plan.json").read_text("utf-8"))["note"] == "textbook"


def test_it_never_is_where_it_changes_what_was_to_stay(case: Case) -> None:
    out = case.settled({"assumed plan": 50.0, "conventional": 30.0, "optimised": 39.0}, usable=False)
    assert not out.is_conventional


def test_the_existing_plan_gives_way_only_beyond_the_interval(case: Case) -> None:
    near = case.settled({"assumed plan": 40.0, "conventional": 39.95})
    assert not near.is_conventional
    assert not near.plan.timings
    far = case.settled({"assumed plan": 40.0, "conventional": 30.0})
    assert far.is_conventional
    assert not far.validated  # no plan of the search ran
    assert far.new


def test_another_objective_is_compared_by_its_own_values(case: Case, plans: tuple[Plan, Plan]) -> None:
    files = write_plan_files(case.folder, plans[0], case.pair)
    delays = rows("town", {"assumed plan": 50.0, "conventional": 30.0, "optimised": 39.0})
    stops = np.array([[[1.0], [1.1]], [[0.5], [0.6]]])  # existing plan, plan found; two seeds
    options = TuningOptions(parse_objective("stops"))
    baseline = ConventionalBaseline(Path("c.json"), plans[1], usable=True)

    def is_conventional(values: Sequence[Sequence[float]]) -> bool:
        validation = Validation(delays, (case.scenario,), stops, conventional_values=np.array(values))
        (out,) = settle([Variant("optimised", plans[0], files)], validation, baseline, options, case.pair)
        return out.is_conventional

    assert not is_conventional([[0.6], [0.7]])  # more stops, though less delay
    assert is_conventional([[0.4], [0.5]])


def test_a_plan_is_a_start_only_if_it_keeps_the_constraints(pair: Network, plans: tuple[Plan, Plan]) -> None:
    moved = plans[1]
    assert as_start(Space(pair), moved) is not None
    assert as_start(Space(pair, constraints=Constraints(greens=True)), moved) is not None
    assert as_start(Space(pair, constraints=Constraints(offsets=True)), moved) is None
    timing = moved.timings["A"]
    longer = replace(timing, stages=(replace(timing.stages[0], green=20.0), *timing.stages[1:]))
    changed = Plan({**moved.timings, "A": longer})
    assert as_start(Space(pair), changed) is not None
    assert as_start(Space(pair, constraints=Constraints(greens=True)), changed) is None
    assert as_start(Space(pair, constraints=Constraints(cycle=True)), changed) is None
    assert as_start(Space(pair, constraints=Constraints(signals=frozenset({"A"}))), changed) is None
    reversed_order = replace(timing, stages=timing.stages[::-1])
    other = Plan({**moved.timings, "A": reversed_order})
    assert as_start(Space(pair, constraints=Constraints(stages=True)), other) is None


def test_each_seed_has_its_own_day_unless_all_are_to_be_the_same() -> None:
    assert TuningOptions().held_out == HELD_OUT
    assert TuningOptions(days="same").held_out == HELD_OUT_SAME
    assert len(HELD_OUT) == 10


@pytest.fixture
def result(pair: Network, plans: tuple[Plan, Plan], scenario: Scenario, tmp_path: Path) -> TuningResult:
    variant = Variant("optimised", plans[0], PlanFiles(tmp_path, "fixed-time", {}))
    found = rows("town", {"assumed plan": 50.0, "conventional": 40.0, "optimised": 35.0})
    baseline = ConventionalBaseline(Path("c.json"), plans[1], usable=True)
    return TuningResult((variant,), pair, found, (scenario,), tmp_path, baseline=baseline)


def test_the_result_as_data_has_the_gain_over_the_conventional_plan_first(result: TuningResult) -> None:
    data = result_json(result, TuningOptions())
    first, *others = data["gains"]
    assert (first["plan"], first["over"]) == ("optimised", "conventional")
    assert [(g["plan"], g["over"]) for g in others] == [
        ("assumed plan", "conventional"),
        ("optimised", "assumed plan"),
        ("conventional", "assumed plan"),
    ]
    assert first["gain_s"] == pytest.approx(5.0, abs=1e-9)
    assert first["per_cent"] == pytest.approx(12.5, abs=1e-9)
    assert first["low_s"] < 5 < first["high_s"]
    assert data["plans"][0]["result"] == "found"
    assert data["held_out_seeds"] == [101, 102, 103, 104, 105]
    confirmed = replace(result, scenarios=(replace(result.scenarios[0], plan_source=CONFIRMED),))
    assert result_json(confirmed, TuningOptions())["existing_plan"] == "existing plan"
    assert data["existing_plan"] == "assumed plan"


@pytest.mark.parametrize(
    ("there", "said", "vietnamese"),
    [
        (33.0, "the gain holds, 7.0 s/veh (", "vẫn đúng"),
        (47.0, "the gain does not hold, −7.0 s/veh (", "không còn đúng"),
        (39.9, "the gain is not shown, 0.1 s/veh (", "chưa được chứng minh"),
    ],
)
def test_whether_the_gain_holds_in_the_other_fidelity_is_said(
    result: TuningResult, there: float, said: str, vietnamese: str
) -> None:
    other = OtherFidelity(
        replace(result.scenarios[0], name="town:sublane"),
        rows("town:sublane", {"assumed plan": 60.0, "conventional": 40.0, "optimised": there}),
    )
    found = fidelity_sentences(result.rows, other)
    sentence = next(s for s in found if s.en.startswith("optimised over conventional in town:sublane"))
    assert said in sentence.en
    assert ", here 5.0 s/veh (" in sentence.en
    assert vietnamese in sentence.vi
    notes = baseline_notes(replace(result, other_fidelity=other), TuningOptions())
    assert sentence in notes
    refused = OtherFidelity(other.scenario, reason=Text("18197 vehicles", "18197 xe"))
    (only,) = fidelity_sentences(result.rows, refused)
    assert only.en == "Not judged in town:sublane: 18197 vehicles."
    assert only.vi == "Chưa đánh giá trong town:sublane: 18197 xe."


def test_the_report_says_that_the_conventional_plan_is_the_result(
    result: TuningResult, plans: tuple[Plan, Plan]
) -> None:
    variant = replace(result.variants[0], plan=plans[1], is_conventional=True, found=plans[0])
    notes = baseline_notes(replace(result, variants=(variant,)), TuningOptions())
    assert "the plan found is no better than the conventional plan on held-out seeds and days" in notes[0].en
    assert any("in 95 of 100 such studies" in note.en for note in notes)
