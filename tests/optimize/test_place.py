"""From a scenario's files to a plan that SUMO says is better: the whole chain on a tiny place."""

from pathlib import Path

import numpy as np
import pytest

from experiments.optimize.place import prepare
from experiments.optimize.residual import Residual
from experiments.optimize.tune import Budget, Tuner
from sim.scenario import Scenario


@pytest.fixture(scope="module")
def scenario(tiny_place) -> Scenario:
    return Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0)


def test_the_whole_chain_finds_a_better_plan(scenario: Scenario, tmp_path: Path):
    place = prepare(scenario, demand_samples=1, folder=tmp_path, drop_protected=True, workers=2)
    assert len(place.believing.models) == len(place.judge.scenarios) == 2
    cases = place.cases([1, 2, 3, 4])
    assert [c.demand for c in cases] == [0, 1, 0, 1]
    tuner = Tuner(
        place.space,
        place.believing,
        place.judge,
        cases,
        np.random.default_rng(0),
        Budget(evaluations=400, rounds=2, judged=3, polish=4),
    )
    out = tuner.run()
    assert out.candidate is not None
    assert out.cost.mean() < out.own_cost.mean()
    assert out.comparison is not None
    assert place.space.legal(out.candidate)


def test_learning_brings_the_model_closer_to_sumo(scenario: Scenario):
    place = prepare(scenario)
    candidates = [
        c for c in (place.space.rescaled(place.space.existing(), n) for n in range(50, 110, 10)) if c
    ]
    truth = place.believing(candidates) * 1.3 + np.arange(len(candidates))
    learned = place.believing.refit(candidates, truth)
    assert isinstance(learned.residual, Residual)
    before, after = place.believing(candidates) - truth, learned(candidates) - truth
    assert np.abs(after).mean() < 0.3 * np.abs(before).mean()
    again = place.believing.refit(candidates, truth)
    np.testing.assert_array_equal(again(candidates), learned(candidates))
