"""What a search for better timings found: convergence, and the front between two objectives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from experiments.report.colour import Style
from experiments.report.svg import Axis, Chart, path, tag
from sim.errors import InputError
from sim.text import Text, decimals, number, same

EVALUATIONS = Text("evaluations", "số lần đánh giá")


@dataclass(frozen=True)
class History:
    """One search: its objective after each evaluation, in their order; NaN where one failed.

    ``at`` are the numbers of evaluations made by then, where not every one was recorded.
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
        """Evaluations made when each value was known."""
        return self.at or tuple(float(i + 1) for i in range(len(self.values)))

    def best(self) -> list[float]:
        """The smallest so far; NaN until there is one."""
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
    """Best objective so far over ``effort``, both axes linear; ``reference`` is a named level to beat."""
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
        chart.add(tag("line", x1=a, x2=b, y1=y, y2=y, stroke="#595959", stroke_dasharray="4 3"))
        chart.note(reference[0], b, y - 5)
    for history in histories:
        # A best value holds until the next evaluation: steps, not slopes.
        xs = [x for x in history.places for _ in (0, 1)][1:]
        ys = [y for y in history.best() for _ in (0, 1)][:-1]
        chart.line(xs, ys, history.style)
        last = history.best()[-1:]
        said = [history.name + ": " + number(v, decimals([v])) for v in last]
        chart.dots([*history.places[-1:]], last, history.style, said)
    return chart.render(Text("Convergence", "Hội tụ"))


@dataclass(frozen=True)
class Candidate:
    """A solution with two objectives, both better when smaller."""

    name: str
    x: float
    y: float


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates that no other is at least as good as in both objectives and better in one, by ``x``."""
    out: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda c: (c.x, c.y)):
        if not out or candidate.y < out[-1].y or (candidate.x, candidate.y) == (out[-1].x, out[-1].y):
            out.append(candidate)
    return out


def pareto_chart(
    candidates: Sequence[Candidate], x: Text, y: Text, style: Style, *, named: Sequence[str] = ()
) -> Markup:
    """All candidates, pale, and the front as a staircase; ``named`` are written beside their marks."""
    if not candidates:
        raise InputError("there is no candidate to draw")
    best = front(candidates)
    chart = Chart(
        Axis.of([c.x for c in candidates], x, zero=False),
        Axis.of([c.y for c in candidates], y, zero=False),
        height=340,
    )

    def dots(some: Sequence[Candidate], look: Style, radius: float) -> None:
        tips = [
            c.name + ": " + number(c.x, decimals([c.x])) + "; " + number(c.y, decimals([c.y])) for c in some
        ]
        chart.dots([c.x for c in some], [c.y for c in some], look, tips, radius=radius)

    dots([c for c in candidates if c not in best], Style("#8c8c8c"), 3)
    stairs: list[tuple[float, float]] = []
    for candidate in best:
        if stairs:
            stairs.append((chart.at_x(candidate.x), stairs[-1][1]))
        stairs.append((chart.at_x(candidate.x), chart.at_y(candidate.y)))
    chart.add(tag("path", d=path(stairs), fill="none", stroke=style.colour, stroke_width=1.5))
    dots(best, style, 4.5)
    for candidate in candidates:
        if candidate.name in named:
            chart.note(candidate.name, chart.at_x(candidate.x), chart.at_y(candidate.y) - 8)
    return chart.render(same(f"{x.en} – {y.en}"))
