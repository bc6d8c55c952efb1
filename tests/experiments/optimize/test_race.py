"""Racing: the winner is best in the mean, losers cost few runs, and doubt keeps what is there."""

from collections.abc import Sequence

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.race import Case, accept, race
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Plan

CASES = [Case(0, seed) for seed in range(1, 7)]
PLANS = [Plan({}, note=str(k)) for k in range(5)]


class Evaluator:
    """Delay by plan, the same noise of a case for all plans, and a little of its own."""

    def __init__(self, levels: Sequence[float], own_noise: float = 0.1) -> None:
        self.levels = levels
        self.own = own_noise
        self.runs = 0

    def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray:
        self.runs += len(plans) * len(cases)
        shared = [np.random.default_rng(c.seed).normal(0, 5) for c in cases]
        own = [
            [np.random.default_rng([c.seed, int(p.note)]).normal(0, self.own) for c in cases] for p in plans
        ]
        return np.array([[self.levels[int(p.note)] for _ in cases] for p in plans]) + shared + own


def test_the_best_plan_wins_although_seeds_differ_more_than_plans():
    evaluator = Evaluator([33, 31, 30, 32, 34])
    result = race(PLANS, evaluator, CASES)
    assert result.winner == 2
    assert result.runs == evaluator.runs < len(PLANS) * len(CASES)


def test_a_hopeless_plan_is_run_once():
    result = race(PLANS, Evaluator([30, 60, 30.1, 90, 30.2]), CASES)
    assert np.isfinite(result.cost).sum(axis=1).tolist()[1] == 1
    assert np.isfinite(result.cost).sum(axis=1).tolist()[3] == 1
    assert set(result.order[-2:]) == {1, 3}


def test_who_is_far_behind_the_best_of_earlier_races_is_run_once_too():
    evaluator = Evaluator([60, 61, 62, 63, 64])
    best = Evaluator([40])([Plan({}, note="0")], CASES)[0]
    result = race(PLANS, evaluator, CASES, best)
    assert evaluator.runs == result.runs == len(PLANS)
    ahead = race(PLANS, Evaluator([39, 61, 62, 63, 64]), CASES, best)
    assert ahead.winner == 0
    assert np.isfinite(ahead.cost[0]).all()


def test_a_mean_of_two_cases_need_not_be_as_far_behind():
    evaluator = Evaluator([30, 33.5], own_noise=0.0)  # 12 % behind: within 15 %, beyond 7.5 %
    result = race(PLANS[:2], evaluator, [Case(0, seed) for seed in (1, 2, 3)])
    assert np.isfinite(result.cost).sum(axis=1).tolist() == [3, 2]


def test_a_clear_gain_is_accepted_and_doubt_is_not():
    own = np.array([40.0, 35.0, 47.0, 38.0, 44.0, 41.0])
    alike = np.array([0.2, -0.3, 0.1, 0.0, -0.1, 0.2])
    assert accept(own - 2 + alike, own) is not None
    assert accept(own - 0.2 + 10 * alike, own) is None
    assert accept(own + 1, own) is None
    assert accept(own[:1] - 9, own[:1]) is None  # one run proves nothing


def test_a_race_of_no_plan_is_refused():
    with pytest.raises(InputError, match="nothing to evaluate"):
        race([], Evaluator([1]), CASES)
