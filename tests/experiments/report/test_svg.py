"""Drawing: what comes out is well-formed, and axes have round numbers."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from denxanh.experiments.report.drawing.colour import Style, diverging, ink_on, sequential, styles
from denxanh.experiments.report.drawing.svg import (
    Axis,
    Chart,
    Scale,
    clock_steps,
    path,
    pixel,
    steps,
    tag,
    tenths_path,
    tip,
    words,
)
from denxanh.sim.language.text import Text, clock, decimals, number, same

finite = st.floats(-1e9, 1e9)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text())
def test_any_text_becomes_well_formed_markup(text: str) -> None:
    drawn = ElementTree.fromstring(tag("g", tip(text), words(text, 1, 2), id=text))
    shown = drawn.find("text")
    assert shown is not None
    assert (shown.text or "").replace("\r", "\n").count("<") == text.count("<")


@settings(deadline=None)  # a busy machine is no failure
@given(finite, finite)
def test_ticks_are_round_lie_within_and_are_neither_few_nor_many(a: float, b: float) -> None:
    low, high = sorted((a, b))
    if high - low < 1e-6 * max(abs(low), abs(high), 1e-3):  # one value, as far as an axis can tell
        return
    marks = steps(low, high, 5)
    gap = (high - low) * 1e-6
    assert 2 <= len(marks) <= 6
    assert all(low - gap <= mark <= high + gap for mark in marks)
    step = marks[1] - marks[0]
    assert round(step / 10 ** math.floor(math.log10(step) + 1e-9), 3) in (1, 2, 5, 10)


def test_times_of_day_are_round() -> None:
    assert [clock(t) for t in clock_steps(25200, 28800)] == [
        "7:00",
        "7:10",
        "7:20",
        "7:30",
        "7:40",
        "7:50",
        "8:00",
    ]
    assert [clock(t) for t in clock_steps(0, 300)] == ["0:00", "0:01", "0:02", "0:03", "0:04", "0:05"]


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(finite, min_size=1))
@example([5e-324])
@example([-5e-324])
@example([0.0, 0.0])
@example([41.0])
def test_an_axis_holds_its_values(values: list[float]) -> None:
    axis = Axis.of(values, same("m"))
    assert axis.low < axis.high
    assert all(axis.low <= value <= axis.high for value in values)


def test_an_axis_without_values_is_still_an_axis() -> None:
    axis = Axis.of([math.nan], same("m"), zero=False)
    assert axis.low < axis.high


def test_a_scale_maps_ends_to_ends_and_up_is_up() -> None:
    scale = Scale(10, 20, 100, 0)
    assert (scale(10), scale(15), scale(20)) == (100, 50, 0)


def test_a_gap_interrupts_a_line_and_a_band() -> None:
    assert path([(0, 0), (1, 1), (math.nan, 2), (3, 3), (4, 4)]) == "M0 0L1 1M3 3L4 4"
    chart = Chart(Axis.of([0, 9], same("s")), Axis.of([0, 9], same("m")))
    chart.band([0, 1, 2, 3, 4], [0, 1, math.nan, 3, 4], [1, 2, 3, 4, 5], Style("#000000"))
    assert len(chart.parts) == 2
    corners = [(x, y) for x, y in ((0, 1), (1, 2), (1, 1), (0, 0))]
    assert path([(chart.at_x(x), chart.at_y(y)) for x, y in corners], close=True) in chart.parts[0]


def test_coordinates_are_short() -> None:
    assert [pixel(v) for v in (1.0, 1.234567, -0.001, 1200.5)] == ["1", "1.23", "0", "1200.5"]


def test_numbers_read_as_each_language_writes_them() -> None:
    assert number(-1234.5, 1) == Text("−1234.5", "−1234,5")
    assert number(12345.678, 2) == Text("12\u202f345.68", "12\u202f345,68")
    assert number(0.04, 1, signed=True).en == "0.0"
    assert number(3, 0, signed=True).en == "+3"
    assert number(None, 1).en == "–"


@pytest.mark.parametrize(
    ("values", "places"),
    [([41.0, 2.0], 0), ([41.5, 2.25], 1), ([0.0123], 4), ([185.9], 0), ([], 0), ([None], 0)],
)
def test_a_row_shows_three_digits_of_its_largest_number(values: list[float | None], places: int) -> None:
    assert decimals(values) == places


def test_texts_join_languages() -> None:
    assert "a " + Text("b", "c") + same(" d") == Text("a b d", "a c d")
    assert Text("<b>", "<i>").__html__() == '<span lang="en">&lt;b&gt;</span><span lang="vi">&lt;i&gt;</span>'


def test_ramps_end_at_their_stops_and_get_darker() -> None:
    assert (sequential(0), sequential(1)) == ("#fde725", "#440154")
    assert diverging(0.5) == "#f7f7f7"
    luminance = [sum(int(sequential(i / 20)[j : j + 2], 16) for j in (1, 3, 5)) for i in range(21)]
    assert luminance[0] > luminance[10] > luminance[20]
    assert (ink_on("#fde725"), ink_on("#440154")) == ("#000000", "#ffffff")


def test_twenty_controllers_are_told_apart() -> None:
    assert len(set(styles([str(i) for i in range(19)]).values())) == 19


def test_a_path_in_tenths_is_the_same_line() -> None:
    """Each point within a twentieth of a pixel, after a thousand steps too; a gap begins a new line."""
    rng = np.random.default_rng(3)
    points = np.cumsum(rng.normal(0, 3, (1000, 2)), axis=0)
    points[500] = np.nan
    found, here = [], np.zeros(2)
    for letter, numbers in re.findall(r"([Ml])([^Ml]+)", tenths_path(points.tolist())):
        pair = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?", numbers)]
        here = np.array(pair) if letter == "M" else here + pair
        found.append(here)
    assert tenths_path(points.tolist()).count("M") == 2
    assert np.abs(np.array(found) - np.delete(points, 500, axis=0)).max() <= 0.05 + 1e-6
    assert tenths_path([(1.0, 2.0), (1.01, 2.01), (1.0, -0.3)], close=True) == "M1 2l0-2.3Z"
