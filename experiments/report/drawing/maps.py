"""A map of the network: streets coloured by a quantity, street names, numbered intersections."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup

from denxanh.experiments.report.drawing.colour import GREY, INK, NO_VALUE, WHITE
from denxanh.experiments.report.drawing.svg import WIDTH, drawing, path, pixel, tag, tip, width_of, words
from denxanh.sim.language.text import Text
from denxanh.sim.network import Edge, Network

Point = tuple[float, float]
MARGIN = 16.0
NAME = 11  # font size of names and numbers, px
_MOST_NUMBERS = 60  # intersections: more numbers would cover the map
_MOST_NAMES = 40
_LOWEST, _HIGHEST = 200.0, 620.0  # px, height of a map


@dataclass(frozen=True)
class Projection:
    """From metres (y up) to pixels (y down), one scale for both."""

    left: float
    top: float
    scale: float  # px/m
    offset: Point
    height: float

    @staticmethod
    def of(points: Iterable[Point]) -> Projection:
        """Fit all points into the width of a drawing, or its largest height if that is less."""
        xs, ys = zip(*points, strict=True)
        wide, high = max(max(xs) - min(xs), 1.0), max(max(ys) - min(ys), 1.0)
        room = WIDTH - 2 * MARGIN
        scale = min(room / wide, (_HIGHEST - 2 * MARGIN) / high)
        height = max(high * scale + 2 * MARGIN, _LOWEST)
        offset = ((WIDTH - wide * scale) / 2, (height - high * scale) / 2)
        return Projection(min(xs), max(ys), scale, offset, height)

    def __call__(self, point: Point) -> Point:
        """The pixel of a point of the network."""
        return (
            self.offset[0] + (point[0] - self.left) * self.scale,
            self.offset[1] + (self.top - point[1]) * self.scale,
        )


def network_map(
    network: Network,
    colour: Mapping[str, str],
    tooltip: Callable[[Edge], Text],
    label: Text,
) -> Markup:
    """The map; ``colour`` by edge, grey for other edges; ``tooltip`` returns the text of an edge.

    Edges are drawn in the order of ``colour``, the last on top.
    """
    edges = [e for e in network.edges.values() if any(network.lanes[lane].vehicles for lane in e.lanes)]
    if not edges:
        return drawing(WIDTH, 40, label)
    place = Projection.of(point for edge in edges for point in edge.shape)
    ways = {(edge.start, edge.end) for edge in edges}
    lines: dict[str, tuple[list[Point], float]] = {}
    for edge in edges:
        stroke = min(max(len(edge.lanes) * 3.2 * place.scale, 2.4), 9.0)
        points = _thin([place(point) for point in edge.shape])
        if (edge.end, edge.start) in ways:  # both directions: side by side, each on the side it drives on
            points = _beside(points, (stroke / 2 + 0.4) * (-1 if network.lefthand else 1))
        lines[edge.id] = (points, stroke)
    order = [edge for edge in lines if edge not in colour] + [edge for edge in colour if edge in lines]
    drawn = [
        tag(
            "path",
            tip(tooltip(network.edges[edge])),
            d=path(lines[edge][0]),
            stroke=colour.get(edge, NO_VALUE),
            stroke_width=lines[edge][1],
        )
        for edge in order
    ]
    streets = tag("g", *drawn, fill="none", stroke_linecap="round")
    marks = _numbers(network, place)
    names = _names(edges, lines, [place(i.position) for i in network.intersections.values()], place.height)
    return drawing(WIDTH, place.height, label, _casing(lines), streets, *names, *marks, _bar(place))


def _casing(lines: Mapping[str, tuple[list[Point], float]]) -> Markup:
    """An outline around all streets, since pale colours are invisible on white. One path per width."""
    widths: dict[float, list[str]] = {}
    for points, stroke in lines.values():
        widths.setdefault(stroke, []).append(path(points))
    outlines = (tag("path", d="".join(data), stroke_width=stroke + 1.2) for stroke, data in widths.items())
    return tag("g", *outlines, fill="none", stroke=GREY)


def _thin(points: Sequence[Point]) -> list[Point]:
    """The points without those closer than half a pixel to the previous one."""
    kept = [points[0]]
    for point in points[1:-1]:
        if math.dist(point, kept[-1]) >= 0.5:
            kept.append(point)
    return [*kept, points[-1]] if len(points) > 1 else kept


def _beside(points: Sequence[Point], distance: float) -> list[Point]:
    """The line shifted to the right of the direction of travel, px (the y axis points down)."""
    out = []
    for i, (x, y) in enumerate(points):
        a, b = points[max(i - 1, 0)], points[min(i + 1, len(points) - 1)]
        length = math.dist(a, b) or 1.0
        dx, dy = (b[0] - a[0]) / length, (b[1] - a[1]) / length
        out.append((x - dy * distance, y + dx * distance))
    return out


def _numbers(network: Network, place: Projection) -> list[Markup]:
    """A numbered circle at each intersection, in the order of the network; dots if there are too many."""
    marks = []
    for i, intersection in enumerate(network.intersections.values(), start=1):
        x, y = place(intersection.position)
        text = tip(f"{i}  {intersection.name}")
        if len(network.intersections) > _MOST_NUMBERS:
            marks.append(tag("circle", text, cx=x, cy=y, r=3, fill=WHITE, stroke=INK))
            continue
        marks.append(tag("circle", text, cx=x, cy=y, r=8.5, fill=WHITE, stroke=INK, stroke_width=1.4))
        marks.append(words(str(i), x, y + 4, text_anchor="middle", font_size=NAME, pointer_events="none"))
    return marks


def _names(
    edges: Sequence[Edge],
    lines: Mapping[str, tuple[list[Point], float]],
    taken: Sequence[Point],
    height: float,
) -> list[Markup]:
    """The name of each street, once, without overlap: along the street, or beyond its open end."""
    lengths = {e.id: sum(math.dist(a, b) for a, b in pairwise(lines[e.id][0])) for e in edges}
    streets: dict[str, list[Edge]] = {}
    for edge in sorted(edges, key=lambda e: (-lengths[e.id], e.id)):
        if edge.name:
            streets.setdefault(edge.name, []).append(edge)
    ends = _open_ends(edges)
    full = [Spot(x, y, 10.0) for x, y in taken]
    roads = [Spot(x, y, 3.0) for points, _ in lines.values() for x, y in _every(points, 6.0)]
    out: list[Markup] = []
    for name, parts in list(streets.items())[:_MOST_NAMES]:
        wide = width_of(name, NAME)
        along = _along(lines[parts[0].id][0], wide)
        choices = [(along, full)] if lengths[parts[0].id] >= 0.7 * wide else []
        choices += [
            (_beyond(lines[edge.id][0], at_end, wide), full + roads)
            for edge in parts
            for at_end in (False, True)
            if (edge.end if at_end else edge.start) in ends
        ]
        for place, obstacles in choices:
            inside = all(NAME / 2 <= y <= height - 12 and 0 <= x <= WIDTH for x, y, _ in place.spots)
            if inside and not any(a.meets(b) for a in place.spots for b in obstacles):
                full += place.spots
                out.append(_name(name, place))
                break
    return out


class Spot(NamedTuple):
    """A covered circle, px."""

    x: float
    y: float
    radius: float

    def meets(self, other: Spot) -> bool:
        """Whether the circles overlap."""
        return math.hypot(self.x - other.x, self.y - other.y) < self.radius + other.radius


@dataclass(frozen=True)
class NamePlace:
    """A position of a name: its middle, px, its angle, degrees, and the circles it covers."""

    middle: Point
    angle: float
    spots: tuple[Spot, ...]

    @staticmethod
    def at(middle: Point, angle: float, wide: float) -> NamePlace:
        """A name ``wide`` px long around ``middle``."""
        dx, dy = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        count = max(round(wide / NAME), 2)
        shares = [i / (count - 1) - 0.5 for i in range(count)]
        spots = [Spot(middle[0] + dx * t * wide, middle[1] + dy * t * wide, NAME / 2) for t in shares]
        return NamePlace(middle, angle, tuple(spots))


def _open_ends(edges: Sequence[Edge]) -> set[str]:
    """Junctions with a single neighbour, where a street leaves the map."""
    joined: dict[str, set[str]] = {}
    for edge in edges:
        joined.setdefault(edge.start, set()).add(edge.end)
        joined.setdefault(edge.end, set()).add(edge.start)
    return {junction for junction, others in joined.items() if len(others) == 1}


def _along(points: Sequence[Point], wide: float) -> NamePlace:
    return NamePlace.at(*_middle(points), wide)


def _beyond(points: Sequence[Point], at_end: bool, wide: float) -> NamePlace:
    """A horizontal name beside the end of a street, or above or below a vertical one."""
    (x, y), before = (points[-1], points[-2]) if at_end else (points[0], points[1])
    length = math.dist((x, y), before) or 1.0
    dx, dy = (x - before[0]) / length, (y - before[1]) / length
    if abs(dx) > 0.5:
        return NamePlace.at((x + math.copysign(wide / 2 + 10, dx), y + 4 * dy), 0.0, wide)
    return NamePlace.at((x, y + math.copysign(NAME + 3, dy)), 0.0, wide)


def _every(points: Sequence[Point], distance: float) -> Iterable[Point]:
    """Points along a line, ``distance`` px apart."""
    for a, b in pairwise(points):
        count = max(int(math.dist(a, b) / distance), 1)
        yield from (
            (a[0] + (b[0] - a[0]) * i / count, a[1] + (b[1] - a[1]) * i / count) for i in range(count)
        )


def _name(name: str, place: NamePlace) -> Markup:
    x, y = place.middle
    turn = f"rotate({pixel(place.angle)} {pixel(x)} {pixel(y)})" if place.angle else None
    return words(
        name,
        x,
        y + 4,
        text_anchor="middle",
        font_size=NAME,
        transform=turn,
        stroke=WHITE,
        stroke_width=5,  # as wide as a drawn street: its line ends beside the letters
        stroke_linejoin="round",
        paint_order="stroke",
        pointer_events="none",
    )


def _middle(points: Sequence[Point]) -> tuple[Point, float]:
    """Middle of the longest segment and its angle in degrees, never upside down."""
    a, b = max(pairwise(points), key=lambda piece: math.dist(*piece))
    angle = math.degrees(math.atan2(b[1] - a[1], b[0] - a[0]))
    if angle > 90 or angle <= -90:
        angle += 180 if angle <= -90 else -180
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2), angle


def _bar(place: Projection) -> Markup:
    """A scale bar of a round length, lower left."""
    metres = next(m for m in (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10**9) if m * place.scale >= 40)
    x, y = 8.0, place.height - 6
    end = x + metres * place.scale
    name = f"{metres} m" if metres < 1000 else f"{metres // 1000} km"
    line = f"M{pixel(x)} {pixel(y - 5)}v5H{pixel(end)}v-5"
    return tag("path", d=line, fill="none", stroke=INK) + words(name, end + 5, y, font_size=NAME)
