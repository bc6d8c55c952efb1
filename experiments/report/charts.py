"""The charts of a comparison: means with intervals, time series, queues by intersection."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from denxanh.experiments.report.drawing.colour import (
    FAINT,
    INK,
    SHADE,
    WHITE,
    Ramp,
    Style,
    ink_on,
    sequential,
)
from denxanh.experiments.report.drawing.svg import (
    SMALL,
    WIDTH,
    Axis,
    Chart,
    Scale,
    drawing,
    marker,
    pixel,
    steps,
    tag,
    tip,
    width_of,
    words,
)
from denxanh.experiments.report.series import Array, TimeSeries
from denxanh.experiments.report.text_format import interval_text
from denxanh.sim.language.text import Text, clock, decimals, number, same

ROW = 46.0  # px: a name and, below it, its marks
_HALO: dict[str, str | float] = {"stroke": WHITE, "stroke_width": 3.0, "paint_order": "stroke"}
MOST_BANDS = 5  # more overlapping bands are illegible
MOST_MARKS = 100  # per row: more cannot be distinguished or pointed at


@dataclass(frozen=True)
class Estimate:
    """A row of an interval chart: single runs, their mean and its interval."""

    name: Text
    style: Style
    points: tuple[tuple[float, Text], ...]  # value and tooltip
    mean: float | None
    low: float | None
    high: float | None


def interval_chart(
    rows: Sequence[Estimate],
    unit: Text,
    label: Text,
    *,
    sides: tuple[Text, Text] | None = None,
) -> Markup:
    """One row per controller: a mark per seed, the mean and its interval.

    With ``sides``, the meaning of values left and right of zero, it is a chart of differences.
    """
    values = [v for row in rows for v, _ in row.points]
    values += [v for row in rows for v in (row.mean, row.low, row.high) if v is not None]
    if sides:  # space for the labels on either side of zero
        reach = 0.25 * max((abs(v) for v in values), default=1.0)
        values += [-reach, reach]
    axis = Axis.of(values, unit, zero=True, count=6, signed=sides is not None)
    height = 12 + ROW * len(rows) + 46 + (18 if sides else 0)
    chart = Chart(axis, Axis(0.0, 1.0, same(""), ()), height=height, left=14, top=12 + (18 if sides else 0))
    at = chart.at_x
    if sides:
        zero = at(0.0)
        chart.add(
            tag(
                "line", x1=zero, x2=zero, y1=18, y2=height - chart.bottom, stroke=INK, stroke_dasharray="4 3"
            ),
            words(sides[0], zero - 6, 14, text_anchor="end", font_size=SMALL, fill=FAINT),
            words(sides[1], zero + 6, 14, font_size=SMALL, fill=FAINT),
        )
    for i, row in enumerate(rows):
        top = chart.top + i * ROW
        y = top + 31
        chart.add(words(row.name, 14, top + 14, font_weight="bold", **_HALO))
        chart.add(*_points(row, at, y))
        chart.add(*_mean(row, at, y, unit))
    return chart.render(label)


def _points(row: Estimate, at: Scale, y: float) -> list[Markup]:
    """A mark with tooltip for each run; for more than MOST_MARKS runs a tick each, drawn as one path."""
    if len(row.points) > MOST_MARKS:
        ticks = "".join(f"M{pixel(at(v))} {pixel(y - 4)}v8" for v, _ in row.points)
        return [tag("path", d=ticks, stroke=row.style.colour, stroke_opacity=0.3)]
    return [
        marker(row.style.marker, at(v), y, 4, tip(t), fill=row.style.colour, fill_opacity=0.45)
        for v, t in row.points
    ]


def _mean(row: Estimate, at: Scale, y: float, unit: Text) -> list[Markup]:
    if row.mean is None:
        return []
    places = decimals([row.mean, row.low, row.high])
    text = row.name + ": " + number(row.mean, places) + " " + unit
    parts = []
    if row.low is not None and row.high is not None:
        text = text + " " + interval_text(row.low, row.high, places)
        a, b = at(row.low), at(row.high)
        data = f"M{a:.2f} {y - 6:.2f}v12M{a:.2f} {y:.2f}H{b:.2f}M{b:.2f} {y - 6:.2f}v12"
        parts.append(tag("path", d=data, fill="none", stroke=row.style.colour, stroke_width=2))
    x = at(row.mean)
    parts.append(
        tag("line", tip(text), x1=x, x2=x, y1=y - 9, y2=y + 9, stroke=row.style.colour, stroke_width=4)
    )
    return parts


@dataclass(frozen=True)
class Line:
    """A time series and its style."""

    name: Text
    style: Style
    series: TimeSeries


def time_series_chart(
    lines: Sequence[Line],
    unit: Text,
    label: Text,
    *,
    span: tuple[float, float],
    warm_up: float = 0.0,
    flush: float = 0.0,
) -> Markup:
    """ControllerSeries over time, with the range of the seeds if they are few; warm-up and flush, s, are shaded."""
    tops = [v for line in lines for v in line.series.high.tolist()]
    chart = Chart(Axis.time(*span), Axis.of(tops, unit), height=300)
    chart.legend([(line.name, line.style) for line in lines])
    for first, last, name in (
        (span[0], span[0] + warm_up, Text("warm-up", "khởi động")),
        (span[1] - flush, span[1], Text("flush", "xả")),
    ):
        if last <= first:
            continue
        a, b = chart.at_x(first), chart.at_x(last)
        chart.add(
            tag(
                "rect",
                x=a,
                y=chart.top,
                width=b - a,
                height=chart.height - chart.bottom - chart.top,
                fill=SHADE,
            ),
            words(name, a + 4, chart.top + 14, font_size=SMALL, fill=FAINT),
        )
    for line in lines if len(lines) <= MOST_BANDS else ():
        c = line.series
        chart.band(c.centre.tolist(), c.low.tolist(), c.high.tolist(), line.style)
    for line in lines:
        c = line.series
        xs, ys = c.centre.tolist(), c.mean.tolist()
        chart.line(xs, ys, line.style)
        places = decimals(ys)
        tips = [
            line.name + ", " + clock(x) + ": " + number(y, places) + " " + unit
            for x, y in zip(xs, ys, strict=True)
        ]
        chart.dots(xs, ys, line.style, tips, radius=2.6)
    return chart.render(label)


def heat_map(
    names: Sequence[Text],
    values: Array,
    bounds: Sequence[float],
    most: float,
    unit: Text,
    label: Text,
    *,
    warm_up: float = 0.0,
    flush: float = 0.0,
) -> Markup:
    """Rows of cells over time.

    ``values`` (rows, intervals); ``bounds`` (intervals + 1,) s; ``most`` has the darkest colour;
    lines mark the end of the warm-up and the begin of the flush, s.
    """
    left = 8 + min(215.0, max((width_of(name, SMALL) for name in names), default=0.0))
    row = 18.0
    height = 10 + row * len(names) + 46
    axis = Axis.time(bounds[0], bounds[-1])
    chart = Chart(axis, Axis(0.0, 1.0, same(""), ()), height=height, left=left, top=10)
    places = decimals([most])
    for i, name in enumerate(names):
        y = chart.top + i * row
        chart.add(words(name, left - 6, y + 13, text_anchor="end", font_size=SMALL))
        for j, value in enumerate(values[i].tolist()):
            if math.isnan(value):
                continue
            a, b = chart.at_x(bounds[j]), chart.at_x(bounds[j + 1])
            text = name + ", " + clock(bounds[j]) + ": " + number(value, places) + " " + unit
            colour = sequential(value / most if most > 0 else 0.0)
            chart.add(tag("rect", tip(text), x=a, y=y, width=b - a, height=row - 1, fill=colour))
    for cut, time, name in (
        (warm_up, bounds[0] + warm_up, Text("end of the warm-up", "hết thời gian khởi động")),
        (flush, bounds[-1] - flush, Text("begin of the flush", "bắt đầu thời gian xả")),
    ):
        if cut <= 0:
            continue
        x, bottom = chart.at_x(time), chart.top + row * len(names)
        chart.add(
            tag(
                "line",
                tip(name),
                x1=x,
                x2=x,
                y1=chart.top,
                y2=bottom,
                stroke=INK,
                stroke_width=2,
                stroke_dasharray="4 3",
            )
        )
    return chart.render(label)


def colour_bar(
    low: float, high: float, ramp: Ramp, unit: Text, *, more: bool = False, signed: bool = False
) -> Markup:
    """A legend for a ramp from ``low`` to ``high``; ``more``: larger values have the last colour."""
    x = Scale(low, high, 14, WIDTH - 40)
    n = 60
    wide = (x.stop - x.start) / n
    cells = [
        tag("rect", x=x.start + i * wide, y=6, width=wide + 0.5, height=14, fill=ramp((i + 0.5) / n))
        for i in range(n)
    ]
    marks = steps(low, high, 5)
    gap = marks[1] - marks[0] if len(marks) > 1 else 1.0
    places = 0 if gap >= 1 else decimals([gap], 1)
    for value in marks:
        text = number(value, places, signed=signed)
        cells.append(tag("line", x1=x(value), x2=x(value), y1=20, y2=24, stroke=INK))
        cells.append(words(text, x(value), 37, text_anchor="middle", font_size=SMALL))
    if more:
        cells.append(words("≥", x.stop + 4, 18, font_size=SMALL))
    cells.append(words(unit, WIDTH / 2, 53, text_anchor="middle", font_size=SMALL))
    return drawing(WIDTH, 58, Text("colour scale", "thang màu"), *cells)


def badge(letter: str, colour: str) -> Markup:
    """A letter on a background, for tables."""
    return drawing(
        22,
        18,
        same(letter),
        tag("rect", x=0, y=0, width=22, height=18, rx=3, fill=colour),
        words(letter, 11, 14, text_anchor="middle", font_weight="bold", fill=ink_on(colour)),
    )
