"""Where a run of SUMO takes minutes: the user is warned once, and the user's limit is that of the evaluator."""

from dataclasses import replace
from typing import Any

import pytest

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.job.expected_runs import expected_runs
from denxanh.experiments.optimize.job.progress_listener import ProgressListener
from denxanh.experiments.optimize.job.tuning_job import TuningJob
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.specification.run_options import Limits, RunOptions
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario


@pytest.fixture
def work(tiny_place: Any, tmp_path: Any) -> Any:
    said: list[str] = []
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0)

    def make(wall: float = 3600.0) -> tuple[TuningJob, list[str]]:
        return TuningJob(
            scenario,
            TuningOptions(),
            tmp_path,
            2,
            ProgressListener(on_message=said.append),
            RunOptions(warm_up=0.0, flush=0.0, limits=Limits(wall)),
        ), said

    return make


def test_the_expected_runs_are_those_of_fidelity_evaluation_confirmation_and_validation():
    # 8 plans × 2 seeds; 4 rounds × 8 plans × 3 seeds; 5 plans × 5 seeds; 3 plans × 10 seeds, each with its day
    assert expected_runs(TuningOptions()) == 16 + 96 + 25 + 30
    assert expected_runs(TuningOptions(seeds=(1, 2), trust=False)) == 64 + 25 + 30
    assert expected_runs(TuningOptions(days="same")) == 16 + 96 + 25 + 45  # 3 plans × 5 seeds × 3 days


def test_an_actuated_search_and_a_second_search_are_among_the_expected_runs():
    # existing plan and SUMO's default on 8 seeds; 2 runs for each of 6 × 4 and 2 × 19 programs; climb; 6 × 5 runs
    actuated = 16 + 2 * (24 + 38) + 160 + 30
    assert expected_runs(TuningOptions(kind="actuated")) == 16 + 96 + 25 + actuated + 30
    # validation: the existing, the conventional and two optimised plans
    assert expected_runs(TuningOptions(lefts="both")) == 2 * (16 + 96 + 25) + 40
    assert expected_runs(TuningOptions(kind="actuated", lefts="both")) == 2 * (16 + 96 + 25 + actuated) + 40


def test_one_seed_is_refused_before_anything_runs():
    with pytest.raises(
        InputError, match=r"cannot be accepted on one run; give at least two seeds, as --seeds 2"
    ):
        TuningOptions(seeds=(1,))
    assert TuningOptions(seeds=(1,), scales=(0.8, 1.0)).seeds == (1,)  # two demands: two runs


def test_a_slow_run_is_reported_once_and_a_fast_one_never(work):
    one, said = work()
    one.warn_if_slow(20.0)  # 167 of them, two at a time: 28 min
    assert said == []
    one.warn_if_slow(240.0)
    one.warn_if_slow(240.0)
    (sentence,) = said
    assert sentence.startswith("a run of SUMO takes 240 s here: some 167 runs may take 334 min, 2 at a time.")


def test_the_evaluator_ends_a_run_at_the_user_s_limit_and_names_the_remedy(work):
    one, _ = work(wall=0.01)
    evaluator = one.problem(drop_protected=True).evaluator
    endless = replace(evaluator, scenarios=(replace(evaluator.scenarios[0], end=1e7),))
    with pytest.raises(RunError, match=r"within 0.01 s; use a longer --limit or a shorter --end"):
        endless([Plan({})], [Case(0, 1)])


def test_the_evaluator_reports_the_wall_time_of_each_run(work):
    one, _ = work()
    took: list[float] = []
    one.warn_if_slow = took.append  # type: ignore[method-assign]
    one.problem(drop_protected=True).evaluator([Plan({})], [Case(0, 1), Case(0, 2)])
    assert len(took) == 2
    assert all(seconds > 0 for seconds in took)
