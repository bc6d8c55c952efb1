"""What the model gets wrong is learned near what was judged, and forgotten far from it."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.optimize.residual import Features, Residual
from experiments.optimize.space import Candidate, Space
from sim.network import Network


def at(space: Space, cycle: int, lag: int) -> Candidate:
    out = space.rescaled(space.existing(), cycle)
    assert out is not None
    return out[0], replace(out[1], offset=(out[0].offset + lag) % cycle)


def test_residuals_of_judged_plans_come_back(pair: Network):
    space = Space(pair)
    plans = [at(space, c, lag) for c in (60, 75, 90) for lag in (0, 10, 20)]
    error = np.arange(9.0)
    residual = Residual.fit(Features(space), plans, error, level=30.0)
    assert residual(plans) == pytest.approx(error, abs=0.6)


def test_a_plan_between_two_judged_ones_gets_something_between(pair: Network):
    space = Space(pair)
    residual = Residual.fit(
        Features(space),
        [at(space, 60, 0), at(space, 70, 0), at(space, 90, 0)],
        np.array([1.0, 3.0, 8.0]),
        30.0,
    )
    low, middle, high = residual([at(space, c, 0) for c in (60, 65, 70)])
    assert low < middle < high


def test_far_away_the_mean_is_all_that_is_known(pair: Network):
    space = Space(pair, drop_protected=True)
    near = [at(space, c, 0) for c in (118, 119, 120)]
    residual = Residual.fit(Features(space), near, np.array([1.0, 2.0, 6.0]), 30.0)
    assert residual([at(space, 60, 30)]) == pytest.approx([3.0], abs=0.1)
    one = Residual.fit(Features(space), near[:1], np.array([4.0]), 30.0)
    assert one(near) == pytest.approx([4.0] * 3)
