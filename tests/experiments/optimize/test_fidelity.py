"""Fidelity of the surrogate, and the search in SUMO where it cannot rank plans."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.objective import parse_objective
from denxanh.experiments.optimize.problem.space import Space
from denxanh.experiments.optimize.search.confirmation import EXTRA_SEEDS, LEADERS, confirm
from denxanh.experiments.optimize.search.fidelity import PLANS, assess_fidelity, diverse_plans
from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.optimize.search.search_in_sumo import search_in_sumo
from denxanh.experiments.optimize.search.tuner import Budget
from denxanh.experiments.optimize.tuning_problem import TuningProblem, prepare_problem
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

CASES = [Case(0, 1), Case(0, 2), Case(0, 3)]


def truth(plan: Plan) -> float:
    """Least (10) at a cycle of 70 s with the second signal 20 s after the first; the existing plan has 30."""
    if not plan.timings:
        return 30.0
    one, two = plan.timings["A"], plan.timings["B"]
    lag = (two.offset - one.offset - 20) % one.cycle
    return 10 + abs(one.cycle - 70) / 5 + min(lag, one.cycle - lag) / 5


def evaluator(plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray:
    noise = [np.random.default_rng(c.seed).normal(0, 0.3) for c in cases]
    own = [
        [np.random.default_rng([c.seed, round(10 * truth(p))]).normal(0, 0.05) for c in cases] for p in plans
    ]
    return np.array([[truth(p) + n for n in noise] for p in plans]) + np.array(own)


@pytest.fixture(scope="module")
def problem(tiny_place) -> TuningProblem:
    return prepare_problem(Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0))


def values(level) -> object:
    """A stand-in for SUMO: the delay of every plan by its number, and nothing else."""

    def said(self, plans, cases, terms):
        found = [[level(k) + 0.1 * c.seed for c in cases] for k in range(len(plans))]
        return np.repeat(np.array(found)[..., None], len(terms), axis=2)

    return said


def test_a_surrogate_that_orders_plans_as_sumo_does_is_usable(
    problem: TuningProblem, monkeypatch: pytest.MonkeyPatch
):
    plans = diverse_plans(problem, np.random.default_rng(0))
    assert len(set(plans)) == len(plans) == PLANS
    assert all(problem.space.legal(c) for c in plans)
    guess = problem.surrogate(plans)
    monkeypatch.setattr(SumoEvaluator, "values", values(lambda k: 1.2 * guess[k]))
    found = assess_fidelity(problem, [1, 2, 3], np.random.default_rng(0))
    assert found is not None
    assert found.fidelity.usable
    assert found.fidelity.rank > 0.9
    assert found.runs == 2 * PLANS


def test_in_a_gridlocked_scenario_the_surrogate_is_not_usable(
    problem: TuningProblem, monkeypatch: pytest.MonkeyPatch
):
    """All plans end within a few percent, in an order that the surrogate does not predict."""
    plans = diverse_plans(problem, np.random.default_rng(0))
    order = np.argsort(np.argsort(-problem.surrogate(plans)))
    monkeypatch.setattr(SumoEvaluator, "values", values(lambda k: 1500.0 + order[k]))
    found = assess_fidelity(problem, [1, 2], np.random.default_rng(0))
    assert found is not None
    assert not found.fidelity.usable
    assert "search in SUMO" in found.fidelity.verdict
    assert found.surrogate.models == problem.surrogate.models  # nothing is fitted to such plans


def test_the_order_that_counts_is_that_of_the_objective(
    problem: TuningProblem, monkeypatch: pytest.MonkeyPatch
):
    other = replace(
        problem,
        evaluator=replace(problem.evaluator, objective=parse_objective("stops")),
        surrogate=replace(problem.surrogate, objective=parse_objective("stops")),
    )
    plans = diverse_plans(other, np.random.default_rng(0))
    stops = other.surrogate(plans)
    delay = problem.surrogate(plans)

    def said(self, plans, cases, terms):
        return np.stack([np.stack([delay, 9 - stops], axis=-1)] * len(cases), axis=1)

    monkeypatch.setattr(SumoEvaluator, "values", said)
    found = assess_fidelity(other, [1, 2], np.random.default_rng(0))
    assert found is not None
    assert found.fidelity.rank < 0


def test_sumo_alone_finds_the_optimum_too(pair: Network):
    space = Space(pair)
    told: list[Progress] = []
    out = search_in_sumo(
        space,
        evaluator,
        CASES,
        [space.existing()],
        np.random.default_rng(0),
        Budget(evaluations=400, evaluated=3),
        told.append,
    )
    assert out.candidate is not None
    assert truth(out.plan) < 14 < truth(space.plan(space.existing()))
    assert out.comparison is not None
    assert "in SUMO" in out.plan.note
    assert told[-1].evaluations >= 400
    assert told[-1].runs == 3 + told[-1].evaluations + sum(np.isfinite(j.cost).sum() for j in out.evaluated)


def test_an_interrupted_search_in_sumo_returns_its_best_plan(pair: Network):
    space = Space(pair)

    def stop(progress: Progress) -> None:
        if progress.evaluations >= 60:
            raise KeyboardInterrupt

    arguments = (
        space,
        evaluator,
        CASES,
        [space.existing()],
        np.random.default_rng(0),
        Budget(evaluations=400),
    )
    out = search_in_sumo(*arguments, stop)
    assert out.interrupted
    assert out.candidate is not None
    assert "interrupted" in out.plan.note
    assert truth(out.plan) < 30


def test_a_gain_too_small_for_the_training_seeds_is_confirmed_on_more(pair: Network):
    space = Space(pair)
    cases = CASES[:2]
    out = search_in_sumo(
        space, evaluator, cases, [space.existing()], np.random.default_rng(0), Budget(evaluations=40)
    )
    small = replace(
        out, plan=Plan({}), candidate=None, comparison=None, existing_cost=out.evaluated[0].cost + 0.2
    )
    asked: list[Case] = []

    def closely(plans, cases):
        assert len(plans) <= 1 + LEADERS
        asked.extend(cases)
        best = min(float(j.cost.mean()) for j in small.evaluated)
        noise = [np.random.default_rng(c.seed).normal(0, 0.02) for c in cases]
        return np.array([[best + (0.2 if not p.timings else n) for n in noise] for p in plans])

    found = confirm(small, space, closely, cases, exclude=[3, 5])
    assert [c.seed for c in asked] == [4, 6, 7, 8, 9]
    assert len(asked) == EXTRA_SEEDS
    assert found.plan.timings
    assert found.comparison is not None
    assert found.comparison.n == len(cases) + EXTRA_SEEDS
    worse = confirm(small, space, lambda plans, cases: np.full((len(plans), len(cases)), 99.0), cases)
    assert worse.plan.timings == {}


def test_the_best_of_few_seeds_that_gridlocks_on_the_next_is_rejected(pair: Network):
    space = Space(pair)
    out = search_in_sumo(
        space, evaluator, CASES, [space.existing()], np.random.default_rng(0), Budget(evaluations=400)
    )
    lucky = out.plan
    assert lucky.timings

    def later(plans, cases):
        jams = [60.0 if p.timings == lucky.timings else truth(p) for p in plans]
        return np.array([[cost + 0.01 * c.seed for c in cases] for cost in jams])

    found = confirm(out, space, later, CASES)
    assert found.plan.timings
    assert found.plan.timings != lucky.timings
    assert len(found.cost) == len(found.existing_cost) == len(CASES) + EXTRA_SEEDS

    def all_jam(plans, cases):
        return np.array([[90.0 if p.timings else 30.0 + 0.1 * c.seed for c in cases] for p in plans])

    assert confirm(out, space, all_jam, CASES).plan.timings == {}
