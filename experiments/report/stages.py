"""One intersection's plan: what each approach is shown over the cycle, and a sketch of each stage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from experiments.report.colour import GREEN, ORANGE, VERMILLION
from experiments.report.svg import (
    FAINT,
    INK,
    SMALL,
    WIDTH,
    Axis,
    Chart,
    drawing,
    path,
    pixel,
    steps,
    tag,
    tip,
    width_of,
    words,
)
from sim.network import Intersection, Link, Network
from sim.plan import Timing
from sim.text import Text, number, same

ARROWS = {"t": "↶", "l": "←", "L": "↖", "s": "↑", "R": "↗", "r": "→"}
_COMPASS = (
    ("E", "Đ"),
    ("NE", "ĐB"),
    ("N", "B"),
    ("NW", "TB"),
    ("W", "T"),
    ("SW", "TN"),
    ("S", "N"),
    ("SE", "ĐN"),
)
_COLOUR = {"G": GREEN, "g": GREEN, "y": ORANGE, "Y": ORANGE, "u": ORANGE, "o": ORANGE, "O": "#999999"}
_THICK = {"G": 12.0, "g": 6.0, "y": 8.0, "Y": 8.0, "u": 8.0, "o": 8.0, "O": 2.0}
_RED, _THIN = VERMILLION, 2.0
_ROW = 24.0
_REACH = 34.0  # m of road that a sketch shows around the junction
_SKETCH = 150.0  # px


@dataclass(frozen=True)
class Group:
    """Links of one approach that are shown the same letters all the cycle: what RiLSA calls a signal group."""

    name: Text
    links: tuple[int, ...]


def groups(where: Intersection, timing: Timing, network: Network) -> list[Group]:
    """Groups in the order of their first link, named by street, where it comes from, and arrows."""
    states = [state for stage in timing.stages for state in (stage.state, *(i.state for i in stage.change))]
    found: dict[tuple[str, str], list[Link]] = {}
    for link in where.links:
        pattern = "".join(state[link.index] for state in states)
        edge = network.lanes[link.start].edge if link.start in network.lanes else link.start
        found.setdefault((edge, pattern), []).append(link)
    out = []
    for (edge, _), links in found.items():
        arrows = "".join(arrow for kind, arrow in ARROWS.items() if any(ln.direction == kind for ln in links))
        name = _approach(edge, network) + " " + arrows
        if all(link.crossing for link in links):
            name = Text("pedestrians", "người đi bộ")
        out.append(Group(name, tuple(sorted({link.index for link in links}))))
    return out


def _approach(edge: str, network: Network) -> Text:
    """The street and the side it comes from, as two approaches of a junction often share a name."""
    if edge not in network.edges:
        return same(edge)
    (x0, y0), (x1, y1) = network.edges[edge].shape[0], network.edges[edge].shape[-1]
    eighth = round(math.atan2(y0 - y1, x0 - x1) / (math.pi / 4)) % 8
    return (network.edges[edge].name or edge) + " (" + Text(*_COMPASS[eighth]) + ")"


def phase_diagram(where: Intersection, timing: Timing, network: Network) -> Markup:
    """A row per signal group over one cycle from the start of the first stage, s.

    Green with priority (G) is thick, permissive green (g) half as thick, red a line.
    """
    rows = groups(where, timing, network)
    cycle = timing.cycle
    axis = Axis(
        0.0,
        cycle,
        Text(f"time in the cycle of {cycle:g} s, s", f"thời gian trong chu kỳ {cycle:g} s, s"),
        tuple((t, number(t, 0)) for t in steps(0.0, cycle, 8)),
    )
    left = 16 + min(230.0, max(width_of(row.name, SMALL) for row in rows))
    chart = Chart(axis, Axis(0.0, 1.0, same(""), ()), height=34 + _ROW * len(rows) + 46, left=left, top=30)
    for i, (stage, start) in enumerate(zip(timing.stages, timing.starts(), strict=True), start=1):
        a, b = chart.at_x(start), chart.at_x(start + stage.green)
        full = f"{i}: {stage.green:g} s"
        shown = full if width_of(full, SMALL) < b - a else str(i)
        chart.add(
            tag(
                "line", x1=a, x2=a, y1=8, y2=chart.height - chart.bottom, stroke=FAINT, stroke_dasharray="3 3"
            ),
            words(shown, (a + b) / 2, 18, text_anchor="middle", font_size=SMALL),
        )
    for i, row in enumerate(rows):
        y = chart.top + (i + 0.5) * _ROW
        chart.add(words(row.name, left - 8, y + 4, text_anchor="end", font_size=SMALL))
        for start, end, letter in _spans(timing, row.links[0]):
            thick = _THICK.get(letter, _THIN)
            said = row.name + f": {letter} {end - start:g} s"
            chart.add(
                tag(
                    "rect",
                    tip(said),
                    x=chart.at_x(start),
                    y=y - thick / 2,
                    width=chart.at_x(end) - chart.at_x(start),
                    height=thick,
                    fill=_COLOUR.get(letter, _RED),
                )
            )
    return chart.render(Text(f"Signal plan of {where.name}", f"Phương án tín hiệu tại {where.name}"))


def _spans(timing: Timing, link: int) -> list[tuple[float, float, str]]:
    """What a link is shown in the cycle; equal neighbours merged."""
    out: list[tuple[float, float, str]] = []
    position = 0.0
    for stage in timing.stages:
        for state, duration in ((stage.state, stage.green), *((i.state, i.duration) for i in stage.change)):
            letter, end = state[link], position + duration
            if out and out[-1][2] == letter:
                out[-1] = (out[-1][0], end, letter)
            else:
                out.append((position, end, letter))
            position = end
    return out


def stage_sketches(where: Intersection, timing: Timing, network: Network) -> Markup:
    """A small plan of the junction for each stage: its streams as arrows, permissive ones dashed."""
    across = max(int(WIDTH // _SKETCH), 1)
    lines = math.ceil(len(timing.stages) / across)
    ways = _ways(where, network)
    parts = []
    for i, stage in enumerate(timing.stages):
        x, y = (i % across) * _SKETCH, (i // across) * (_SKETCH + 22)
        parts.append(
            words(
                Text(f"Stage {i + 1}: {stage.green:g} s", f"Pha {i + 1}: {stage.green:g} s"),
                x + _SKETCH / 2,
                y + 16,
                text_anchor="middle",
                font_size=SMALL,
                font_weight="bold",
            )
        )
        parts.append(_sketch(ways, where, stage.state, x, y + 20))
    label = Text(f"Stages of {where.name}", f"Các pha tại {where.name}")
    return drawing(WIDTH, lines * (_SKETCH + 22), label, *parts)


@dataclass(frozen=True)
class _Way:
    """A link's way over the junction in metres: stop line, a bend, exit; and the road before and behind."""

    link: Link
    before: tuple[float, float]
    stop: tuple[float, float]
    bend: tuple[float, float]
    exit: tuple[float, float]
    behind: tuple[float, float]


