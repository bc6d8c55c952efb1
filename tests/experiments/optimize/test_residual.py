"""Residuals are learned near evaluated plans; far from them the standard deviation is added to the cost."""

from dataclasses import replace

import numpy as np
import pytest

from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.surrogate.residual import CAUTION, Features, Residual
from denxanh.sim.network import Network


def at(space: Space, cycle: int, lag: int) -> Candidate:
    out = space.rescaled(space.existing(), cycle)
    assert out is not None
    return out[0], replace(out[1], offset=(out[0].offset + lag) % cycle)


def test_costs_of_evaluated_plans_are_reproduced(pair: Network):
    space = Space(pair)
    plans = [at(space, c, lag) for c in (60, 75, 90) for lag in (0, 10, 20)]
    predicted = np.linspace(30, 40, 9)
    cost = predicted * np.exp(np.linspace(-0.2, 0.3, 9))
    residual = Residual.fit(Features(space), plans, cost, predicted)
    assert residual(plans, predicted) == pytest.approx(cost, rel=0.03)


def test_a_plan_between_two_evaluated_ones_has_a_cost_between(pair: Network):
    space = Space(pair)
    evaluated = [at(space, 60, 0), at(space, 70, 0), at(space, 90, 0)]
    residual = Residual.fit(Features(space), evaluated, np.array([31.0, 33.0, 38.0]), np.full(3, 30.0))
    low, middle, high = residual([at(space, c, 0) for c in (60, 65, 70)], np.full(3, 30.0))
    assert low < middle < high


def test_far_away_are_the_mean_and_the_full_deviation(pair: Network):
    space = Space(pair, drop_protected=True)
    near = [at(space, c, 0) for c in (118, 119, 120)]
    error = np.array([0.1, 0.2, 0.6])
    residual = Residual.fit(Features(space), near, 30 * np.exp(error), np.full(3, 30.0))
    worst = 20.0 * np.exp(error.mean() + CAUTION * error.std())
    assert residual([at(space, 60, 30)], np.array([20.0])) == pytest.approx([worst], rel=1e-3)
    assert residual(near, np.full(3, 30.0)).max() < 30 * np.exp(0.65)  # an evaluated plan has no deviation


def test_one_evaluated_plan_gives_its_ratio_to_all(pair: Network):
    space = Space(pair)
    one = Residual.fit(Features(space), [at(space, 90, 0)], np.array([45.0]), np.array([30.0]))
    assert one([at(space, 60, 20)], np.array([20.0])) == pytest.approx([30.0], rel=0.01)


def test_costs_that_are_not_positive_are_corrected_by_differences(pair: Network):
    space = Space(pair)
    plans = [at(space, c, 0) for c in (60, 75, 90)]
    cost, predicted = np.array([-5.0, -3.0, 1.0]), np.array([-6.0, -4.0, -1.0])
    residual = Residual.fit(Features(space), plans, cost, predicted)
    assert not residual.relative
    assert residual(plans, predicted) == pytest.approx(cost, abs=0.2)
