"""Draw a picture as a matplotlib figure in one language, for papers and slides."""

from __future__ import annotations

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from denxanh.experiments.plots.canvas import FONT, MARKERS, SMALL, Canvas, Language, canvas
from denxanh.experiments.report.pictures.picture import (
    Area,
    Bar,
    Cell,
    Dots,
    Entry,
    Label,
    Layer,
    Line,
    Marks,
    Picture,
)

_PX = 0.011  # in per px of the page
_POINT = 0.75  # points per px
DASHES = {"": "-", "7 3": (0, (5, 2)), "2 3": (0, (1.5, 2)), "4 3": (0, (4, 3)), "3 3": (0, (3, 3))}


def figure_of(picture: Picture, language: Language) -> Figure:
    """The figure; its title is that of the picture followed by its caption."""
    drawn = canvas(language, height=1.1 + _PX * picture.height, width=max(7.0, _PX * picture.width))
    axes = drawn.axes
    axes.set_xlim(picture.x.low, picture.x.high)
    axes.set_ylim(picture.y.low, picture.y.high)
    axes.set_xticks([v for v, _ in picture.x.ticks], [drawn.say(text) for _, text in picture.x.ticks])
    marks = picture.names or picture.y.ticks
    axes.set_yticks(
        [v for v, _ in marks],
        [drawn.short(text) for _, text in marks],
        **({"fontsize": SMALL} if picture.names else {}),
    )
    if picture.names:
        axes.grid(visible=False, axis="y")
    for layer in picture.layers:
        _draw(drawn, layer, _PX * picture.height / abs(picture.y.high - picture.y.low))
    drawn.label("x", picture.x.label)
    drawn.label("y", picture.y.label)
    drawn.title(picture.title + (". " + picture.caption if picture.caption.en else ""))
    drawn.legend([_handle(entry, drawn) for entry in picture.legend])
    if picture.scale is not None:
        ramp = picture.scale.ramp
        colours = LinearSegmentedColormap.from_list("report", [ramp(k / 16) for k in range(17)])
        shown = ScalarMappable(Normalize(0.0, picture.scale.most), colours)
        bar = drawn.figure.colorbar(shown, ax=axes, pad=0.01)
        bar.set_label(drawn.say(picture.scale.name), fontsize=8.5, family=FONT)
        bar.ax.tick_params(labelsize=8)
    return drawn.figure


def _handle(entry: Entry, drawn: Canvas) -> Line2D:
    """The line of the legend."""
    name = drawn.say(entry.name)
    if not entry.marker:
        return Line2D([], [], color=entry.colour, linestyle="none", marker="s", markersize=7, label=name)
    marker, dashes = MARKERS.get(entry.marker, ""), DASHES.get(entry.dash, "-")
    return Line2D([], [], color=entry.colour, linestyle=dashes, marker=marker, markersize=4, label=name)


def _draw(drawn: Canvas, layer: Layer, inches: float) -> None:
    """Draw a layer; ``inches`` of the page per unit of y."""
    axes = drawn.axes
    match layer:
        case Line():
            axes.plot(
                layer.x, layer.y, color=layer.colour, linewidth=_POINT * layer.width, alpha=layer.opacity,
                linestyle=DASHES.get(layer.dash, "-"),
            )  # fmt: skip
        case Dots():
            axes.scatter(
                layer.x,
                layer.y,
                s=(_POINT * layer.size) ** 2,
                color=layer.colour,
                alpha=layer.opacity,
                linewidths=0,
            )
        case Marks():
            axes.scatter(layer.x, layer.y, s=14, color=layer.colour, marker=MARKERS[layer.marker])
        case Bar():
            high, up = layer.thick * _PX / inches, layer.shift * _PX / inches
            axes.add_patch(
                Rectangle(
                    (layer.start, layer.y + up - high / 2), layer.end - layer.start, high, color=layer.colour,
                    linewidth=0, zorder=3,
                )
            )  # fmt: skip
        case Cell():
            axes.add_patch(
                Rectangle(
                    (layer.left, layer.low), layer.right - layer.left, layer.high - layer.low, facecolor=layer.colour,
                    alpha=layer.opacity, linewidth=0.8 if layer.outline else 0, edgecolor=layer.outline or "none",
                )
            )  # fmt: skip
        case Area():
            points = np.column_stack([layer.x, layer.y])
            axes.add_patch(Polygon(points, facecolor=layer.colour, alpha=layer.opacity, linewidth=0))
        case Label():
            sides = {"start": "left", "middle": "center", "end": "right"}
            axes.annotate(
                drawn.say(layer.text), (layer.x, layer.y), xytext=(0, _POINT * layer.shift), textcoords="offset points",
                ha=sides[layer.anchor], va="center", fontsize=0.64 * layer.size, color=layer.colour,
                family=FONT, annotation_clip=False,
            )  # fmt: skip
