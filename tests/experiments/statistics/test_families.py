"""Holm, Dunnett and Tukey against published tables and worked examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from denxanh.experiments.statistics import (
    compare_dunnett,
    compare_holm,
    compare_paired,
    compare_tukey,
    dunnett_critical,
    dunnett_p_value,
    holm,
)
from denxanh.experiments.statistics.multiple.families import blocks, residual_mean_square
from denxanh.sim.errors import InputError

# Montgomery, Design and Analysis of Experiments, example 4.1: yield of vascular grafts, four pressures
# (psi), six batches of resin as blocks; error mean square 7.33 with 15 degrees.
GRAFTS = {
    "8500": [90.3, 89.2, 98.2, 93.9, 87.4, 97.9],
    "8700": [92.5, 89.5, 90.6, 94.7, 87.0, 95.8],
    "8900": [85.5, 90.8, 89.6, 86.2, 88.0, 93.4],
    "9100": [82.5, 89.5, 85.6, 87.4, 78.9, 90.7],
}
# Dunnett (1955), JASA 50, 1096-1121: blood counts, as on the page of scipy.stats.dunnett.


def keyed(samples):
    return {name: {(i, 1.0): v for i, v in enumerate(values)} for name, values in samples.items()}


def test_holm_by_hand():
    # sorted .005 .01 .03 .04, times 4 3 2 1 = .02 .03 .06 .04, and the last may not fall below .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_keeps_the_order_and_never_sharpens(p):
    adjusted = holm(p)
    assert np.all(adjusted >= p)
    assert np.all(adjusted <= np.minimum(1, len(p) * np.array(p)) + 1e-15)
    assert np.all(np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0)


def test_holm_refuses_what_is_no_p_value():
    for bad in ([0.5, 1.5], [math.nan], 0.5):
        with pytest.raises(InputError):
            holm(bad)


def test_the_block_error_is_that_of_the_textbook():
    table = blocks(keyed(GRAFTS))
    assert float(residual_mean_square(table.values)) == pytest.approx(7.33, abs=5e-3)


def test_tukey_on_blocks_by_the_textbook():
    # q(0.05; 4, 15) = 4.08 in the tables, so the honest difference is 4.08 √(7.33/6) = 4.51
    family = compare_tukey(keyed(GRAFTS))
    assert family.contrasts[0].interval.half_width == pytest.approx(4.51, abs=0.01)
    differ = {(c.baseline, c.candidate) for c in family.contrasts if c.p_adjusted <= 0.05}
    assert differ == {("8500", "9100"), ("8700", "9100")}
    assert all((c.p_adjusted <= 0.05) != c.interval.contains(0) for c in family.contrasts)


@pytest.mark.parametrize(
    ("contrasts", "degrees", "published"),
    [(1, 10, 2.23), (2, 10, 2.57), (3, 10, 2.76), (2, 20, 2.38), (3, 20, 2.54), (4, 20, 2.65)],
)
def test_dunnetts_table(contrasts, degrees, published):
    # Dunnett (1964), Biometrics 20, table II: two-sided, joint confidence 95 %.
    assert dunnett_critical(0.95, contrasts, degrees) == pytest.approx(published, abs=5e-3)


def test_dunnett_with_one_contrast_is_student():
    for t, degrees in ((0.1, 1), (30.0, 1), (2.0, 7), (5.0, 1000)):
        assert dunnett_p_value(t, 1, degrees) == pytest.approx(2 * stats.t.sf(t, degrees), abs=1e-12)


def test_dunnett_agrees_with_scipys_integral():
    # Same error and degrees as scipy's unblocked test of five samples of nine.
    rng = np.random.default_rng(5)
    samples = rng.normal(size=(5, 9)) + np.array([0, 0.4, 0.8, 1.2, 0.1])[:, None]
    theirs = stats.dunnett(*samples[1:], control=samples[0], rng=np.random.default_rng(1))
    ours = [dunnett_p_value(float(t), 4, 40) for t in theirs.statistic]
    assert ours == pytest.approx(theirs.pvalue, abs=2e-3)  # scipy's points are random


def test_dunnett_on_blocks_against_the_first_pressure():
    family = compare_dunnett(keyed(GRAFTS), baseline="8500")
    assert [c.candidate for c in family.contrasts] == ["8700", "8900", "9100"]
    half = dunnett_critical(0.95, 3, 15) * math.sqrt(2 * 7.33 / 6)
    assert family.contrasts[2].interval.half_width == pytest.approx(half, abs=2e-3)
    assert [c.p_adjusted <= 0.05 for c in family.contrasts] == [False, False, True]


def test_two_controllers_are_the_same_paired_by_all_methods():
    two = keyed({name: GRAFTS[name] for name in ("8500", "9100")})
    p = compare_paired(two["9100"], two["8500"]).p_value
    for family in (compare_holm(two), compare_dunnett(two, baseline="8500"), compare_tukey(two)):
        assert family.contrasts[0].p_adjusted == pytest.approx(p, rel=1e-6)
        assert (family.contrasts[0].candidate, family.contrasts[0].baseline) == ("9100", "8500")


def test_holm_family_corrects_the_paired_tests():
    family = compare_holm(keyed(GRAFTS))
    raw = [c.comparison.p_value for c in family.contrasts]
    assert [c.p_adjusted for c in family.contrasts] == pytest.approx(holm(raw))
    assert len(raw) == 6
    wide = family.contrasts[0]
    t = stats.t.ppf(1 - 0.05 / 6 / 2, 5)  # Bonferroni over six
    assert wide.interval.half_width == pytest.approx(t * wide.comparison.sd / math.sqrt(6))


def test_runs_outside_the_blocks_are_named():
    grafts = keyed(GRAFTS)
    del grafts["8700"][(2, 1.0)]
    family = compare_tukey(grafts)
    assert set(family.left_out) == {(name, (2, 1.0)) for name in ("8500", "8900", "9100")}
    assert family.contrasts[0].n == 5
    by_pairs = compare_holm(grafts)
    assert [c.n for c in by_pairs.contrasts] == [5, 6, 6, 5, 5, 6]
    assert set(by_pairs.left_out) == set(family.left_out)


def test_identical_controllers_in_a_family():
    same = keyed({"a": [1.0, 2.0, 4.0], "b": [1.0, 2.0, 4.0], "c": [1.0, 2.0, 4.0]})
    for family in (compare_holm(same), compare_dunnett(same, baseline="a"), compare_tukey(same)):
        assert all(c.p_adjusted == 1.0 and c.interval.half_width == 0 for c in family.contrasts)


def test_families_refuse_what_they_cannot_judge():
    grafts = keyed(GRAFTS)
    with pytest.raises(InputError, match="choose among"):
        compare_holm(grafts, baseline="9000")
    with pytest.raises(InputError, match="at least two controllers"):
        compare_tukey({"a": grafts["8500"]})
    with pytest.raises(InputError, match="one \\(seed, demand\\) only"):
        compare_holm({name: {(1, 1.0): 2.0} for name in "ab"})
    with pytest.raises(InputError, match="at least 2"):
        compare_dunnett({name: {(1, 1.0): 2.0} for name in "ab"}, baseline="a")
    grafts["8700"][(0, 1.0)] = math.nan
    with pytest.raises(InputError, match="'8700'"):
        compare_tukey(grafts)


def test_the_interval_of_a_verdict_agrees_with_holms_test() -> None:
    """It leaves out zero exactly where p_adjusted decides for a difference; the pair's own interval does not."""
    rng = np.random.default_rng(5)
    decided = disagreed = 0
    for _ in range(200):
        effects = rng.normal(0.0, 2.0, size=4)
        runs = {
            name: {(seed, 1.0): float(effect + rng.normal()) for seed in range(4)}
            for name, effect in zip("abcd", effects, strict=True)
        }
        for one in compare_holm(runs, baseline="a").contrasts:
            excluded = not one.decisive.low <= 0.0 <= one.decisive.high
            assert excluded == (one.p_adjusted <= 0.05)
            assert one.interval.low <= one.decisive.low <= one.decisive.high <= one.interval.high
            decided += excluded
            assert one.comparison is not None
            own = one.comparison.interval
            assert own is not None
            disagreed += excluded != (not own.low <= 0.0 <= own.high)
    assert 0 < decided < 600
    assert disagreed > 0
