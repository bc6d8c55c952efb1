"""Where a run of SUMO takes minutes: somebody who waits is told once, and the user's limit is the judge's."""

from dataclasses import replace
from typing import Any

import pytest

from experiments.attempt import Limits
from experiments.optimize.race import Case
from experiments.optimizing import Telling, _Work, runs_to_come
from experiments.wish import Wish
from sim.errors import InputError, RunError
from sim.plan import Plan
from sim.scenario import Scenario


@pytest.fixture
def work(tiny_place: Any, tmp_path: Any) -> Any:
    said: list[str] = []
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0)

    def make(wall: float = 3600.0) -> tuple[_Work, list[str]]:
        return _Work(scenario, Wish(), tmp_path, 2, Telling(say=said.append), Limits(wall)), said

    return make


def test_the_runs_to_come_are_those_of_trying_judging_looking_again_and_proving():
    # 8 plans × 2 seeds; 4 rounds × 8 plans × 3 seeds; 5 plans × 5 seeds; 2 plans × 5 seeds × 3 days
    assert runs_to_come(Wish()) == 16 + 96 + 25 + 30
    assert runs_to_come(Wish(seeds=(1, 2), trust=False)) == 64 + 25 + 30


def test_one_seed_is_refused_before_anything_runs():
    with pytest.raises(
        InputError, match=r"cannot be accepted on one run; give at least two seeds, as --seeds 2"
    ):
        Wish(seeds=(1,))
    assert Wish(seeds=(1,), scales=(0.8, 1.0)).seeds == (1,)  # two demands: two runs


def test_a_slow_run_is_told_of_once_and_a_fast_one_never(work):
    one, said = work()
    one.ran(20.0)  # 167 of them, two at a time: 28 min
    assert said == []
    one.ran(240.0)
    one.ran(240.0)
    (sentence,) = said
    assert sentence.startswith(
        "a run of SUMO takes 240 s here: some 167 of them may take 334 min, 2 at a time."
    )


def test_the_judge_ends_a_run_at_the_user_s_limit_and_says_what_to_do(work):
    one, _ = work(wall=0.0)
    judge = one.place(drop=True).judge
    endless = replace(judge, scenarios=(replace(judge.scenarios[0], end=1e7),))
    with pytest.raises(RunError, match=r"within 0 s; use a longer --limit or a shorter --end"):
        endless([Plan({})], [Case(0, 1)])


def test_the_judge_tells_how_long_each_run_took(work):
    one, _ = work()
    took: list[float] = []
    one.ran = took.append  # type: ignore[method-assign]
    one.place(drop=True).judge([Plan({})], [Case(0, 1), Case(0, 2)])
    assert len(took) == 2
    assert all(seconds > 0 for seconds in took)
