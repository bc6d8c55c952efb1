"""One metric of an experiment as a table: a row per controller, a column per place, the best ones marked."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from denxanh.experiments.results.summary import Group, groups
from denxanh.experiments.runs.run_row import RunRow, place_label
from denxanh.experiments.statistics import Runs, compare_holm, summarise
from denxanh.sim.errors import InputError
from denxanh.sim.metrics import METRICS, Metric

ALPHA = 0.05  # as everywhere in denxanh.experiments.statistics


@dataclass(frozen=True)
class Cell:
    """One controller at one place. ``mean`` is None where no run is done."""

    mean: float | None
    half_width: float | None  # of the 95 % interval of the mean, None for one run
    runs: int
    best: bool  # the smallest mean, or not distinguishable from it
    waiting: float  # vehicles never inserted, mean over runs
    teleports: float  # mean over runs
    fallbacks: float  # mean over runs
    failed: int  # runs that failed, or are not yet run


@dataclass(frozen=True)
class Pivot:
    """``cells[i][j]``: controller ``controllers[i]`` at ``places[j]``; all in the metric's unit."""

    metric: Metric
    places: tuple[str, ...]
    controllers: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]


def pivot(rows: Sequence[RunRow], metric: str = "delay_s") -> Pivot:
    """The table of one metric.

    A controller is ``best`` where it has the best mean, or its paired difference to the one that has is not
    significant at 5 % after Holm over all such comparisons at the place. Choosing the reference by its mean makes it a
    little too good, so the group named best errs on the small side. InputError for an unknown metric, or no run.
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
    )


def _column(
    group: Group, controllers: Sequence[str], metric: Metric, rows: Sequence[RunRow]
) -> tuple[Cell, ...]:
    values = {name: runs for name, runs in group.values(metric.name).items() if runs}
    best = _best(values, metric)
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
                best=name in best,
                waiting=_mean(done, "waiting"),
                teleports=_mean(done, "teleports"),
                fallbacks=_mean(done, "fallbacks"),
                failed=sum(row.controller == name and not row.done for row in asked),
            )
        )
    return tuple(cells)


def _best(values: dict[str, Runs], metric: Metric) -> set[str]:
    """The controller with the best mean over the (seed, demand) all share, and those not distinguishable from it."""
    if metric.less_is_better is None or not values:
        return set()
    shared = set.intersection(*(set(runs) for runs in values.values()))
    if not shared:
        return set()
    sign = 1.0 if metric.less_is_better else -1.0
    same = {name: {key: runs[key] for key in shared} for name, runs in values.items()}
    leader = min(same, key=lambda name: sign * sum(same[name].values()))
    if len(shared) < 2 or len(same) < 2:
        return {leader}
    family = compare_holm(same, baseline=leader)
    return {leader} | {c.candidate for c in family.contrasts if c.p_adjusted >= ALPHA}


def _mean(rows: Sequence[RunRow], name: str) -> float:
    return sum(float(row.metrics.get(name) or 0.0) for row in rows) / len(rows) if rows else 0.0


def markdown(table: Pivot) -> str:
    """The table in Markdown; bold: best or not distinguishable from it. The marks are explained below it."""
    lines = [
        "| controller | " + " | ".join(table.places) + " |",
        "|---|" + "---|" * len(table.places),
    ]
    for name, cells in zip(table.controllers, table.cells, strict=True):
        lines.append(f"| {name} | " + " | ".join(_text(cell) for cell in cells) + " |")
    counts = sorted({cell.runs for cells in table.cells for cell in cells})
    runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]}–{counts[-1]}"
    title = f"{table.metric.title} ({table.metric.name}, {table.metric.unit})"
    lines += [
        "",
        f"{title}: mean ± half the 95 % interval of the mean over {runs} seeds.",
        "**Bold**: the best, or not distinguishable from it (paired, Holm, 5 %). Means per run: u vehicles never "
        "inserted, t teleports, f signals that fell back to their plan; x runs that failed.",
    ]
    return "\n".join(lines)


def _text(cell: Cell) -> str:
    if cell.mean is None:
        return f"– x{cell.failed}" if cell.failed else "–"
    value = f"{cell.mean:.1f}" if cell.half_width is None else f"{cell.mean:.1f} ± {cell.half_width:.1f}"
    marks = [
        f"{mark}{amount:.3g}"
        for mark, amount in (
            ("u", cell.waiting),
            ("t", cell.teleports),
            ("f", cell.fallbacks),
            ("x", cell.failed),
        )
        if amount
    ]
    return " ".join([f"**{value}**" if cell.best else value, *marks])


def as_csv(table: Pivot) -> str:
    """The table as CSV, a row per controller and place."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(
        (
            "controller",
            "place",
            table.metric.name,
            "half_width_95",
            "runs",
            "best",
            "waiting",
            "teleports",
            "fallbacks",
            "failed",
        )
    )
    for name, cells in zip(table.controllers, table.cells, strict=True):
        for place, c in zip(table.places, cells, strict=True):
            writer.writerow(
                (
                    name,
                    place,
                    "" if c.mean is None else repr(c.mean),
                    "" if c.half_width is None else repr(c.half_width),
                    c.runs,
                    int(c.best),
                    repr(c.waiting),
                    repr(c.teleports),
                    repr(c.fallbacks),
                    c.failed,
                )
            )
    return stream.getvalue()
