"""The time-space diagram of a street: its signals over time and the green bands through them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from denxanh.experiments.report.drawing.colour import BLUE, FAINT, GREEN, INK, ORANGE, PURPLE, VERMILLION
from denxanh.experiments.report.drawing.green_bands import Band, Stop, Window, band, common_cycle, letters
from denxanh.experiments.report.drawing.svg import (
    FONT,
    SMALL,
    TINY,
    Axis,
    Chart,
    path,
    steps,
    tag,
    tip,
    width_of,
    words,
)
from denxanh.sim.language.text import Text, number, same

WIDE = 720.0
_LONGEST = 300.0  # px, width of a name: forty letters
_BESIDE = 40.0  # px, width of the distance, which is beside the name where signals are close
_TWO_LINES = 26.0  # px, height of a name with its distance below it
_BAR = {"G": 7.0, "y": 4.5, "r": 1.6}  # px, thickness: legible without colour
_COLOUR = {"G": GREEN, "y": ORANGE, "r": VERMILLION}
_NAMES = {"G": Text("green", "xanh"), "y": Text("yellow", "vàng"), "r": Text("red", "đỏ")}
_LOWEST, _PER_SIGNAL, _HIGHEST = 220.0, 52.0, 680.0  # px


def time_space(
    stops: Sequence[Stop],
    speeds: Sequence[float],
    *,
    back_speeds: Sequence[float] = (),
    begin: float = 0.0,
    cycles: float = 3.0,
) -> Markup:
    """Time to the right, distance upwards; a bar per signal, bands with their width in s and % of the cycle.

    ``speeds`` (signals − 1,) m/s between neighbours; with ``back_speeds`` the opposite direction is shown too,
    its bars below those of the street's direction. ``begin`` is scenario time, s.
    Raises InputError as denxanh.experiments.report.drawing.green_bands.band does.
    """
    cycle = common_cycle(stops)
    end = begin + cycles * cycle
    directions = [_Direction.of(_UP, BLUE, stops, speeds)]
    if back_speeds:
        directions.append(_Direction.of(_DOWN, PURPLE, stops, back_speeds, back=True))
    reach = stops[-1].distance - stops[0].distance
    widest = min(_LONGEST, max(width_of(stop.name, SMALL) for stop in stops))
    chart = Chart(
        Axis(begin, end, Text("time in the simulation, s", "thời gian mô phỏng, s"), _seconds(begin, end)),
        Axis(stops[0].distance - 0.06 * reach, stops[-1].distance + 0.06 * reach, same(""), ()),
        width=WIDE,
        height=min(max(_LOWEST, 100 + _PER_SIGNAL * len(stops)), _HIGHEST),
        left=20 + _BESIDE + widest,
        top=12 + 20.0 * len(directions),
    )
    inside = [strip for direction in directions for strip in direction.strips(chart)]
    apart = 4.0 if back_speeds else 0.0
    for stop in stops:
        inside += _bars(chart, stop, stop.links, apart)
        inside += _bars(chart, stop, stop.back, -apart) if back_speeds else ()
    chart.add(_clipped(chart, inside))
    heights = [chart.at_y(stop.distance) for stop in stops]
    close = any(below - y < _TWO_LINES for below, y in itertools.pairwise(heights))
    for stop, y in zip(stops, heights, strict=True):
        x, far = chart.left - 8, f"{stop.distance:.0f} m"
        left, down = (widest + 6, 1) if close else (0.0, 13)
        chart.add(
            words(stop.name, x, y + 1, text_anchor="end", font_size=SMALL),
            words(far, x - left, y + down, text_anchor="end", font_size=TINY, fill=FAINT),
        )
    for i, direction in enumerate(directions):
        chart.add(direction.legend(16 + 20.0 * i))
    return chart.render(Text("Time-space diagram", "Biểu đồ thời gian – khoảng cách"))


_UP, _DOWN = Text("up", "đi lên"), Text("down", "đi xuống")


@dataclass(frozen=True)
class _Direction:
    """One direction: its signals and speeds in the order in which a vehicle meets them."""

    name: Text
    colour: str
    order: tuple[Stop, ...]
    speeds: tuple[float, ...]
    through: Band | None
    between: tuple[Band | None, ...]  # from each signal to the next

    @staticmethod
    def of(
        name: Text, colour: str, stops: Sequence[Stop], speeds: Sequence[float], *, back: bool = False
    ) -> _Direction:
        through = band(stops, speeds, back=back)
        between = [
            band(pair, [speed], back=back)
            for pair, speed in zip(itertools.pairwise(stops), speeds, strict=True)
        ]
        turn = -1 if back else 1
        return _Direction(
            name, colour, tuple(stops[::turn]), tuple(speeds[::turn]), through, tuple(between[::turn])
        )

    def strips(self, chart: Chart) -> Iterator[Markup]:
        """The band through all signals, or pale ones from signal to signal where there is none."""
        if self.through is not None:
            yield from _strips(chart, self.order, self.through, self.colour, pale=False)
            return
        for pair, found in zip(itertools.pairwise(self.order), self.between, strict=True):
            if found is not None:
                yield from _strips(chart, pair, found, self.colour, pale=True)

    def legend(self, y: float) -> Markup:
        """The legend line: bandwidth and speeds."""
        kmh = sorted({round(3.6 * speed) for speed in self.speeds})
        pace = f"{kmh[0]} km/h" if len(kmh) == 1 else f"{kmh[0]}–{kmh[-1]} km/h"
        text = Text("Band ", "Dải xanh ") + self.name + f", {pace}: "
        if self.through is None:
            text = text + Text(
                "none through all signals; pale: from one to the next",
                "không có dải qua mọi đèn; màu nhạt: từ đèn này đến đèn kế tiếp",
            )
        else:
            text = text + number(self.through.window.width, 1) + " s, " + number(100 * self.through.share, 0)
            text = text + Text(
                f" % of the cycle of {self.through.cycle:g} s", f" % chu kỳ {self.through.cycle:g} s"
            )
        box = tag(
            "rect",
            x=8,
            y=y - 10,
            width=12,
            height=12,
            fill=self.colour,
            fill_opacity=0.35,
            stroke=self.colour,
        )
        return box + words(text, 26, y, font_size=FONT, fill=INK)


def _seconds(begin: float, end: float) -> tuple[tuple[float, Text], ...]:
    return tuple((t, number(t, 0)) for t in steps(begin, end, 9))


def _clipped(chart: Chart, parts: Sequence[Markup]) -> Markup:
    """Parts clipped to the plot area by an inner ``<svg>``."""
    x, y = chart.left, chart.top
    wide, high = chart.width - chart.right - x, chart.height - chart.bottom - y
    box = f"{x:g} {y:g} {wide:g} {high:g}"
    return tag("svg", *parts, x=x, y=y, width=wide, height=high, viewBox=box)


def _bars(chart: Chart, stop: Stop, links: Sequence[int], shift: float) -> Iterator[Markup]:
    """The bar of one signal and direction, ``shift`` px above its position."""
    if not links:
        return
    y = chart.at_y(stop.distance) - shift
    for window, letter in letters(stop.timing, links):
        for start in _starts(window, stop.timing.cycle, chart.x.low, chart.x.high):
            a, b = chart.at_x(start), chart.at_x(start + window.width)
            seconds = number(window.width, 0 if window.width.is_integer() else 1) + " s"
            text = same(stop.name + ": ") + _NAMES[letter] + " " + seconds
            thick = _BAR[letter]
            yield tag(
                "rect", tip(text), x=a, y=y - thick / 2, width=b - a, height=thick, fill=_COLOUR[letter]
            )


def _starts(window: Window, cycle: float, low: float, high: float) -> Iterator[float]:
    """The starts of a repeating window that overlaps ``low``…``high``."""
    first = math.floor((low - window.end) / cycle)
    for k in itertools.count(first):
        start = window.start + k * cycle
        if start >= high:
            return
        if start + window.width > low:
            yield start


def _strips(chart: Chart, order: Sequence[Stop], found: Band, colour: str, *, pale: bool) -> Iterator[Markup]:
    """A band as a strip in each cycle."""
    seen = Window(found.window.start, found.window.end + found.arrivals[-1])
    for start in _starts(seen, found.cycle, chart.x.low, chart.x.high):
        early = [
            (chart.at_x(start + arrival), chart.at_y(stop.distance))
            for stop, arrival in zip(order, found.arrivals, strict=True)
        ]
        shift = chart.at_x(start + found.window.width) - chart.at_x(start)
        late = [(x + shift, y) for x, y in early]
        strip = path([*early, *late[::-1]], close=True)
        yield tag("path", d=strip, fill=colour, fill_opacity=0.12 if pale else 0.22)
        if not pale:
            yield tag("path", d=path(early) + path(late), fill="none", stroke=colour, stroke_width=1.2)
