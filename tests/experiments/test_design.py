"""Designs: repeatable, inside their ranges, and as evenly spread as their names promise."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from denxanh.experiments.definition.design import Choice, FloatRange, IntRange, grid, latin_hypercube, sobol
from denxanh.sim.errors import InputError

PARAMETERS = {
    "interval": FloatRange(5.0, 45.0),
    "gain": FloatRange(0.01, 100.0, log=True),
    "look_ahead": IntRange(1, 8),
    "rule": Choice(("halting", "all")),
}


def test_a_grid_is_every_combination_the_last_fastest():
    points = grid({"a": IntRange(1, 3), "b": Choice(("x", "y"))})
    assert points[:3] == ({"a": 1, "b": "x"}, {"a": 1, "b": "y"}, {"a": 2, "b": "x"})
    assert len(points) == 6


def test_levels_of_a_grid():
    assert FloatRange(0.0, 10.0).levels(3) == (0.0, 5.0, 10.0)
    assert FloatRange(1.0, 100.0, log=True).levels(3) == pytest.approx((1.0, 10.0, 100.0))
    assert FloatRange(1.0, 100.0, log=True).levels(1) == pytest.approx((10.0,))
    assert IntRange(0, 10).levels(3) == (0, 5, 10)
    assert IntRange(1, 3).levels(9) == (1, 2, 3)
    assert len(grid(PARAMETERS, 3)) == 3 * 3 * 3 * 2


@pytest.mark.parametrize("design", [latin_hypercube, sobol])
def test_same_seed_same_points_and_another_seed_others(design):
    assert design(PARAMETERS, 16, seed=3) == design(PARAMETERS, 16, seed=3)
    assert design(PARAMETERS, 16, seed=3) != design(PARAMETERS, 16, seed=4)


@pytest.mark.parametrize("design", [latin_hypercube, sobol])
def test_every_slice_of_every_range_is_used_evenly(design):
    points = design(PARAMETERS, 16, seed=1)
    assert Counter(p["look_ahead"] for p in points) == dict.fromkeys(range(1, 9), 2)
    assert Counter(p["rule"] for p in points) == {"halting": 8, "all": 8}
    slices = sorted(int((p["interval"] - 5.0) / 40.0 * 16) for p in points)
    assert slices == list(range(16))
    decades = Counter(int(np.floor(np.log10(p["gain"]))) for p in points)
    assert decades == {-2: 4, -1: 4, 0: 4, 1: 4}


def test_a_sobol_design_can_be_continued():
    assert sobol(PARAMETERS, 32, seed=2)[:16] == sobol(PARAMETERS, 16, seed=2)


def test_whole_numbers_on_a_log_scale():
    values = [p["n"] for p in latin_hypercube({"n": IntRange(1, 1000, log=True)}, 3000, seed=1)]
    assert (min(values), IntRange(1, 1000, log=True).at(1 - 1e-9)) == (1, 1000)
    # P(1) = log 2 / log 1001 = 10 %
    assert values.count(1) == pytest.approx(3000 * np.log(2) / np.log(1001), abs=1)


@settings(deadline=None, max_examples=30)
@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(0, 1))
def test_no_value_leaves_its_range(low, width, unit):
    assert low <= FloatRange(low, low + width).at(unit) <= low + width
    assert int(low) <= IntRange(int(low), int(low) + 9).at(unit) <= int(low) + 9
    assert 0.1 <= FloatRange(0.1, 0.1 + width, log=True).at(unit) <= 0.1 + width
    assert Choice((1, 2)).at(unit) in (1, 2)


def test_designs_that_are_none():
    with pytest.raises(InputError, match="take 8 or 16 points"):
        sobol(PARAMETERS, 10, seed=1)
    for bad in (
        lambda: grid({}),
        lambda: grid(PARAMETERS),  # real numbers without a number of levels
        lambda: latin_hypercube(PARAMETERS, 0, seed=1),
        lambda: sobol({}, 4, seed=1),
        lambda: sobol(PARAMETERS, 0, seed=1),
        lambda: FloatRange(2.0, 1.0),
        lambda: FloatRange(0.0, 1.0, log=True),
        lambda: FloatRange(0.0, float("nan")),
        lambda: IntRange(0, 2.5),
        lambda: Choice(()),
    ):
        with pytest.raises(InputError):
            bad()
