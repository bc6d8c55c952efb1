"""Draw a picture as SVG in both languages, for the page."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from denxanh.experiments.report.charts import colour_bar
from denxanh.experiments.report.drawing.svg import (
    SMALL,
    Chart,
    marker,
    pixel,
    tag,
    tenths_path,
    tip,
    width_of,
    words,
)
from denxanh.experiments.report.pictures.picture import (
    Area,
    Bar,
    Cell,
    Dots,
    Label,
    Layer,
    Line,
    Marks,
    Picture,
)
from denxanh.sim.language.text import Text, same

_LONGEST = 250.0  # px, of a name of the y axis
_ROW = 20.0  # px of the legend


def svg_of(picture: Picture) -> Markup:
    """The drawing; a scale of colours stands below it."""
    left = 58.0
    if picture.names:
        left = 16 + min(_LONGEST, max(width_of(name, SMALL) for _, name in picture.names))
    chart = Chart(
        picture.x,
        picture.y,
        width=picture.width,
        height=picture.height,
        left=left,
        top=24 if picture.y.label.en else 12,
    )
    legend = list(_legend(picture, chart))
    inside = [
        part
        for layer in picture.layers
        if not isinstance(layer, Label | Marks)
        for part in _drawn(chart, layer)
    ]
    chart.add(_clipped(chart, inside))
    chart.add(
        *(
            part
            for layer in picture.layers
            if isinstance(layer, Label | Marks)
            for part in _drawn(chart, layer)
        )
    )
    chart.add(*legend)
    for y, name in picture.names:
        chart.add(words(_short(name), left - 8, chart.at_y(y) + 4, text_anchor="end", font_size=SMALL))
    drawn = chart.render(picture.title)
    if picture.scale is not None:
        bar = colour_bar(0.0, picture.scale.most, picture.scale.ramp, picture.scale.name)
        drawn += tag("div", bar, class_="bar")
    return drawn


def _short(name: Text) -> Text:
    most = int(_LONGEST / (0.56 * SMALL))
    return Text(*(one if len(one) <= most else one[: most - 1] + "…" for one in (name.en, name.vi)))


def _legend(picture: Picture, chart: Chart) -> Iterator[Markup]:
    """The entries above the plot, wrapped to its width; the chart grows by them."""
    x, row = 8.0, 0
    for entry in picture.legend:
        wide = 34 + width_of(entry.name, SMALL)
        if x > 8 and x + wide > picture.width:
            x, row = 8.0, row + 1
        y = 10 + row * _ROW
        if entry.marker:
            yield tag(
                "line", x1=x, x2=x + 22, y1=y, y2=y, stroke=entry.colour, stroke_width=2.5,
                stroke_dasharray=entry.dash or None,
            )  # fmt: skip
            if entry.marker != "none":
                yield marker(entry.marker, x + 11, y, 4, fill=entry.colour)
        else:
            yield tag("rect", x=x + 4, y=y - 5, width=14, height=10, fill=entry.colour)
        yield words(entry.name, x + 27, y + 4, font_size=SMALL)
        x += wide + 8
    if picture.legend:
        chart.top += (row + 1) * _ROW
        chart.height += (row + 1) * _ROW


def _clipped(chart: Chart, parts: list[Markup]) -> Markup:
    """Parts clipped to the plot area by an inner ``<svg>``."""
    x, y = chart.left, chart.top
    wide, high = chart.width - chart.right - x, chart.height - chart.bottom - y
    return tag(
        "svg", *parts, x=x, y=y, width=wide, height=high,
        viewBox=f"{pixel(x)} {pixel(y)} {pixel(wide)} {pixel(high)}",
    )  # fmt: skip


def _drawn(chart: Chart, layer: Layer) -> Iterator[Markup]:
    at_x, at_y = chart.at_x, chart.at_y
    match layer:
        case Line():
            yield tag(
                "path", d=tenths_path((at_x(x), at_y(y)) for x, y in zip(layer.x, layer.y, strict=True)), fill="none",
                stroke=layer.colour, stroke_width=layer.width, stroke_dasharray=layer.dash or None,
                stroke_opacity=None if layer.opacity == 1 else layer.opacity, stroke_linejoin="round",
            )  # fmt: skip
        case Dots():
            at = ((at_x(x), at_y(y)) for x, y in zip(layer.x, layer.y, strict=True))
            dots = tenths_path(at, dots=True)
            yield tag(
                "path", d=dots, stroke=layer.colour, stroke_width=layer.size, stroke_linecap="round",
                stroke_opacity=layer.opacity,
            )  # fmt: skip
        case Marks():
            for k, (x, y) in enumerate(zip(layer.x, layer.y, strict=True)):
                content = (tip(layer.tips[k]),) if layer.tips else ()
                yield marker(layer.marker, at_x(x), at_y(y), 3.4, *content, fill=layer.colour)
        case Bar():
            content = (tip(layer.tip),) if layer.tip else ()
            yield tag(
                "rect", *content, x=at_x(layer.start), y=at_y(layer.y) - layer.thick / 2 - layer.shift,
                width=at_x(layer.end) - at_x(layer.start), height=layer.thick, fill=layer.colour,
            )  # fmt: skip
        case Cell():
            content = (tip(layer.tip),) if layer.tip else ()
            top, bottom = sorted((at_y(layer.low), at_y(layer.high)))
            yield tag(
                "rect", *content, x=at_x(layer.left), y=top, width=at_x(layer.right) - at_x(layer.left),
                height=bottom - top, fill=layer.colour, fill_opacity=None if layer.opacity == 1 else layer.opacity,
                stroke=layer.outline or None,
            )  # fmt: skip
        case Area():
            outline = [(at_x(x), at_y(y)) for x, y in zip(layer.x, layer.y, strict=True)]
            yield tag(
                "path", d=tenths_path(outline, close=True), fill=layer.colour, fill_opacity=layer.opacity
            )
        case Label():
            yield words(
                same(layer.text), at_x(layer.x), at_y(layer.y) + layer.size / 3 - layer.shift,
                text_anchor=layer.anchor, font_size=layer.size, fill=layer.colour,
            )  # fmt: skip
