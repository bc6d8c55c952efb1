"""``--time``: every stage ends at its share of the wall-clock time, with what it has by then."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from denxanh.experiments.cli import tuning_printing
from denxanh.experiments.cli.tuning_printing import ProgressLine
from denxanh.experiments.optimize.evaluation.deadline import ENDS, ENDS_ACTUATED, Deadline, OutOfTime
from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.optimize.search.search_in_sumo import search_in_sumo
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

CASES = [Case(0, 1), Case(0, 2), Case(0, 3)]
LATER = 3600.0  # s: so long that the time of a test never matters


def test_the_stages_end_in_order_and_leave_time_for_the_report() -> None:
    now = [100.0]
    deadline = Deadline(200.0, lambda: now[0]).started()
    ends = [deadline.until(stage) for stage in ENDS]
    assert ends == sorted(ends)
    assert ends[-1] < 300.0
    assert deadline.until("search") == 100.0 + 0.6 * 200.0
    now[0] = 219.0
    deadline.check("search")
    now[0] = 221.0
    with pytest.raises(OutOfTime):
        deadline.check("search")
    deadline.check("validation")  # a later stage goes on


def test_without_a_time_no_stage_ends() -> None:
    deadline = Deadline().started()
    assert all(math.isinf(deadline.until(stage)) for stage in ENDS)
    for stage in ENDS:
        deadline.check(stage)


class LateEvaluator:
    """Costs by offset of the second signal; out of time from call ``calls`` on."""

    def __init__(self, calls: int) -> None:
        self.calls = calls
        self.known: dict[float, float] = {}

    def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray:
        if self.calls == 0:
            raise OutOfTime
        self.calls -= 1
        level = [10.0 + p.timings["B"].offset / 10 if p.timings else 30.0 for p in plans]
        noise = [np.random.default_rng(c.seed).normal(0, 0.1) for c in cases]
        return np.array(level)[:, None] + np.array(noise)


def surrogate(candidates: Sequence[Candidate]) -> np.ndarray:
    return np.array([10.0 + candidate[1].offset / 10 for candidate in candidates])


def tuner(pair: Network, calls: int, until: float = LATER, **more: Any) -> Tuner:
    budget = Budget(seconds=0.4, until=time.monotonic() + until)
    rng = np.random.default_rng(0)
    return Tuner(Space(pair), surrogate, LateEvaluator(calls), CASES, rng, budget, **more)


def test_a_search_that_runs_out_of_time_gives_the_best_plan_by_then(pair: Network) -> None:
    # the existing plan; then races of two plans, three cases each: the third race does not end
    out = tuner(pair, calls=1 + 3 + 3 + 1).run()
    assert not out.interrupted  # nobody pressed Ctrl-C
    assert out.candidate is not None
    assert 1 <= len(out.evaluated) <= 4
    assert out.cost.mean() == min(e.cost.mean() for e in out.evaluated if e.complete)
    assert "another machine may find another plan" in out.plan.note


def test_a_known_plan_is_kept_where_no_time_is_left_for_a_search(pair: Network) -> None:
    space = Space(pair)
    known = tuple(replace(x, offset=0) for x in space.existing())
    out = tuner(pair, calls=10**6, until=-1.0, extra_starts=[known]).run()
    assert out.candidate == known
    assert not out.interrupted


def test_no_time_at_all_keeps_the_existing_plan(pair: Network) -> None:
    out = tuner(pair, calls=0).run()
    assert out.candidate is None
    assert not out.plan.timings


def test_a_search_in_sumo_ends_in_time_too(pair: Network) -> None:
    space = Space(pair)
    budget = Budget(until=time.monotonic() + LATER)
    starts = [space.existing(), tuple(replace(x, offset=0) for x in space.existing())]
    # the existing plan, the first batch, and one more; then the leaders cannot run
    out = search_in_sumo(space, LateEvaluator(3), CASES, starts, np.random.default_rng(0), budget)
    assert not out.interrupted
    assert out.evaluated == ()
    assert not out.plan.timings


def test_sumo_is_not_started_after_the_time_is_over(tiny_place: Any, tmp_path: Path) -> None:
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0)
    evaluator = SumoEvaluator(network_of(scenario), (scenario,), until=time.monotonic() - 1)
    with pytest.raises(OutOfTime):
        evaluator([Plan({})], [Case(0, 1)])


def test_a_running_sumo_is_ended_when_the_time_is_over(tiny_place: Any, tmp_path: Path) -> None:
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=1e7)  # takes days
    evaluator = SumoEvaluator(network_of(scenario), (scenario,))
    late = replace(evaluator, until=time.monotonic() + 0.5)
    with pytest.raises(OutOfTime):
        late([Plan({})], [Case(0, 1)])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"time": 60.0, "day": 2}, "--time and --day are mutually exclusive; limit --day by --budget"),
        ({"time": 0.5}, "--time"),
    ],
)
def test_what_time_cannot_limit_is_said(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        TuningOptions(**options)


def test_the_time_left_is_in_every_line(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr(tuning_printing, "err", Console(file=shown, width=200))
    monkeypatch.setattr(tuning_printing.time, "monotonic", lambda: 1000.0)
    line = ProgressLine(305.0)
    line.on_message("running diverse plans")
    monkeypatch.setattr(tuning_printing.time, "monotonic", lambda: 1002.0)
    line.on_search(Progress("evaluate", 10, 3, 0.1, 20.0, 25.0))
    first, second = shown.getvalue().splitlines()
    assert first == "running diverse plans, 5:05 left"
    assert second.endswith("best in SUMO 25.0, 5:03 left")
    ProgressLine().on_message("without a limit")
    assert shown.getvalue().splitlines()[-1] == "without a limit"


def test_an_actuated_program_may_have_a_time() -> None:
    TuningOptions(time=60.0, kind="actuated")


def test_an_actuated_search_gets_more_of_the_time() -> None:
    fixed, actuated = Deadline(100.0).started(), Deadline(100.0, actuated=True).started()
    assert actuated.until("confirmation") < fixed.until("confirmation")
    assert list(ENDS_ACTUATED) == list(ENDS)
    assert list(ENDS_ACTUATED.values()) == sorted(ENDS_ACTUATED.values())
