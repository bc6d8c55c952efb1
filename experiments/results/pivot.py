"""One metric of an experiment as a table: a row per controller, a column per place, the best ones marked."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from denxanh.experiments.results.gains import Gain, gains_of
from denxanh.experiments.results.measured_window import MOST_UNFINISHED, unfinished_flags, unfinished_share
from denxanh.experiments.results.run_tables import GAINS, gain_cells
from denxanh.experiments.results.summary import Group, groups, jammed
from denxanh.experiments.runs.fallbacks import fallback_flags
from denxanh.experiments.runs.run_row import RunRow, place_label
from denxanh.experiments.statistics import INDIFFERENCE, Runs, Standing, best_subset, summarise
from denxanh.experiments.statistics.wording import number as signed
from denxanh.sim.errors import InputError
from denxanh.sim.input.text_files import csv_cell
from denxanh.sim.language.text import Text
from denxanh.sim.metrics import METRICS, Metric

GAIN_HEADS = {"over_conventional": "gain over conventional", "over_existing": "over the existing plan"}
GAIN_NOTE = (
    "Gain: per cent of the mean of the conventional plan, then of the existing one, + is better, "
    "with the 95 % interval over "
    "pairs of runs of the same seed and day. A gain over an existing plan that is only assumed is no forecast."
)


@dataclass(frozen=True)
class Cell:
    """One controller at one place. ``mean`` is None where no run is done."""

    mean: float | None
    half_width: float | None  # of the 95 % interval of the mean, None for one run
    runs: int
    best: bool  # shown to be within the indifference zone of the best
    possible: bool  # not best, but no other controller is shown to be better
    waiting: float  # vehicles never inserted, mean over runs
    teleports: float  # mean over runs
    fallbacks: float  # mean over runs
    failed: int  # runs that failed, or are not yet run
    unfinished: float = 0.0  # largest share of vehicles still on their way at the end of a run
    limited: int = 0  # runs that met a limit of time, whose numbers depend on the machine
    gridlocked: int = 0  # runs that gridlocked: the mean then describes neither these nor the others
    median: float | None = None
    over_conventional: Gain | None = None
    over_existing: Gain | None = None


@dataclass(frozen=True)
class Pivot:
    """``cells[i][j]``: controller ``controllers[i]`` at ``places[j]``; all in the metric's unit."""

    metric: Metric
    places: tuple[str, ...]
    controllers: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    flags: tuple[Text, ...] = ()  # on runs that fell back to their plan, and on vehicles still on their way


def pivot(rows: Sequence[RunRow], metric: str = "delay_s") -> Pivot:
    """The table of one metric.

    A controller is ``best`` where it is shown, with 95 % confidence over all controllers of the place, to be at most
    INDIFFERENCE of the best mean worse than the best of them (``statistics.best_subset``): the runs of a controller
    that varies too much to say so do not make it best. InputError for an unknown metric, or no run.
    """
    chosen = {m.name: m for m in METRICS}.get(metric)
    if chosen is None:
        raise InputError(
            f"there is no metric {metric!r}", remedy=f"choose among {', '.join(m.name for m in METRICS)}"
        )
    found = groups(rows)
    if not found:
        raise InputError("there are no runs", remedy="run the experiment first")
    controllers = tuple(dict.fromkeys(row.controller for row in rows))
    columns = [_column(group, controllers, chosen, rows) for group in found]
    return Pivot(
        chosen,
        tuple(place_label(group.place, group.demand) for group in found),
        controllers,
        tuple(zip(*columns, strict=True)),
        (*fallback_flags(rows), *unfinished_flags(rows)),
    )


def _column(
    group: Group, controllers: Sequence[str], metric: Metric, rows: Sequence[RunRow]
) -> tuple[Cell, ...]:
    values = {name: runs for name, runs in group.values(metric.name).items() if runs}
    judged = group.judged(metric.name)
    standings = _standings(judged, metric)
    found = gains_of(group.place, group.demand, metric, judged)
    gained = {(gain.controller, gain.over_conventional): gain for gain in found}
    asked = [row for row in rows if (row.place, row.demand) == (group.place, group.demand)]
    cells = []
    for name in controllers:
        done = group.runs.get(name, ())
        summary = summarise(list(values[name].values())) if name in values else None
        interval = summary.interval if summary else None
        cells.append(
            Cell(
                mean=summary.mean if summary else None,
                half_width=interval.half_width if interval else None,
                runs=len(done),
                best=name in standings and standings[name].best,
                possible=name in standings and standings[name].possible and not standings[name].best,
                waiting=_mean(done, "waiting"),
                teleports=_mean(done, "teleports"),
                fallbacks=_mean(done, "fallbacks"),
                failed=sum(row.controller == name and not row.done for row in asked),
                unfinished=max((unfinished_share(row.metrics) for row in done), default=0.0),
                limited=sum(row.state == "limited" for row in done),
                gridlocked=sum(jammed(row) for row in done if row.metrics.get("loaded")),
                median=summary.median if summary else None,
                over_conventional=gained.get((name, True)),
                over_existing=gained.get((name, False)),
            )
        )
    return tuple(cells)


