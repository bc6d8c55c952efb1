"""One sample and two paired samples: against scipy, R and Student's own data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import denxanh.experiments.statistics as public
from denxanh.experiments.statistics import (
    compare_paired,
    effect,
    match,
    per_seed,
    signed_rank_p_value,
    summarise,
)
from denxanh.sim.errors import InputError

# Student (1908), Biometrika 6, 1-25: extra hours of sleep of ten patients under two drugs; R's `sleep`.
SLEEP_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
SLEEP_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
# Darwin's maize as Fisher (1935), The Design of Experiments, section 17, used it: eighths of an inch.
MAIZE = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]


def runs(values):
    return {(seed, 1.0): float(value) for seed, value in enumerate(values, 1)}


plain = st.floats(-1e3, 1e3).map(lambda x: round(x, 3))
two_samples = st.integers(2, 12).flatmap(
    lambda n: st.tuples(st.lists(plain, min_size=n, max_size=n), st.lists(plain, min_size=n, max_size=n))
)


def test_the_public_list_is_sorted_and_exists():
    assert public.__all__ == sorted(public.__all__, key=lambda n: (not n.isupper(), n[0].islower(), n))
    assert all(hasattr(public, name) for name in public.__all__)


def test_summary_is_the_t_interval_of_scipy():
    summary = summarise(SLEEP_2)
    low, high = stats.ttest_1samp(SLEEP_2, 0).confidence_interval(0.95)
    assert (summary.interval.low, summary.interval.high) == pytest.approx((low, high))
    assert (summary.n, summary.mean, summary.median) == (10, pytest.approx(2.33), pytest.approx(1.75))


def test_one_run_has_a_mean_and_no_interval():
    summary = summarise([41.0])
    assert (summary.mean, summary.sd, summary.interval) == (41.0, None, None)
    assert str(summary) == "41 (1 run, no interval)"


@pytest.mark.parametrize("bad", [[], [1.0, math.nan], [math.inf], [[1.0, 2.0]]])
def test_what_is_no_sample_is_refused(bad):
    with pytest.raises(InputError):
        summarise(bad)


def test_a_percentage_is_not_a_confidence():
    with pytest.raises(InputError, match=r"95 % as 0\.95"):
        summarise([1.0, 2.0], confidence=95)


def test_student_sleep_data():
    # R: t.test(extra ~ group, paired = TRUE): t = -4.0621, p = 0.002833, -2.4598858 … -0.7001142
    c = compare_paired(runs(SLEEP_1), runs(SLEEP_2))
    assert c.difference == pytest.approx(-1.58)
    assert c.p_value == pytest.approx(0.002833, abs=5e-7)
    assert (c.interval.low, c.interval.high) == pytest.approx((-2.4598858, -0.7001142), abs=5e-8)


def test_darwin_maize_data():
    # Fisher (1935): t = 2.148 with 14 degrees; scipy's page of wilcoxon: statistic 24, p = 0.041259765625.
    c = compare_paired(runs(MAIZE), runs([0] * 15))
    assert c.difference / (c.sd / math.sqrt(15)) == pytest.approx(2.148, abs=5e-4)
    assert c.wilcoxon_p == 0.041259765625


def test_signed_ranks_of_hollander_and_wolfe():
    # Depression scale, R's example(wilcox.test): V = 40, one-sided p = 0.01953, so 0.03906 here.
    first = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    second = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    assert signed_rank_p_value(first - second) == pytest.approx(2 * 0.01953125)


@pytest.mark.parametrize("d", [[1, 1, -2, 3], [0, 0, 1, 2, 2, -1], [0, -3, 4, 4, 4, 5, -5, 6], [2, -2]])
def test_signed_ranks_with_ties_and_zeros_are_scipys_enumeration(d):
    exact = stats.wilcoxon(d, zero_method="pratt", method=stats.PermutationMethod(n_resamples=np.inf))
    assert signed_rank_p_value(d) == pytest.approx(exact.pvalue)


def test_five_pairs_cannot_convince_a_signed_rank_test():
    assert signed_rank_p_value([1, 2, 3, 4, 5]) == 0.0625
    assert signed_rank_p_value([1, 2, 3, 4, 5, 6]) == 0.03125


def test_bootstrap_is_scipys_bca_and_repeats():
    c = compare_paired(runs(MAIZE), runs([0] * 15), rng=7)
    ends = stats.bootstrap((MAIZE,), np.mean, method="BCa", rng=np.random.default_rng(7)).confidence_interval
    assert (c.bootstrap.low, c.bootstrap.high) == (ends.low, ends.high)
    assert compare_paired(runs(MAIZE), runs([0] * 15), rng=np.random.default_rng(7)) == c
    assert compare_paired(runs(MAIZE), runs([0] * 15)).bootstrap is None


@settings(max_examples=30, deadline=None)
@given(two_samples)
def test_swapping_the_controllers_mirrors_everything(samples):
    ours, theirs = map(runs, samples)
    there, back = (compare_paired(*x, rng=1, resamples=99) for x in ((ours, theirs), (theirs, ours)))
    assert back.difference == -there.difference
    assert (back.interval.low, back.interval.high) == (-there.interval.high, -there.interval.low)
    assert (back.p_value, back.wilcoxon_p) == (there.p_value, pytest.approx(there.wilcoxon_p))
    assert (there.bootstrap is None) == (back.bootstrap is None) == there.constant
    if there.bootstrap and there.n > 2:
        # Ties of resampled means with the mean fall on either side by rounding: a rank of 99, not more.
        slack = 0.2 * (max(there.differences) - min(there.differences)) + 1e-9
        assert back.bootstrap.low == pytest.approx(-there.bootstrap.high, abs=slack)


@settings(deadline=None)
@given(two_samples)
def test_the_p_value_and_the_interval_say_the_same(samples):
    c = compare_paired(*map(runs, samples))
    if not c.constant and abs(c.p_value - 0.05) > 1e-9:
        assert c.interval.contains(0.0) == (c.p_value > 0.05)


def test_the_order_in_which_runs_finished_does_not_matter():
    shuffled = dict(reversed(runs(SLEEP_1).items()))
    assert compare_paired(shuffled, runs(SLEEP_2), rng=1) == compare_paired(
        runs(SLEEP_1), runs(SLEEP_2), rng=1
    )


def test_runs_without_partner_are_named_not_compared():
    ours = {(1, 0.8): 10.0, (1, 1.0): 20.0, (2, 1.0): 21.0}
    theirs = {(1, 1.0): 22.0, (2, 1.0): 24.0, (3, 1.0): 500.0}
    pairs = match(ours, theirs)
    assert pairs.keys == ((1, 1.0), (2, 1.0))
    assert (pairs.only_candidate, pairs.only_baseline, pairs.unmatched) == (((1, 0.8),), ((3, 1.0),), 2)
    c = compare_paired(ours, theirs)
    assert (c.n, c.difference, c.unmatched) == (2, -2.5, ((1, 0.8), (3, 1.0)))


def test_no_common_seed_is_refused_not_compared_unpaired():
    with pytest.raises(InputError, match="share no"):
        compare_paired({(1, 1.0): 1.0}, {(2, 1.0): 1.0})


@pytest.mark.parametrize("side", [0, 1])
def test_nan_is_refused_even_where_it_has_no_partner(side):
    sides = [{(1, 1.0): 1.0}, {(1, 1.0): 2.0}]
    sides[side][(2, 1.0)] = math.nan
    with pytest.raises(InputError, match="nan at position 1"):
        compare_paired(*sides)


def test_identical_runs():
    c = compare_paired(runs(SLEEP_1), runs(SLEEP_1), rng=1)
    assert (c.identical, c.constant, c.difference, c.p_value, c.wilcoxon_p) == (True, True, 0.0, 1.0, 1.0)
    assert (c.interval.low, c.interval.high, c.bootstrap) == (0.0, 0.0, None)


def test_a_difference_no_seed_changes():
    c = compare_paired(runs(np.array(SLEEP_1) + 0.1), runs(SLEEP_1), rng=1)  # 0.1 up to rounding
    assert (c.identical, c.constant, c.bootstrap) == (False, True, None)
    assert c.p_value < 1e-100


def test_one_pair_is_a_difference_without_evidence():
    c = compare_paired(runs([3.0]), runs([5.0]), rng=1)
    assert (c.n, c.difference) == (1, -2.0)
    assert (c.sd, c.interval, c.bootstrap, c.p_value, c.wilcoxon_p, c.correlation) == (None,) * 6


def test_common_random_numbers_show_in_the_correlation():
    c = compare_paired(runs(SLEEP_1), runs(SLEEP_2))
    assert c.correlation == pytest.approx(0.7951702)  # R: cor(x, y)


def test_demands_are_averaged_within_a_seed():
    mean = per_seed({(1, 0.8): 10.0, (1, 1.0): 20.0, (2, 1.0): 30.0, (2, 0.8): 20.0})
    assert mean == {(1, "all"): 15.0, (2, "all"): 25.0}
    with pytest.raises(InputError, match=r"seed 2 has no run at demand 0\.8"):
        per_seed({(1, 0.8): 10.0, (1, 1.0): 20.0, (2, 1.0): 30.0})


def test_effect_in_vehicle_hours_and_per_cent():
    c = compare_paired(runs([38.0, 40.0, 39.0]), runs([40.0, 44.0, 42.0]))  # −2, −4, −3
    e = effect(c, vehicles_per_day=24_000)
    assert e.seconds_per_vehicle == -3.0
    assert e.vehicle_hours_per_day == pytest.approx(-3 * 24_000 / 3600)
    assert e.vehicle_hours_interval.low == pytest.approx(c.interval.low * 24_000 / 3600)
    assert e.relative == pytest.approx(-3 / 42)
    assert e.standardised_paired == pytest.approx(-3.0)  # sd of the differences is 1
    assert e.standardised == pytest.approx(-3 / math.sqrt((1 + 4) / 2))
    with pytest.raises(InputError):
        effect(c, vehicles_per_day=0)


def test_effect_of_one_pair_has_no_standardised_size():
    e = effect(compare_paired(runs([3.0]), runs([0.0])), vehicles_per_day=1)
    assert (e.interval, e.relative, e.standardised, e.standardised_paired) == (None,) * 4
