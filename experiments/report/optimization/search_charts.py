"""Charts of a search: convergence, and the front of two objectives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from denxanh.experiments.report.drawing.colour import FAINT, GREY, Style
from denxanh.experiments.report.drawing.svg import Axis, Chart, path, tag
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, decimals, number, same

EVALUATIONS = Text("evaluations", "số lần đánh giá")


@dataclass(frozen=True)
class History:
    """The objective values of one search in the order of evaluation; NaN where one failed.

    ``at`` are the numbers of evaluations at each value, where not every evaluation was recorded.
    """

    name: str
    style: Style
    values: tuple[float, ...]
    at: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.at and len(self.at) != len(self.values):
            raise InputError(f"search '{self.name}' has {len(self.values)} values at {len(self.at)} places")

    @property
    def places(self) -> tuple[float, ...]:
        """Number of evaluations at each value."""
        return self.at or tuple(float(i + 1) for i in range(len(self.values)))

    def best(self) -> list[float]:
        """The smallest value so far; NaN before the first."""
        out, best = [], math.nan
        for value in self.values:
            best = value if math.isnan(best) else best if math.isnan(value) else min(best, value)
            out.append(best)
        return out


def convergence_chart(
    histories: Sequence[History],
    objective: Text,
    *,
    effort: Text = EVALUATIONS,
    reference: tuple[str, float] | None = None,
) -> Markup:
    """Best objective so far over ``effort``, both axes linear; ``reference`` is a named level drawn as a line."""
    tops = [value for history in histories for value in history.best()]
    if not any(math.isfinite(value) for value in tops):
        raise InputError("no search has a value to draw")
    levels = tops + ([reference[1]] if reference else [])
    chart = Chart(
        Axis.of([place for history in histories for place in history.places], effort),
        Axis.of(levels, objective, zero=False),
        height=300,
    )
    chart.legend([(history.name, history.style) for history in histories])
    if reference:
        y = chart.at_y(reference[1])
        a, b = chart.left, chart.width - chart.right
        chart.add(tag("line", x1=a, x2=b, y1=y, y2=y, stroke=FAINT, stroke_dasharray="4 3"))
        chart.note(reference[0], b, y - 5)
    for history in histories:
        # A best value holds until the next evaluation: steps, not slopes.
        xs = [x for x in history.places for _ in (0, 1)][1:]
        ys = [y for y in history.best() for _ in (0, 1)][:-1]
        chart.line(xs, ys, history.style)
        last = history.best()[-1:]
        tips = [history.name + ": " + number(v, decimals([v])) for v in last]
        chart.dots([*history.places[-1:]], last, history.style, tips)
    return chart.render(Text("Convergence", "Hội tụ"))


@dataclass(frozen=True)
class ParetoPoint:
    """A plan with two objectives, both to be minimised."""

    name: str
    x: float
    y: float


def front(points: Sequence[ParetoPoint]) -> list[ParetoPoint]:
    """The nondominated points by ``x``; equal points are all kept."""
    out: list[ParetoPoint] = []
    for point in sorted(points, key=lambda c: (c.x, c.y)):
        if not out or point.y < out[-1].y or (point.x, point.y) == (out[-1].x, out[-1].y):
            out.append(point)
    return out


def pareto_chart(
    points: Sequence[ParetoPoint], x: Text, y: Text, style: Style, *, named: Sequence[str] = ()
) -> Markup:
    """All points, and the front as a staircase; ``named`` points are labelled."""
    if not points:
        raise InputError("there is no point to draw")
    best = front(points)
    chart = Chart(
        Axis.of([c.x for c in points], x, zero=False),
        Axis.of([c.y for c in points], y, zero=False),
        height=340,
    )

    def dots(some: Sequence[ParetoPoint], look: Style, radius: float) -> None:
        tips = [
            c.name + ": " + number(c.x, decimals([c.x])) + "; " + number(c.y, decimals([c.y])) for c in some
        ]
        chart.dots([c.x for c in some], [c.y for c in some], look, tips, radius=radius)

    dots([c for c in points if c not in best], Style(GREY), 3)
    stairs: list[tuple[float, float]] = []
    for point in best:
        if stairs:
            stairs.append((chart.at_x(point.x), stairs[-1][1]))
        stairs.append((chart.at_x(point.x), chart.at_y(point.y)))
    chart.add(tag("path", d=path(stairs), fill="none", stroke=style.colour, stroke_width=1.5))
    dots(best, style, 4.5)
    for point in points:
        if point.name in named:
            chart.note(point.name, chart.at_x(point.x), chart.at_y(point.y) - 8)
    return chart.render(same(f"{x.en} – {y.en}"))
