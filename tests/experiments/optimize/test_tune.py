"""The whole search where the true cost is a formula: it finds the optimum and never loses to the existing plan."""

from collections.abc import Sequence

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan

CASES = [Case(0, 1), Case(0, 2), Case(0, 3)]
BUDGET = Budget(evaluations=900, rounds=3, evaluated=3)


def truth(plan: Plan) -> float:
    """Least (10) at a cycle of 70 s with the second signal 20 s after the first."""
    one, two = plan.timings["A"], plan.timings["B"]
    lag = (two.offset - one.offset - 20) % one.cycle
    return 10 + abs(one.cycle - 70) / 5 + min(lag, one.cycle - lag) / 5


class Evaluator:
    """The truth with a little noise of each case; the existing plan costs ``own``."""

    def __init__(self, own: float = 30.0) -> None:
        self.own = own

    def __call__(self, plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray:
        noise = np.array([np.random.default_rng(c.seed).normal(0, 0.3) for c in cases])
        level = [truth(p) if p.timings else self.own for p in plans]
        own = [[np.random.default_rng([c.seed, k]).normal(0, 0.05) for c in cases] for k in range(len(plans))]
        return np.array(level)[:, None] + noise + np.array(own)


class Model:
    """The truth, except that its optimum is a cycle of ``wrong`` s until it is refitted."""

    def __init__(self, space: Space, wrong: float) -> None:
        self.space = space
        self.wrong = wrong

    def __call__(self, candidates: Sequence[Candidate]) -> np.ndarray:
        plans = [self.space.plan(c) for c in candidates]
        cycle = np.array([p.timings["A"].cycle for p in plans])
        right = np.array([truth(p) for p in plans]) - abs(cycle - 70) / 5
        return right + abs(cycle - self.wrong) / 5

    def refit(self, candidates: Sequence[Candidate], cost: np.ndarray) -> "Model":
        tried = [Model(self.space, w) for w in (50, 60, 70, 80, 90)]
        return min(tried, key=lambda m: float(np.abs(m(candidates) - cost).sum()))

    def corrected(self, candidates: Sequence[Candidate], cost: np.ndarray) -> "Model":
        return self


def tuner(pair: Network, **more) -> Tuner:
    space = Space(pair)
    arguments = {"evaluator": Evaluator(), "budget": BUDGET} | more
    return Tuner(space, Model(space, 50), cases=CASES, rng=np.random.default_rng(0), **arguments)


def test_a_wrong_surrogate_is_corrected_by_sumo(pair: Network):
    out = tuner(pair).run()
    assert out.candidate is not None
    assert truth(out.plan) < 11
    assert out.comparison is not None
    assert out.comparison.interval is not None
    assert out.comparison.interval.high < 0
    stubborn = tuner(pair, learn=False).run()
    assert truth(out.plan) <= truth(stubborn.plan)


def test_the_existing_plan_stays_where_nothing_is_better(pair: Network):
    out = tuner(pair, evaluator=Evaluator(own=9.0)).run()
    assert out.candidate is None
    assert out.plan.timings == {}
    assert "not beaten" in out.plan.note
    assert out.cost.tolist() == out.existing_cost.tolist()


def test_polishing_in_sumo_does_not_lose(pair: Network):
    plain = tuner(pair, learn=False).run()
    polished = tuner(
        pair, learn=False, budget=Budget(evaluations=900, rounds=3, evaluated=3, polish=60)
    ).run()
    assert polished.cost.mean() <= plain.cost.mean()


def test_an_interrupt_gives_the_best_so_far_and_says_so(pair: Network):
    def stop(progress: Progress) -> None:
        if progress.step == "evaluate":
            raise KeyboardInterrupt

    out = tuner(pair, on_progress=stop).run()
    assert out.interrupted
    assert "interrupted" in out.plan.note
    assert truth(out.plan) < 30


def test_an_interrupt_before_the_first_evaluation_keeps_the_existing_plan(pair: Network):
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    out = tuner(pair, on_progress=stop).run()
    assert out.interrupted
    assert out.plan.timings == {}


def test_counted_evaluations_reproduce_the_result(pair: Network):
    one, two = tuner(pair).run(), tuner(pair).run()
    assert one.plan == two.plan
    for a, b in zip(one.evaluated, two.evaluated, strict=True):
        np.testing.assert_array_equal(a.cost, b.cost)


def test_one_run_is_not_enough_to_accept_a_plan(pair: Network):
    with pytest.raises(InputError, match="one run"):
        Tuner(Space(pair), Model(Space(pair), 50), Evaluator(), CASES[:1], np.random.default_rng(0))
