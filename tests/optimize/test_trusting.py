"""Whether the model is believed, and what is done where it cannot rank plans."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from experiments.optimize.in_sumo import search_in_sumo
from experiments.optimize.judge import SumoJudge
from experiments.optimize.objective import parse_objective
from experiments.optimize.place import Place, prepare
from experiments.optimize.race import Case
from experiments.optimize.second_look import LEADERS, MORE, second_look
from experiments.optimize.space import Space
from experiments.optimize.trusting import PLANS, believe, unlike
from experiments.optimize.tune import Budget, Progress
from sim.network import Network
from sim.plan import Plan
from sim.scenario import Scenario

CASES = [Case(0, 1), Case(0, 2), Case(0, 3)]


def truth(plan: Plan) -> float:
    """Least (10) at a cycle of 70 s with the second signal 20 s after the first; the own plan has 30."""
    if not plan.timings:
        return 30.0
    one, two = plan.timings["A"], plan.timings["B"]
    lag = (two.offset - one.offset - 20) % one.cycle
    return 10 + abs(one.cycle - 70) / 5 + min(lag, one.cycle - lag) / 5


def judge(plans: Sequence[Plan], cases: Sequence[Case]) -> np.ndarray:
    noise = [np.random.default_rng(c.seed).normal(0, 0.3) for c in cases]
    own = [
        [np.random.default_rng([c.seed, round(10 * truth(p))]).normal(0, 0.05) for c in cases] for p in plans
    ]
    return np.array([[truth(p) + n for n in noise] for p in plans]) + np.array(own)


@pytest.fixture(scope="module")
def place(tiny_place) -> Place:
    return prepare(Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0))


def values(level) -> object:
    """A stand-in for SUMO: the delay of every plan by its number, and nothing else."""

    def said(self, plans, cases, terms):
        found = [[level(k) + 0.1 * c.seed for c in cases] for k in range(len(plans))]
        return np.repeat(np.array(found)[..., None], len(terms), axis=2)

    return said


def test_a_model_that_orders_plans_as_sumo_does_is_believed(place: Place, monkeypatch: pytest.MonkeyPatch):
    plans = unlike(place, np.random.default_rng(0))
    assert len(set(plans)) == len(plans) == PLANS
    assert all(place.space.legal(c) for c in plans)
    guess = place.believing(plans)
    monkeypatch.setattr(SumoJudge, "values", values(lambda k: 1.2 * guess[k]))
    found = believe(place, [1, 2, 3], np.random.default_rng(0))
    assert found is not None
    assert found.trust.usable
    assert found.trust.rank > 0.9
    assert found.runs == 2 * PLANS


def test_a_gridlocked_place_is_not_left_to_the_model(place: Place, monkeypatch: pytest.MonkeyPatch):
    """All plans end within a few percent, in an order that the model knows nothing of."""
    plans = unlike(place, np.random.default_rng(0))
    order = np.argsort(np.argsort(-place.believing(plans)))
    monkeypatch.setattr(SumoJudge, "values", values(lambda k: 1500.0 + order[k]))
    found = believe(place, [1, 2], np.random.default_rng(0))
    assert found is not None
    assert not found.trust.usable
    assert "search in SUMO" in found.trust.verdict
    assert found.believing.models == place.believing.models  # nothing was learned from such plans


def test_the_order_that_counts_is_that_of_the_objective(place: Place, monkeypatch: pytest.MonkeyPatch):
    other = replace(
        place,
        judge=replace(place.judge, objective=parse_objective("stops")),
        believing=replace(place.believing, objective=parse_objective("stops")),
    )
    plans = unlike(other, np.random.default_rng(0))
    stops = other.believing(plans)
    delay = place.believing(plans)

    def said(self, plans, cases, terms):
        return np.stack([np.stack([delay, 9 - stops], axis=-1)] * len(cases), axis=1)

    monkeypatch.setattr(SumoJudge, "values", said)
    found = believe(other, [1, 2], np.random.default_rng(0))
    assert found is not None
    assert found.trust.rank < 0


def test_sumo_alone_finds_the_optimum_too(pair: Network):
    space = Space(pair)
    told: list[Progress] = []
    out = search_in_sumo(
        space,
        judge,
        CASES,
        [space.existing()],
        np.random.default_rng(0),
        Budget(evaluations=400, judged=3),
        told.append,
    )
    assert out.candidate is not None
    assert truth(out.plan) < 14 < truth(space.plan(space.existing()))
    assert out.comparison is not None
    assert "in SUMO" in out.plan.note
    assert told[-1].evaluations >= 400
    assert told[-1].runs == 3 + told[-1].evaluations + sum(np.isfinite(j.cost).sum() for j in out.judged)


def test_an_interrupted_search_in_sumo_hands_over_what_it_has(pair: Network):
    space = Space(pair)

    def stop(progress: Progress) -> None:
        if progress.evaluations >= 60:
            raise KeyboardInterrupt

    arguments = (space, judge, CASES, [space.existing()], np.random.default_rng(0), Budget(evaluations=400))
    out = search_in_sumo(*arguments, stop)
    assert out.interrupted
    assert out.candidate is not None
    assert "interrupted" in out.plan.note
    assert truth(out.plan) < 30


def test_a_gain_too_small_for_the_seeds_at_hand_is_looked_at_again(pair: Network):
    space = Space(pair)
    cases = CASES[:2]
    out = search_in_sumo(
        space, judge, cases, [space.existing()], np.random.default_rng(0), Budget(evaluations=40)
    )
    small = replace(out, plan=Plan({}), candidate=None, comparison=None, own_cost=out.judged[0].cost + 0.2)
    asked: list[Case] = []

    def closely(plans, cases):
        assert len(plans) <= 1 + LEADERS
        asked.extend(cases)
        best = min(float(j.cost.mean()) for j in small.judged)
        noise = [np.random.default_rng(c.seed).normal(0, 0.02) for c in cases]
        return np.array([[best + (0.2 if not p.timings else n) for n in noise] for p in plans])

    found = second_look(small, space, closely, cases, but=[3, 5])
    assert [c.seed for c in asked] == [4, 6, 7, 8, 9]
    assert len(asked) == MORE
    assert found.plan.timings
    assert found.comparison is not None
    assert found.comparison.n == len(cases) + MORE
    worse = second_look(small, space, lambda plans, cases: np.full((len(plans), len(cases)), 99.0), cases)
    assert worse.plan.timings == {}


def test_the_best_of_few_seeds_that_jams_on_the_next_is_not_taken(pair: Network):
    space = Space(pair)
    out = search_in_sumo(
        space, judge, CASES, [space.existing()], np.random.default_rng(0), Budget(evaluations=400)
    )
    lucky = out.plan
    assert lucky.timings

    def later(plans, cases):
        jams = [60.0 if p.timings == lucky.timings else truth(p) for p in plans]
        return np.array([[cost + 0.01 * c.seed for c in cases] for cost in jams])

    found = second_look(out, space, later, CASES)
    assert found.plan.timings
    assert found.plan.timings != lucky.timings
    assert len(found.cost) == len(found.own_cost) == len(CASES) + MORE

    def all_jam(plans, cases):
        return np.array([[90.0 if p.timings else 30.0 + 0.1 * c.seed for c in cases] for p in plans])

    assert second_look(out, space, all_jam, CASES).plan.timings == {}
