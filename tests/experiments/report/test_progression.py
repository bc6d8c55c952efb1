"""Green bands against closed forms and against driving through the street second by second."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from denxanh.experiments.report.drawing.green_bands import Stop, Window, band, greens, letters
from denxanh.experiments.report.drawing.svg import width_of
from denxanh.experiments.report.drawing.time_space import time_space
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Interval, Stage, Timing


def timing(green: float, cycle: float, offset: float = 0.0) -> Timing:
    """Link 0 has ``green``, link 1 the rest, each with 3 s of yellow and 2 s of red in between."""
    rest = cycle - green - 10
    return Timing(
        (
            Stage("Gr", green, (Interval("yr", 3.0), Interval("rr", 2.0))),
            Stage("rG", rest, (Interval("ry", 3.0), Interval("rr", 2.0))),
        ),
        offset,
    )


def street(*stops: tuple[float, float, float], cycle: float = 90.0) -> list[Stop]:
    """Signals from (distance, green, offset)."""
    return [
        Stop(f"S{i}", distance, timing(green, cycle, offset), (0,), (1,))
        for i, (distance, green, offset) in enumerate(stops)
    ]


def test_letters_of_a_cycle_start_at_the_offset_and_join_over_its_end() -> None:
    shown = letters(timing(40.0, 90.0, 10.0), (0,))
    assert [(w.start, w.end, letter) for w, letter in shown] == [(10, 50, "G"), (50, 53, "y"), (53, 100, "r")]
    assert greens(timing(40.0, 90.0, -20.0), (0,)) == [Window(70.0, 110.0)]


def test_links_are_green_together_only_if_all_are() -> None:
    both = Timing((Stage("GG", 10.0), Stage("Gg", 5.0), Stage("Gr", 15.0, (Interval("yr", 3.0),))))
    assert greens(both, (0, 1)) == [Window(0.0, 15.0)]
    assert greens(both, (0,)) == [Window(0.0, 30.0)]


def test_offsets_that_follow_the_travel_time_give_the_shortest_green_as_band() -> None:
    # 300 m and 200 m at 10 m/s: 30 s and 20 s
    found = band(street((0, 40, 5), (300, 35, 35), (500, 50, 55)), [10.0, 10.0])
    assert found is not None
    assert (found.window.start, found.window.width) == (5.0, 35.0)
    assert found.arrivals == (0.0, 30.0, 50.0)
    assert found.share == pytest.approx(35 / 90)


def test_a_band_lost_against_the_street_may_exist_along_it() -> None:
    stops = street((0, 40, 0), (450, 40, 45))  # 45 s at 10 m/s
    along, against = band(stops, [10.0]), band(stops, [10.0], back=True)
    assert along is not None
    assert along.window.width == 40.0
    assert against is not None
    assert against.window == Window(0.0, 40.0)  # link 1: green from 45 + 45 to 85 + 45; 45 s later 45…85


def test_no_band_is_told_as_none() -> None:
    assert band(street((0, 30, 0), (100, 30, 50)), [10.0]) is None


def test_a_signal_with_half_the_cycle_opens_twice() -> None:
    stops = street((0, 50, 0), (100, 40, 0))
    half = replace(stops[1], timing=timing(20.0, 45.0, 10.0))
    found = band([stops[0], half], [10.0])
    assert found is not None
    assert found.window == Window(0.0, 20.0)


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.lists(st.tuples(st.integers(15, 70), st.integers(0, 89)), min_size=2, max_size=5),
    st.lists(st.integers(20, 400), min_size=4, max_size=4),
    st.booleans(),
)
def test_who_drives_inside_the_band_meets_green_and_no_longer_band_exists(
    signals: list[tuple[int, int]], gaps: list[int], back: bool
) -> None:
    places = [float(sum(gaps[:i])) for i in range(len(signals))]
    stops = street(*((x, g, o) for x, (g, o) in zip(places, signals, strict=True)))
    speeds = [10.0] * (len(stops) - 1)
    found = band(stops, speeds, back=back)
    order = stops[::-1] if back else stops
    link = 1 if back else 0

    def passes(start: float) -> bool:
        for stop in order:
            moment = stop.timing.at(start + abs(stop.distance - order[0].distance) / 10.0)
            if moment.stage != link or moment.step != 0:
                return False
        return True

    # Everything happens at tenths of a second: look in the middle of each.
    ticks = [passes(k / 10 + 0.05) for k in range(900)]
    longest = run = 0
    for ok in ticks + ticks:
        run = run + 1 if ok else 0
        longest = max(longest, run)
    assume(longest < 900)
    width = 0.0 if found is None else found.window.width
    assert width == pytest.approx(longest / 10, abs=1e-3)
    if found is not None:
        assert passes(found.window.start + 0.01)
        assert passes(found.window.end - 0.01)


@pytest.mark.parametrize(
    ("stops", "speeds", "said"),
    [
        (street((0, 30, 0)), [], "a street of 1 signals with 0 speeds"),
        (street((0, 30, 0), (100, 30, 0)), [10.0, 10.0], "a street of 2 signals with 2 speeds"),
        (street((100, 30, 0), (100, 30, 0)), [10.0], "'S1' is not beyond 'S0'"),
        (street((0, 30, 0), (100, 30, 0)), [0.0], "a speed is not positive"),
        (
            [*street((0, 30, 0)), replace(street((9, 30, 0), cycle=80)[0], name="S1")],
            [10.0],
            "'S1' has a cycle of 80 s, which does not divide 90 s",
        ),
        (
            [*street((0, 30, 0)), replace(street((9, 30, 0))[0], links=())],
            [10.0],
            "no link in this direction",
        ),
    ],
)
def test_a_street_that_cannot_have_a_band_is_refused(
    stops: list[Stop], speeds: list[float], said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        band(stops, speeds)


def shown(svg: str) -> list[str]:
    """Every text of a drawing, which must be well-formed."""
    root = ElementTree.fromstring(svg)
    return [node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_diagram_tells_bandwidth_share_and_speed() -> None:
    stops = street((0, 40, 5), (300, 35, 35), (500, 50, 55))
    texts = shown(time_space(stops, [10.0, 12.5], back_speeds=[10.0, 10.0]))
    assert any(re.match(r"Band up, 36–45 km/h: 31\.0 s, 34 % of the cycle of 90 s", text) for text in texts)
    assert any(text.startswith("Dải xanh đi lên, 36–45 km/h: 31,0 s") for text in texts)
    assert {"S0", "S1", "S2", "0 m", "300 m", "500 m"} <= set(texts)


def test_long_names_of_close_signals_are_whole_and_beside_their_distances() -> None:
    names = [
        "Xô Viết Nghệ Tĩnh / Nguyễn Thị Minh Khai",
        "Nguyễn Thị Minh Khai / Nguyễn Bỉnh Khiêm",
        "Pasteur",
    ]
    stops = street((0, 40, 5), (90, 35, 35), (3300, 50, 55))
    named = [replace(stop, name=name) for stop, name in zip(stops, names, strict=True)]
    drawing = ElementTree.fromstring(time_space(named, [10.0, 10.0]))
    texts = {node.text: node for node in drawing.iter("{http://www.w3.org/2000/svg}text")}
    for name, distance in zip(names, ("0 m", "90 m", "3300 m"), strict=True):
        x, y = (float(texts[name].attrib[key]) for key in "xy")
        assert float(texts[distance].attrib["x"]) <= x - width_of(name, 12.0)
        assert float(texts[distance].attrib["y"]) == y
        assert float(texts[distance].attrib["x"]) - width_of(distance, 10.0) >= 0.0
    apart = ElementTree.fromstring(time_space(stops[:1] + stops[2:], [10.0]))
    at = {node.text: float(node.attrib["y"]) for node in apart.iter("{http://www.w3.org/2000/svg}text")}
    assert at["0 m"] - at["S0"] == 12.0  # there is room for two lines


def test_bars_repeat_every_cycle_and_fill_the_time_shown() -> None:
    svg = ElementTree.fromstring(
        time_space(street((0, 40, 5), (300, 40, 35)), [10.0], begin=25200.0, cycles=2.0)
    )
    bars = [node for node in svg.iter("{http://www.w3.org/2000/svg}rect") if len(node)]
    first = [bar for bar in bars if (bar[0].text or "").startswith("S0")]
    spans = sorted((float(bar.attrib["x"]), float(bar.attrib["width"])) for bar in first)
    for (x, width), (following, _) in pairwise(spans):
        assert x + width == pytest.approx(following, abs=0.02)
    per_second = spans[1][1] / {"G": 40, "y": 3, "r": 47}[{"#009e73": "G", "#e69f00": "y", "#d55e00": "r"}[
        sorted(first, key=lambda bar: float(bar.attrib["x"]))[1].attrib["fill"]]]  # fmt: skip
    assert sum(width for _, width in spans) >= 180 * per_second - 0.1


def test_without_a_band_the_diagram_shows_the_way_from_signal_to_signal() -> None:
    texts = shown(time_space(street((0, 30, 0), (100, 30, 20), (200, 30, 50)), [10.0, 10.0]))
    assert "Band up, 36 km/h: none through all signals; pale: from one to the next" in texts
