"""SVG elements, scales, axes and a chart. All returned markup is escaped and well-formed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from denxanh.experiments.report.drawing.colour import FAINT, GRID, INK, Style
from denxanh.sim.language.text import (
    CLOCK_TITLES,
    Clock,
    Text,
    clock,
    clock_kind,
    decimals,
    number,
    same,
)

FONT = 14  # px in a drawing of WIDTH; on a phone of 340 px it is still 10 px
SMALL, TINY = 12, 10
WIDTH = 480.0
_CHARACTER = 0.56  # mean width of a character of a sans-serif font, in its size
_NEGLIGIBLE = 1e-12  # of any unit: a range that means one value
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Attribute = str | float | None


def tag(name: str, *content: str | None, **attributes: Attribute) -> Markup:
    """An element. Text is escaped unless it is Markup; ``stroke_width`` becomes ``stroke-width``."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(clean(part) for part in content if part is not None)
    return Markup(f"<{name}{written}>{inner}</{name}>" if inner else f"<{name}{written}/>")


def clean(text: str) -> Markup:
    """Escaped text without the characters XML forbids."""
    return Markup(_NOT_XML.sub("\ufffd", escape(text)))


def _value(value: str | float) -> str:
    return clean(value) if isinstance(value, str) else pixel(value)


def pixel(value: float) -> str:
    """A coordinate with at most two decimals."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def words(text: Text | str, x: float, y: float, **attributes: Attribute) -> Markup:
    """A ``<text>``, or one for each language where they differ."""
    both = same(text)
    if both.en == both.vi:
        return tag("text", both.en, x=x, y=y, **attributes)
    english = tag("text", both.en, x=x, y=y, lang="en", **attributes)
    return english + tag("text", both.vi, x=x, y=y, lang="vi", **attributes)


def tip(text: Text | str) -> Markup:
    """The tooltip of a mark: both languages, a line each; the script of the page selects one."""
    both = same(text)
    return tag("title", both.en if both.en == both.vi else f"{both.en}\n{both.vi}")


def width_of(text: Text | str, size: float = FONT) -> float:
    """Estimated width of the longer language, px."""
    both = same(text)
    return max(len(both.en), len(both.vi)) * size * _CHARACTER


def path(points: Iterable[tuple[float, float]], *, close: bool = False) -> str:
    """Path data through ``points``; a NaN coordinate interrupts the line."""
    out, drawing = [], False
    for x, y in points:
        if math.isnan(x) or math.isnan(y):
            drawing = False
            continue
        out.append(f"{'L' if drawing else 'M'}{pixel(x)} {pixel(y)}")
        drawing = True
    return "".join(out) + ("Z" if close and out else "")


def tenths_path(points: Iterable[tuple[float, float]], *, close: bool = False, dots: bool = False) -> str:
    """As ``path``, in steps from point to point to a tenth of a pixel: half as long, for lines of many points.

    Each point is rounded, not each step, so that errors do not add up. Points that round to the same place are one.
    With ``dots`` every point is a mark of its own.
    """
    out, drawing = [], False
    last = (0, 0)
    for x, y in points:
        if math.isnan(x) or math.isnan(y):
            drawing = False
            continue
        here = round(10 * x), round(10 * y)
        step = here[0] - last[0], here[1] - last[1]
        if drawing and not dots:
            if step == (0, 0):
                continue
            out.append("l" + _tenths(step))
        elif dots:
            out.append("m" + _tenths(step) + "h0")
        else:
            out.append("M" + _tenths(here))
        last, drawing = here, True
    return "".join(out) + ("Z" if close and out else "")


def _tenths(pair: tuple[int, int]) -> str:
    """Two numbers of tenths, as short as SVG allows: no zero before the point, no space before a minus."""
    x, y = (f"{n / 10:g}".replace("0.", ".") if abs(n) < 10 else f"{n / 10:g}" for n in pair)
    return x + ("" if y.startswith("-") else " ") + y


def marker(kind: str, x: float, y: float, radius: float, *content: str, **attributes: Attribute) -> Markup:
    """A mark at a point: circle, square, triangle or diamond of about the same area."""
    if kind == "circle":
        return tag("circle", *content, cx=x, cy=y, r=radius, **attributes)
    r = radius
    shapes = {
        "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
        "triangle": ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
        "diamond": ((0, -1.3), (1.1, 0), (0, 1.3), (-1.1, 0)),
    }
    data = path([(x + r * dx, y + r * dy) for dx, dy in shapes[kind]], close=True)
    return tag("path", *content, d=data, **attributes)


def drawing(width: float, height: float, label: Text, *content: Markup) -> Markup:
    """The ``<svg>`` element; ``label`` is for screen readers, in English, since an attribute holds one language."""
    return tag(
        "svg",
        *content,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {pixel(width)} {pixel(height)}",
        role="img",
        aria_label=label.en,
        font_size=FONT,
        fill=INK,
    )


@dataclass(frozen=True)
class Scale:
    """A linear map from values ``low``…``high`` to pixels ``start``…``stop``."""

    low: float
    high: float
    start: float
    stop: float

    def __call__(self, value: float) -> float:
        """The pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)


