"""How many seeds: against R's power.t.test, G*Power's manual and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from denxanh.experiments.statistics import detectable_difference, paired_power, seeds_needed
from denxanh.sim.errors import InputError


def test_medium_effect_of_cohen_needs_34_pairs():
    # R: power.t.test(delta = 0.5, power = 0.8, type = "paired"): n = 33.367; G*Power: 34, power 0.8077775
    assert paired_power(33, 0.5, 1.0) < 0.8 <= paired_power(34, 0.5, 1.0)
    assert paired_power(34, 0.5, 1.0) == pytest.approx(0.8077775, abs=5e-8)


@pytest.mark.parametrize("n", [2, 3, 10, 50, 1000])
@pytest.mark.parametrize("shift", [0.5, 2.8])
def test_power_is_the_noncentral_t(n, shift):
    limit = stats.t.ppf(0.975, n - 1)
    expected = stats.nct.sf(limit, n - 1, shift) + stats.nct.cdf(-limit, n - 1, shift)
    assert paired_power(n, shift / math.sqrt(n), 1.0) == pytest.approx(expected, abs=1e-7)
    assert paired_power(n, 0.0, 1.0) == pytest.approx(0.05)


def test_power_of_two_pairs_where_scipys_noncentral_t_is_nan():
    # scipy.integrate.quad of E[Φ(8 − 12.706 s) + Φ(−8 − 12.706 s)], s the absolute of a normal
    assert paired_power(2, 8 / math.sqrt(2), 1.0) == pytest.approx(0.46978167030, abs=1e-10)


def test_power_is_what_simulation_finds():
    d = np.random.default_rng(31).normal(1.0, 2.0, (4000, 20))
    found = np.mean(stats.ttest_1samp(d, 0, axis=1).pvalue <= 0.05)
    assert found == pytest.approx(paired_power(20, 1.0, 2.0), abs=3 * math.sqrt(0.25 / 4000))


def test_a_large_difference_is_certain():
    assert paired_power(10, 20.0, 1.0) == 1.0
    assert paired_power(10, -20.0, 1.0) == 1.0


def test_seeds_from_a_pilot():
    pilot = [-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]  # sd √0.8
    need = seeds_needed(pilot, 0.5)
    assert need.sd == pytest.approx(math.sqrt(0.8))
    assert paired_power(need.n, 0.5, need.sd) >= 0.8 > paired_power(need.n - 1, 0.5, need.sd)
    # 20 % point of χ² with 5 degrees: 2.3425
    assert need.sd_cautious == pytest.approx(math.sqrt(0.8 * 5 / 2.3425), rel=1e-4)
    assert need.cautious > need.n


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 60), st.floats(0.1, 50), st.floats(0.3, 0.95))
def test_the_detectable_difference_is_just_detected(n, sd, power):
    found = detectable_difference(n, sd, power=power)
    assert paired_power(n, found, sd) == pytest.approx(power, abs=1e-6)


def test_what_power_cannot_answer():
    with pytest.raises(InputError, match="same"):
        seeds_needed([1.0, 1.0], 1.0)
    with pytest.raises(InputError, match="at least 2"):
        seeds_needed([1.0], 1.0)
    with pytest.raises(InputError, match="larger difference"):
        seeds_needed([1.0, -1.0], 1e-5)
    with pytest.raises(InputError, match="number above 0"):
        seeds_needed([1.0, -1.0], 0.0)
    with pytest.raises(InputError, match="exceed alpha"):
        detectable_difference(10, 1.0, power=0.05)
