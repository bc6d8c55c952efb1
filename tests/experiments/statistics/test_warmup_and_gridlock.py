"""MSER-5 by hand, and gridlocked runs that are counted instead of averaged."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from denxanh.experiments.statistics import (
    GridlockLimits,
    gridlock_p_value,
    gridlock_rate,
    is_gridlocked,
    median_interval,
    mser5,
    summarise_with_gridlock,
)
from denxanh.sim.errors import InputError


def test_mser5_by_hand():
    # Batch means 9, then 1 and 3 in turn: with m = 11 the cut before batch 1 leaves ten of variance 1,
    # so 10 · 1 / 10² = 0.1; without a cut the sum of squares is 10 + 49 · 10/11 and it is over 121.
    series = np.repeat([9.0, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3], 5)
    found = mser5(series, interval=60)
    assert (found.observations, found.seconds, found.steady) == (5, 300, True)
    assert found.curve[:2] == pytest.approx(((10 + 490 / 11) / 121, 0.1))
    # a cut one later leaves nine, five of them 3: 9 · (5/9 · 4/9 · 4) / 81
    assert found.curve[2] == pytest.approx(80 / 81 / 9)


@settings(deadline=None)
@given(arrays(float, st.integers(50, 90), elements=st.floats(-100, 100)), st.floats(-1e3, 1e3))
def test_mser5_is_its_definition_and_knows_no_offset(series, offset):
    m = len(series) // 5
    x = series[: 5 * m].reshape(m, 5).mean(axis=1)
    plain = [((x[d:] - x[d:].mean()) ** 2).sum() / (m - d) ** 2 for d in range(m - 4)]
    assert mser5(series, interval=1).curve == pytest.approx(plain, abs=1e-8)
    assert mser5(series + offset, interval=1).curve == pytest.approx(plain, abs=1e-6)


def test_a_filling_network_is_cut_near_where_it_is_full():
    # Queue growing to its level with a time constant of 10 observations: 95 % after 30.
    t = np.arange(400)
    noise = np.random.default_rng(50).normal(0, 1, (10, 400))
    found = mser5(20 * (1 - np.exp(-t / 10)) + noise, interval=30)
    assert found.steady
    assert 25 <= found.observations <= 60
    assert found.seconds == 30 * found.observations


def test_demand_that_only_rises_has_no_steady_part():
    assert not mser5(np.arange(200.0), interval=1).steady


def test_a_constant_series_needs_no_warm_up():
    found = mser5(np.full(60, 7.0), interval=1)
    assert (found.observations, found.steady) == (0, True)


def test_series_that_cannot_be_judged():
    for bad in (np.ones(49), np.full(60, math.nan), np.ones((2, 3, 60)), []):
        with pytest.raises(InputError):
            mser5(bad, interval=1)


def test_what_counts_as_gridlocked():
    loaded = np.array([1000, 1000, 1000, 1000])
    flags = is_gridlocked(loaded, backlog=[50, 51, 0, 0], teleports=[10, 0, 11, 0])
    assert flags.tolist() == [False, True, True, False]
    strict = GridlockLimits(backlog=0.0, teleports=0.0)
    assert is_gridlocked(loaded, [1, 0, 0, 0], [0, 0, 0, 0], strict).tolist() == [True, False, False, False]


def test_counts_that_cannot_be():
    for counts in ((0, 0, 0), (10, -1, 0), (10, 11, 0), (math.nan, 0, 0)):
        with pytest.raises(InputError):
            is_gridlocked(*counts)
    with pytest.raises(InputError):
        GridlockLimits(backlog=5)


def test_the_rate_is_clopper_pearson():
    for k, n in ((0, 10), (3, 10), (10, 10), (1, 1)):
        theirs = stats.binomtest(k, n).proportion_ci(0.95, method="exact")
        ours = gridlock_rate(k, n).interval
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert gridlock_rate(0, 10).interval.high == pytest.approx(0.3085, abs=5e-5)
    with pytest.raises(InputError):
        gridlock_rate(3, 2)


def test_one_gridlocked_run_takes_the_mean_away():
    runs = {(seed, 1.0): value for seed, value in enumerate([40.0, 41.0, 42.0, 900.0], 1)}
    jammed = summarise_with_gridlock(runs, [(4, 1.0)])
    assert jammed.everything is None
    assert (jammed.median, jammed.rate.rate, jammed.gridlocked) == (41.5, 0.25, ((4, 1.0),))
    assert (jammed.flowing.n, jammed.flowing.mean) == (3, 41.0)
    free = summarise_with_gridlock(runs, [])
    assert (free.everything.n, free.rate.gridlocked) == (4, 0)
    assert summarise_with_gridlock(runs, list(runs)).flowing is None
    with pytest.raises(InputError, match="not among"):
        summarise_with_gridlock(runs, [(9, 1.0)])


def test_the_median_lies_between_order_statistics():
    # Binomial(10, ½): P(< 2) = 11/1024 ≤ 0.025 < P(< 3), so the 2nd and the 9th (Conover 1999, table A3).
    interval = median_interval([10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    assert (interval.low, interval.high) == (2, 9)
    assert median_interval([1, 2, 3, 4, 5]) is None
    assert (median_interval(range(6)).low, median_interval(range(6)).high) == (0, 5)


def test_gridlock_of_two_controllers_is_compared_where_only_one_jammed():
    ours = [True] * 6 + [False] * 4
    theirs = [False] * 6 + [False] * 4
    assert gridlock_p_value(ours, theirs) == stats.binomtest(6, 6).pvalue == 0.03125
    assert gridlock_p_value(ours, ours) == 1.0
    with pytest.raises(InputError):
        gridlock_p_value([True], [True, False])