def _standings(values: dict[str, Runs], metric: Metric) -> dict[str, Standing]:
    """Each controller against the best over the (seed, demand) all share; nothing where fewer than two are shared."""
    if metric.less_is_better is None or len(values) < 2:
        return {}
    if len(set.intersection(*(set(runs) for runs in values.values()))) < 2:
        return {}
    found = best_subset(values, sign=1.0 if metric.less_is_better else -1.0)
    return {standing.name: standing for standing in found.standings}


def _mean(rows: Sequence[RunRow], name: str) -> float:
    return sum(float(row.metrics.get(name) or 0.0) for row in rows) / len(rows) if rows else 0.0


BEST = f"with 95 % confidence at most {INDIFFERENCE:.0%} above the best (paired, comparison with the best)"
POSSIBLE = "it may be the best, but its runs do not show it: run more seeds"
LEGEND = (
    ("?", POSSIBLE),
    ("u", "vehicles never inserted, mean of the runs"),
    ("t", "teleports, mean of the runs"),
    ("f", "signals that fell back to their plan, mean of the runs: the cell is partly the plan's and not judged"),
    ("x", "runs that failed"),
    ("l", "runs that met a limit of time, whose numbers depend on the machine"),
    ("g", "runs that gridlocked, of all: the median stands in place of the mean"),
    ("r", "largest share of the vehicles of a run still on their way at its end, where it is above "
     f"{100 * MOST_UNFINISHED:g} %: their delay still to come is in no figure"),
)  # fmt: skip
"""The marks of a cell, each with what it means."""
MARKS = "; ".join(f"{mark} {meaning}" for mark, meaning in LEGEND[1:]) + "."
"""What is said below a table."""


def heading(table: Pivot) -> str:
    """The metric, its unit, what its values are, and over how many seeds."""
    counts = sorted({cell.runs for cells in table.cells for cell in cells})
    runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
    title = f"{table.metric.title} ({table.metric.name}, {table.metric.unit})"
    return f"{title}: mean ± half the 95 % interval of the mean over {runs} seeds"


