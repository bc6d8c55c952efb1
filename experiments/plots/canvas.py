"""An empty figure in one language: fonts, grid, numbers and times as the report writes them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from denxanh.experiments.report.drawing.colour import FAINT, GRID, INK
from denxanh.experiments.report.drawing.svg import steps
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import (
    CLOCK_TITLES,
    Text,
    clock,
    clock_kind,
    decimals,
    number,
    same,
)

Language = Literal["en", "vi"]
SUFFIXES = (".svg", ".pdf", ".png")
DOTS = 150  # per inch of a PNG
_WIDTH = 7.0  # in
_LONGEST = 38  # letters of a label
_LETTERS, _LINES = 10.5, 6  # of a title: letters per inch of the figure's width, lines
MARKERS = {"circle": "o", "square": "s", "triangle": "^", "diamond": "D"}  # of the report's styles
SMALL = 7.4  # points, of labels within a drawing
FONT = "DejaVu Sans"  # comes with matplotlib and has all Vietnamese letters


@dataclass(frozen=True)
class Canvas:
    """A figure with one pair of axes, and its language."""

    figure: Figure
    axes: Any
    language: Language

    def say(self, text: Text | str) -> str:
        """The words in the figure's language; a dollar sign is no formula."""
        found = same(text)
        return (found.vi if self.language == "vi" else found.en).replace("$", r"\$")

    def short(self, text: Text | str) -> str:
        """The words on one line of bounded length."""
        found = " ".join(self.say(text).split())
        return found if len(found) <= _LONGEST else found[: _LONGEST - 1] + "…"

    def title(self, text: Text | str) -> None:
        """Set the title, wrapped within the figure."""
        wide = round(_LETTERS * self.figure.get_figwidth())
        lines = textwrap.wrap(self.say(text), wide, max_lines=_LINES, placeholder=" …")
        self.figure.suptitle("\n".join(lines), x=0.01, ha="left", fontsize=10.5, color=INK, family=FONT)

    def label(self, axis: str, text: Text | str) -> None:
        """Set the label of the x or y axis."""
        getattr(self.axes, f"set_{axis}label")(self.say(text), fontsize=9, color=INK, family=FONT)

    def numbers(self, axis: str, *, signed: bool = False) -> None:
        """Write the numbers of an axis with the language's decimal sign."""
        found = getattr(self.axes, f"{axis}axis")
        found.set_major_locator(MaxNLocator(6))

        def written(value: float, _: object) -> str:
            places = decimals(
                [
                    abs(b - a)
                    for a, b in zip(found.get_majorticklocs(), found.get_majorticklocs()[1:], strict=False)
                ][:1],
                1,
            )
            return self.say(number(value, places, signed=signed))

        found.set_major_formatter(FuncFormatter(written))

    def times(self, begin: float, end: float) -> None:
        """Make the x axis the time of the whole run, as hours and minutes."""
        span = end - begin
        gap = next((s for s in (60, 120, 300, 600, 900, 1800, 3600, 7200) if span / s <= 8), 14400)
        first = -(-begin // gap) * gap
        ticks = [first + k * gap for k in range(int((end - first) / gap + 1e-9) + 1)]
        self.axes.set_xticks(ticks, [clock(t) for t in ticks])
        self.axes.set_xlim(begin, end)
        self.label("x", CLOCK_TITLES[clock_kind(begin, end)])

    def seconds(self, begin: float, end: float, text: Text) -> None:
        """Make the x axis seconds."""
        ticks = list(steps(begin, end, 8))
        self.axes.set_xticks(ticks, [self.say(number(t, 0)) for t in ticks])
        self.axes.set_xlim(begin, end)
        self.label("x", text)

    def legend(self, handles: Sequence[Any] = ()) -> None:
        """Draw the legend below the axes, where it covers no data; by default of all that has a label."""
        handles = handles or self.axes.get_legend_handles_labels()[0]
        if handles:
            self.figure.legend(
                handles=handles,
                loc="outside lower left",
                ncols=2,
                frameon=False,
                prop={"family": FONT, "size": 8.5},
            )


def canvas(language: Language, *, height: float = 3.6, width: float = _WIDTH) -> Canvas:
    """A new figure; ``height`` and ``width`` in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.tick_params(labelsize=8.5, colors=INK, labelfontfamily=FONT)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(FAINT)
    return Canvas(figure, axes, language)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG, PDF or PNG by the suffix of ``path``; equal figures give equal files.

    Raises InputError for another suffix.
    """
    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    dates = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with rc_context({"svg.hashsalt": "denxanh", "pdf.fonttype": 42}):
        figure.savefig(path, dpi=DOTS, metadata=dates.get(path.suffix.lower(), {}))


def check_suffix(path: Path) -> None:
    """Raise InputError unless a picture can be written under this name."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"a picture cannot be written as {path.suffix or path.name!r}",
            location=str(path),
            remedy=f"end its name with {', '.join(SUFFIXES)}",
        )
