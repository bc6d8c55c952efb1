"""The local projection and the compass."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.networks.place import geometry, names, speed_limits


def test_a_minute_of_latitude_is_a_nautical_mile_shorter_near_the_equator() -> None:
    # A minute of latitude at 21° N is 1 845.4 m on WGS 84 (meridian radius 6 343.7 km).
    assert geometry.project(21 + 1 / 60, 105.85, (21.0, 105.85))[1] == pytest.approx(1845.3, abs=0.5)


def test_a_degree_of_longitude_at_21_north() -> None:
    # (π/180) · N · cos φ with N = a / sqrt(1 − e² sin² φ): 103.97 km at 21°.
    assert geometry.project(21.0, 106.85, (21.0, 105.85))[0] == pytest.approx(103_971, abs=10)


@given(st.floats(0, 359.99), st.floats(1, 3000))
def test_travelling_and_measuring_agree(degrees: float, metres: float) -> None:
    end = geometry.travel((0, 0), degrees, metres)
    assert math.hypot(*end) == pytest.approx(metres)
    assert (geometry.bearing((0, 0), end) - degrees + 180) % 360 == pytest.approx(180)


@pytest.mark.parametrize(("after", "expected"), [((0, 2), 0), ((-1, 1), 90), ((1, 1), -90)])
def test_left_is_positive(after: tuple[float, float], expected: float) -> None:
    assert geometry.deflection((0, 0), (0, 1), after) == pytest.approx(expected)


def test_names_compare_without_prefix_composition_or_lookalike_letters() -> None:
    assert names.key("Đường Điện Biên Phủ") == names.key("\u00d0iện Biên Phủ")
    assert names.key("Phố  Hue\u0302\u0301") == names.key("Phố Huế")
    assert names.slug("Phố Trần Hưng Đạo") == "pho-tran-hung-dao"


def test_the_legal_speed_of_circular_31_2019() -> None:
    assert speed_limits.speed_limit(lanes=3, oneway=True, divided=False) == pytest.approx(60 / 3.6)
    assert speed_limits.speed_limit(lanes=1, oneway=True, divided=False) == pytest.approx(50 / 3.6)
    assert speed_limits.speed_limit(lanes=2, oneway=False, divided=False) == pytest.approx(50 / 3.6)
    assert speed_limits.speed_limit(lanes=2, oneway=False, divided=True) == pytest.approx(60 / 3.6)