def _ways(where: Intersection, network: Network) -> list[_Way]:
    out = []
    for link in where.links:
        if link.crossing or link.start not in network.lanes or link.end not in network.lanes:
            continue
        come, go = network.lanes[link.start].shape, network.lanes[link.end].shape
        stop, before = come[-1], come[-2]
        leave, behind = go[0], go[1]
        out.append(_Way(link, before, stop, _bend(before, stop, leave, behind), leave, behind))
    return out


def _bend(
    before: tuple[float, float],
    stop: tuple[float, float],
    leave: tuple[float, float],
    behind: tuple[float, float],
) -> tuple[float, float]:
    """Where the two roads' directions cross, the natural control point of a turn; else the middle."""
    a, b = (stop[0] - before[0], stop[1] - before[1]), (behind[0] - leave[0], behind[1] - leave[1])
    cross = a[0] * b[1] - a[1] * b[0]
    size = math.hypot(*a) * math.hypot(*b)
    if size == 0 or abs(cross) < 0.3 * size:  # less than 17 degrees: straight on, or back
        return ((stop[0] + leave[0]) / 2, (stop[1] + leave[1]) / 2)
    t = ((leave[0] - stop[0]) * b[1] - (leave[1] - stop[1]) * b[0]) / cross
    return (stop[0] + t * a[0], stop[1] + t * a[1])


def _sketch(ways: Sequence[_Way], where: Intersection, state: str, x: float, y: float) -> Markup:
    xs = [p[0] for way in ways for p in (way.stop, way.exit)] or [where.position[0]]
    ys = [p[1] for way in ways for p in (way.stop, way.exit)] or [where.position[1]]
    middle = ((min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2)
    size = max(max(xs) - min(xs), max(ys) - min(ys)) + _REACH
    scale = (_SKETCH - 10) / size

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return (
            x + _SKETCH / 2 + (point[0] - middle[0]) * scale,
            y + _SKETCH / 2 - (point[1] - middle[1]) * scale,
        )

    road = min(max(3.2 * scale, 3.0), 14.0)
    roads = [
        tag(
            "path",
            d=path([place(a), place(_towards(a, b))]),
            stroke="#dddddd",
            stroke_width=road,
            fill="none",
        )
        for way in ways
        for a, b in ((way.stop, way.before), (way.exit, way.behind))
    ]
    arrows = []
    for way in sorted(ways, key=lambda way: state[way.link.index] in "Gg"):
        letter = state[way.link.index]
        served = letter in "Gg"
        a, c, b = place(way.stop), place(way.bend), place(way.exit)
        start = place(_towards(way.stop, way.before, 8.0))
        data = path([start, a]) + f"Q{pixel(c[0])} {pixel(c[1])} {pixel(b[0])} {pixel(b[1])}"
        colour = GREEN if served else "#c4c4c4"
        arrows.append(
            tag(
                "path",
                d=data,
                fill="none",
                stroke=colour,
                stroke_width=2.6 if served else 1,
                stroke_dasharray="4 2.5" if letter == "g" else None,
            )
        )
        if served:
            arrows.append(_head(c, b, colour))
    return tag("g", *roads, *arrows, stroke=INK)


def _towards(
    a: tuple[float, float], b: tuple[float, float], metres: float = _REACH / 2
) -> tuple[float, float]:
    """The point ``metres`` from ``a`` in the direction of ``b``."""
    length = math.dist(a, b) or 1.0
    return (a[0] + (b[0] - a[0]) / length * metres, a[1] + (b[1] - a[1]) / length * metres)


def _head(before: tuple[float, float], at: tuple[float, float], colour: str) -> Markup:
    length = math.dist(before, at) or 1.0
    dx, dy = (at[0] - before[0]) / length, (at[1] - before[1]) / length
    corners = [
        (at[0] + 5 * dx, at[1] + 5 * dy),
        (at[0] - 4 * dy - 2 * dx, at[1] + 4 * dx - 2 * dy),
        (at[0] + 4 * dy - 2 * dx, at[1] - 4 * dx - 2 * dy),
    ]
    return tag("path", d=path(corners, close=True), fill=colour, stroke="none")
