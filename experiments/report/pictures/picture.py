"""A picture: axes and layers in the units of the data, without a word of SVG or matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from denxanh.experiments.report.drawing.colour import INK, Ramp, sequential
from denxanh.experiments.report.drawing.svg import Axis
from denxanh.sim.language.text import Text

WIDE = 720.0  # px


@dataclass(frozen=True)
class Line:
    """A line through points; NaN interrupts it."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str = INK
    width: float = 1.6  # px
    dash: str = ""
    opacity: float = 1.0


@dataclass(frozen=True)
class Dots:
    """Many equal dots."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    size: float = 3.0  # px across
    opacity: float = 0.7


@dataclass(frozen=True)
class Marks:
    """Points that can be told apart by form, each with a tip on the page if given."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    marker: str = "circle"
    tips: Sequence[Text] = ()


@dataclass(frozen=True)
class Bar:
    """A horizontal bar from ``start`` to ``end`` at ``y``, ``thick`` px high."""

    start: float
    end: float
    y: float
    colour: str
    thick: float
    tip: Text | None = None
    shift: float = 0.0  # px upwards


@dataclass(frozen=True)
class Cell:
    """A rectangle."""

    left: float
    right: float
    low: float
    high: float
    colour: str
    tip: Text | None = None
    opacity: float = 1.0
    outline: str = ""


@dataclass(frozen=True)
class Area:
    """A filled outline."""

    x: Sequence[float]
    y: Sequence[float]
    colour: str
    opacity: float


@dataclass(frozen=True)
class Label:
    """Words at a point."""

    x: float
    y: float
    text: Text
    colour: str = INK
    anchor: str = "middle"  # start, middle or end
    size: float = 12.0  # px
    shift: float = 0.0  # px upwards


Layer = Line | Dots | Marks | Bar | Cell | Area | Label


@dataclass(frozen=True)
class Entry:
    """A line of the legend."""

    name: Text
    colour: str
    marker: str = ""  # of a line with marks; "" for a plain box
    dash: str = ""


@dataclass(frozen=True)
class Scale:
    """A scale of colours from zero to ``most``."""

    most: float
    name: Text
    ramp: Ramp = sequential


@dataclass(frozen=True)
class Picture:
    """What is drawn. ``names`` are labels of the y axis instead of numbers; y points up unless its axis is reversed."""

    title: Text
    x: Axis
    y: Axis
    layers: tuple[Layer, ...]
    caption: Text = field(default_factory=lambda: Text("", ""))
    legend: tuple[Entry, ...] = ()
    names: tuple[tuple[float, Text], ...] = ()
    height: float = 300.0  # px
    width: float = WIDE
    scale: Scale | None = None