def steps(low: float, high: float, count: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) from ``low`` to ``high``, about ``count`` of them."""
    span = high - low
    if span <= _NEGLIGIBLE:
        return [low]
    rough = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def clock_steps(low: float, high: float, count: int = 6) -> list[float]:
    """Round times of day from ``low`` to ``high`` s."""
    for step in (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400):
        if (high - low) / step <= count:
            break
    return [float(i * step) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high``; ``ticks`` are (value, label)."""

    low: float
    high: float
    label: Text
    ticks: tuple[tuple[float, Text], ...]

    @staticmethod
    def of(
        values: Iterable[float], label: Text, *, zero: bool = True, count: int = 5, signed: bool = False
    ) -> Axis:
        """An axis that covers all finite ``values``, and zero if asked, with a margin of 4 %."""
        finite = [v for v in values if math.isfinite(v)] + ([0.0] if zero else [])
        low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
        if high - low <= _NEGLIGIBLE:
            low, high = (low, low + 1.0) if 0 <= low <= _NEGLIGIBLE else (low - 0.5, high + 0.5)
        room = 0.04 * (high - low)
        low, high = (low if zero and low == 0 else low - room), (high if zero and high == 0 else high + room)
        marks = steps(low, high, count)
        step = marks[1] - marks[0] if len(marks) > 1 else 1.0
        places = 0 if step >= 1 else decimals([step], 1)
        return Axis(low, high, label, tuple((m, number(m, places, signed=signed)) for m in marks))

    @staticmethod
    def time(begin: float, end: float, clock_of: Clock | None = None) -> Axis:
        """Time as hours and minutes; ``clock_of`` says what it counts from where the axis is a part of the run."""
        marks = tuple((t, same(clock(t))) for t in clock_steps(begin, end))
        return Axis(begin, end, CLOCK_TITLES[clock_of or clock_kind(begin, end)], marks)