def markdown(table: Pivot) -> str:
    """The table in Markdown; bold: shown to be as good as the best. The marks are explained below it.

    Where they ran, the gain over the conventional plan is the first column of a place, that over the existing one the
    second.
    """
    columns = [_columns(table, k) for k in range(len(table.places))]
    heads = [
        head for place, kinds in zip(table.places, columns, strict=True) for head in _heads(place, kinds)
    ]
    lines = ["| controller | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for name, cells in zip(table.controllers, table.cells, strict=True):
        texts = [
            text
            for cell, kinds in zip(cells, columns, strict=True)
            for text in (*(gain_text(getattr(cell, kind)) for kind in kinds), _text(cell))
        ]
        lines.append(f"| {name} | " + " | ".join(texts) + " |")
    lines += [
        "",
        f"{heading(table)}.",
        f"**Bold**: {BEST}; ?: {POSSIBLE}. Marks: {MARKS}",
        *(["", GAIN_NOTE] if any(columns) else []),
        *(f"\n**Flagged**: {flag.en}." for flag in table.flags),
    ]
    return "\n".join(lines)


def _columns(table: Pivot, place: int) -> list[str]:
    """The gains that a place has, as fields of Cell."""
    kinds = ("over_conventional", "over_existing")
    return [kind for kind in kinds if any(getattr(cells[place], kind) for cells in table.cells)]


def _heads(place: str, kinds: Sequence[str]) -> list[str]:
    return [*(f"{place}: {GAIN_HEADS[kind]}" for kind in kinds), place]


def gain_text(gain: Gain | None) -> str:
    """A gain in per cent of the reference's mean with its interval; in its own unit where that mean is not above 0."""
    if gain is None:
        return "–"
    share = gain.share
    value, low, high = (gain.gain, gain.low, gain.high) if share is None else share
    scale, tail, decimals = (1.0, "", 1) if share is None else (100.0, " %", 0)

    def said(x: float) -> str:
        return signed(scale * x, decimals, signed=True)

    ends = "" if low is None or high is None else f" ({said(low)}…{said(high)})"
    return f"{said(value)}{tail}{ends}"


def _text(cell: Cell) -> str:
    if cell.mean is None:
        return f"– x{cell.failed}" if cell.failed else "–"
    value = cell_value(cell)
    best = cell.best and not cell.gridlocked
    shown = f"**{value}**" if best else f"{value} ?" if cell.possible else value
    return " ".join([shown, *cell_marks(cell)])


def cell_value(cell: Cell) -> str:
    """Mean ± half the interval; the median where runs gridlocked, since a mean would describe none of them."""
    if cell.gridlocked and cell.median is not None:
        return f"median {cell.median:.1f}"
    return f"{cell.mean:.1f}" if cell.half_width is None else f"{cell.mean:.1f} ± {cell.half_width:.1f}"


class Marked(Protocol):
    """Figures that are said beside a delay, as in ``Cell``; None is what is not known."""

    @property
    def waiting(self) -> float | None:
        """Vehicles never inserted."""

    @property
    def teleports(self) -> float | None:
        """Teleports."""

    @property
    def fallbacks(self) -> float | None:
        """Signals that fell back to their plan."""

    @property
    def failed(self) -> int | None:
        """Runs that failed."""

    @property
    def limited(self) -> int | None:
        """Runs that met a limit of time."""

    @property
    def gridlocked(self) -> int | None:
        """Runs that gridlocked."""

    @property
    def runs(self) -> int | None:
        """Runs in all."""

    @property
    def unfinished(self) -> float | None:
        """Largest share of vehicles still on their way at the end."""


def cell_marks(told: Marked) -> list[str]:
    """What is said beside the value: u never inserted, t teleports, and the others that LEGEND explains."""
    letters = {
        "u": told.waiting,
        "t": told.teleports,
        "f": told.fallbacks,
        "x": told.failed,
        "l": told.limited,
    }
    found = [f"{mark}{amount:.3g}" for mark, amount in letters.items() if amount]
    if told.gridlocked:
        found.append(f"g{told.gridlocked}/{told.runs or '?'}")
    if told.unfinished is not None and told.unfinished > MOST_UNFINISHED:
        found.append(f"r{100 * told.unfinished:.0f}%")
    return found


def as_csv(table: Pivot) -> str:
    """The table as CSV, a row per controller and place.

    The unit is at the end of a column's name: that of the metric as in the metric's own name, ``veh``, ``per_cent``.
    """
    unit = _unit_suffix(table.metric)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        (
            "controller",
            "place",
            *(f"{name}{unit}" for name in GAINS),
            *(f"{name}_per_cent" for name in GAINS),
            table.metric.name,
            f"half_width_95{unit}",
            "runs",
            "best",
            "possible",
            "waiting_veh",
            "teleports",
            "fallbacks",
            "failed",
            "unfinished_share",
            "limited",
            "gridlocked",
            f"median{unit}",
        )
    )
    for name, cells in zip(table.controllers, table.cells, strict=True):
        for place, c in zip(table.places, cells, strict=True):
            writer.writerow(
                (
                    csv_cell(name),
                    csv_cell(place),
                    *gain_cells(c.over_conventional),
                    *gain_cells(c.over_existing),
                    *_shares(c.over_conventional),
                    *_shares(c.over_existing),
                    "" if c.mean is None else repr(c.mean),
                    "" if c.half_width is None else repr(c.half_width),
                    c.runs,
                    int(c.best),
                    int(c.possible),
                    repr(c.waiting),
                    repr(c.teleports),
                    repr(c.fallbacks),
                    c.failed,
                    repr(c.unfinished),
                    c.limited,
                    c.gridlocked,
                    "" if c.median is None else repr(c.median),
                )
            )
    return stream.getvalue()


def _unit_suffix(metric: Metric) -> str:
    """The unit at the end of a metric's name, as ``_s`` of delay_s; "" where the name has none."""
    _, line, last = metric.name.rpartition("_")
    return line + last if last in _SUFFIXES else ""


_SUFFIXES = ("s", "m", "kg", "veh", "mps", "kmh", "vph")


def _shares(gain: Gain | None) -> tuple[str, str, str]:
    """A gain and its interval in per cent of the reference's mean."""
    if gain is None or gain.share is None:
        return "", "", ""
    value, low, high = ("" if x is None else f"{100 * x:.10g}" for x in gain.share)
    return value, low, high
