"""The phase diagram of one intersection: the signals of each approach over the cycle."""

from __future__ import annotations

import math
from dataclasses import dataclass

from markupsafe import Markup

from denxanh.experiments.report.drawing.colour import FAINT, GREEN, OFF, ORANGE, VERMILLION
from denxanh.experiments.report.drawing.svg import SMALL, Axis, Chart, steps, tag, tip, width_of, words
from denxanh.sim.language.text import Text, number, same
from denxanh.sim.network import Intersection, Link, Network
from denxanh.sim.plan import Timing

ARROWS = {"T": "↷", "t": "↶", "l": "←", "L": "↖", "s": "↑", "R": "↗", "r": "→"}
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
COLOUR = {"G": GREEN, "g": GREEN, "y": ORANGE, "Y": ORANGE, "u": ORANGE, "o": ORANGE, "O": OFF}
THICK = {"G": 12.0, "g": 6.0, "y": 8.0, "Y": 8.0, "u": 8.0, "o": 8.0, "O": 2.0}
RED, THIN = VERMILLION, 2.0
_ROW = 24.0


@dataclass(frozen=True)
class Group:
    """Links of one approach with the same letters over the whole cycle: a signal group as in RiLSA."""

    name: Text
    links: tuple[int, ...]


def groups(intersection: Intersection, timing: Timing, network: Network) -> list[Group]:
    """Groups in the order of their first link, named by street, compass direction and arrows."""
    states = [state for stage in timing.stages for state in (stage.state, *(i.state for i in stage.change))]
    found: dict[tuple[str, str], list[Link]] = {}
    for link in intersection.links:
        pattern = "".join(state[link.index] for state in states)
        edge = network.lanes[link.start].edge if link.start in network.lanes else link.start
        found.setdefault((edge, pattern), []).append(link)
    out = []
    for (edge, _), links in found.items():
        arrows = "".join(arrow for kind, arrow in ARROWS.items() if any(ln.direction == kind for ln in links))
        name = approach_name(edge, network) + " " + arrows
        if all(link.crossing for link in links):
            name = Text("pedestrians", "người đi bộ")
        out.append(Group(name, tuple(sorted({link.index for link in links}))))
    return out


def approach_name(edge: str, network: Network) -> Text:
    """The street and its compass direction, as two approaches of a junction often share a name."""
    if edge not in network.edges:
        return same(edge)
    (x0, y0), (x1, y1) = network.edges[edge].shape[0], network.edges[edge].shape[-1]
    eighth = round(math.atan2(y0 - y1, x0 - x1) / (math.pi / 4)) % 8
    return (network.edges[edge].name or edge) + " (" + Text(*_COMPASS[eighth]) + ")"


def phase_diagram(intersection: Intersection, timing: Timing, network: Network) -> Markup:
    """A row per signal group over one cycle from the start of the first stage, s.

    Green with priority (G) is thick, permissive green (g) half as thick, red a line.
    """
    rows = groups(intersection, timing, network)
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
        for start, end, letter in spans(timing, row.links[0]):
            thick = THICK.get(letter, THIN)
            tooltip = row.name + f": {letter} {end - start:g} s"
            chart.add(
                tag(
                    "rect",
                    tip(tooltip),
                    x=chart.at_x(start),
                    y=y - thick / 2,
                    width=chart.at_x(end) - chart.at_x(start),
                    height=thick,
                    fill=COLOUR.get(letter, RED),
                )
            )
    return chart.render(
        Text(f"Signal plan of {intersection.name}", f"Phương án tín hiệu tại {intersection.name}")
    )


def spans(timing: Timing, link: int) -> list[tuple[float, float, str]]:
    """The (start, end, letter) of a link over the cycle, s; equal neighbours merged."""
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