@dataclass
class Chart:
    """A plot area with axes; parts are added and then rendered. The y axis points up; lengths are in px."""

    x: Axis
    y: Axis
    width: float = WIDTH
    height: float = 280.0
    left: float = 52.0
    right: float = 22.0
    top: float = 28.0
    bottom: float = 46.0
    parts: list[Markup] = field(default_factory=list)

    @property
    def at_x(self) -> Scale:
        """From a value on the x axis to a pixel."""
        return Scale(self.x.low, self.x.high, self.left, self.width - self.right)

    @property
    def at_y(self) -> Scale:
        """From a value on the y axis to a pixel."""
        return Scale(self.y.low, self.y.high, self.height - self.bottom, self.top)

    def add(self, *markup: Markup) -> None:
        """Add markup on top of the existing parts."""
        self.parts.extend(markup)

    def line(self, xs: Sequence[float], ys: Sequence[float], style: Style, *, stroke: float = 2.0) -> None:
        """Add a line; NaN interrupts it."""
        data = path((self.at_x(x), self.at_y(y)) for x, y in zip(xs, ys, strict=True))
        self.add(
            tag(
                "path",
                d=data,
                fill="none",
                stroke=style.colour,
                stroke_width=stroke,
                stroke_dasharray=style.dash or None,
                stroke_linejoin="round",
            )
        )

    def band(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], style: Style) -> None:
        """Add the area between two lines; NaN in either interrupts it."""
        piece: list[tuple[float, float, float]] = []
        for x, a, b in (*zip(xs, low, high, strict=True), (math.nan,) * 3):
            if not (math.isnan(a) or math.isnan(b)):
                piece.append((self.at_x(x), self.at_y(a), self.at_y(b)))
                continue
            if len(piece) > 1:
                outline = [(x, b) for x, _, b in piece] + [(x, a) for x, a, _ in reversed(piece)]
                self.add(tag("path", d=path(outline, close=True), fill=style.colour, fill_opacity=0.16))
            piece = []

    def dots(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        style: Style,
        tips: Sequence[Text] = (),
        *,
        radius: float = 4.0,
    ) -> None:
        """Add marks at points, each with a tooltip if given."""
        for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
            if not (math.isnan(x) or math.isnan(y)):
                content = (tip(tips[i]),) if tips else ()
                self.add(
                    marker(
                        style.marker,
                        self.at_x(x),
                        self.at_y(y),
                        radius,
                        *content,
                        fill=style.colour,
                        fill_opacity=0.55,
                    )
                )

    def note(self, text: Text | str, x: float, y: float) -> None:
        """Add a label beside a mark, px; it is right-aligned if it would leave the chart."""
        ends = x + width_of(text, SMALL) > self.width
        anchor = "end" if ends else None
        self.add(words(text, x, y, font_size=SMALL, fill=FAINT, text_anchor=anchor))

    def legend(self, entries: Sequence[tuple[Text | str, Style]]) -> None:
        """Add names and styles above the plot, wrapped to its width. Call it first: the chart grows by them."""
        x, row, height = self.left, 0, 20.0
        for name, style in entries:
            wide = 34 + width_of(name, SMALL)
            if x > self.left and x + wide > self.width:
                x, row = self.left, row + 1
            y = 10 + row * height
            self.add(
                tag(
                    "line",
                    x1=x,
                    x2=x + 22,
                    y1=y,
                    y2=y,
                    stroke=style.colour,
                    stroke_width=2.5,
                    stroke_dasharray=style.dash or None,
                ),
                marker(style.marker, x + 11, y, 4, fill=style.colour),
                words(name, x + 27, y + 4, font_size=SMALL),
            )
            x += wide + 8
        self.top = 26 + (row + 1) * height
        self.height += row * height

    def render(self, label: Text) -> Markup:
        """The drawing with grid and axes."""
        at_x, at_y = self.at_x, self.at_y
        x0, x1, y0, y1 = at_x.start, at_x.stop, at_y.start, at_y.stop
        under: list[Markup] = []
        for value, text in self.y.ticks:
            y = at_y(value)
            under.append(tag("line", x1=x0, x2=x1, y1=y, y2=y, stroke=GRID))
            under.append(words(text, x0 - 6, y + 4, text_anchor="end", font_size=SMALL, fill=FAINT))
        for value, text in self.x.ticks:
            x = at_x(value)
            under.append(tag("line", x1=x, x2=x, y1=y0, y2=y1, stroke=GRID))
            under.append(words(text, x, y0 + 17, text_anchor="middle", font_size=SMALL, fill=FAINT))
        over = [tag("line", x1=x0, x2=x1, y1=y0, y2=y0, stroke=FAINT)]
        if self.x.label.en:
            over.append(words(self.x.label, (x0 + x1) / 2, y0 + 37, text_anchor="middle", font_size=SMALL))
        if self.y.label.en:
            over.append(words(self.y.label, 4, y1 - 8, font_size=SMALL))
        return drawing(self.width, self.height, label, *under, *self.parts, *over)
