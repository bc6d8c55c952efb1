"""Tables of an experiment: ``runs.csv`` and ``runs.parquet``, a row per run, and ``summary.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from denxanh.experiments.results.measured_window import MOST_UNFINISHED
from denxanh.experiments.results.summary_row import SummaryRow
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim import metrics
from denxanh.sim.input.text_files import csv_cell
from denxanh.sim.language.text import Text
from denxanh.sim.run import store

COLUMNS = ("place", "demand", "controller", "sensing", "seed", "status")
_UNFINISHED = ("unfinished_share", "flagged")  # the largest share of a run, and whether it is above the limit
_INTERVALS = ("mean", "ci_low", "ci_high", "n", "diff", "diff_ci_low", "diff_ci_high")


def read_rows(out: Path) -> list[RunRow]:
    """All runs of an experiment's folder, in order. Raises InputError for a ledger changed outside of denxanh."""
    with Ledger(out / "ledger.sqlite", read_only=True) as ledger:
        ledger.require_intact()
        return list(ledger.rows())


def write_runs(out: Path, rows: Sequence[RunRow]) -> None:
    """``runs.csv`` and ``runs.parquet``: a row per run, then every metric; failed runs have empty metrics."""
    with replacing(out / "runs.csv") as path, path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow((*COLUMNS, *metrics.NAMES, "id", "attempts", "reason"))
        for row in rows:
            values = [_cell(row.metrics.get(name)) for name in metrics.NAMES]
            names = _text(row.place), f"{row.demand:g}", _text(row.controller), _text(row.sensing)
            head = (*names, row.seed, _text(row.state))
            writer.writerow((*head, *values, _text(row.id), row.attempts, _text(row.reason)))
    with replacing(out / "runs.parquet") as path:
        store.write_table(path, runs_table(rows))


def runs_table(rows: Sequence[RunRow]) -> dict[str, Any]:
    """All runs as columns: texts as lists, numbers as arrays (runs,) with NaN where a run has none."""
    return {
        "place": [row.place for row in rows],
        "demand": np.array([row.demand for row in rows], dtype=np.float64),
        "controller": [row.controller for row in rows],
        "sensing": [row.sensing for row in rows],
        "seed": np.array([row.seed for row in rows], dtype=np.int64),
        "status": [row.state for row in rows],
        **{name: _column(rows, name) for name in metrics.NAMES},
        "id": [row.id for row in rows],
        "attempts": np.array([row.attempts for row in rows], dtype=np.int64),
        "wall_s": np.array([_number(row.wall_s) for row in rows], dtype=np.float64),
        "cpu_s": np.array([_number(row.cpu_s) for row in rows], dtype=np.float64),
        "tripinfo_sha256": [row.sha256 or "" for row in rows],
        "reason": [row.reason for row in rows],
    }


def write_summary(out: Path, rows: Iterable[SummaryRow]) -> None:
    """``summary.csv``: a row per place, demand, controller and metric."""
    with replacing(out / "summary.csv") as path, path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            ("place", "demand", "controller", "metric", *_INTERVALS, "verdict", "verdict_vi", *_UNFINISHED)
        )
        for row in rows:
            numbers = [_cell(getattr(row, name)) for name in _INTERVALS]
            said = row.verdict or Text("", "")
            writer.writerow(
                (
                    *(_text(row.place), _cell(row.demand), _text(row.controller), _text(row.metric)),
                    *numbers,
                    *(_text(said.en), _text(said.vi)),
                    *(_cell(row.unfinished), int(row.unfinished > MOST_UNFINISHED)),
                )
            )


def _column(rows: Sequence[RunRow], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([_number(row.metrics.get(name)) for row in rows], dtype=np.float64)


def _number(value: float | int | None) -> float:
    return float("nan") if value is None else float(value)


def _cell(value: float | int | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _text(text: str) -> object:
    """Text on one line that a spreadsheet does not take for a formula."""
    return csv_cell(" ".join(text.splitlines()))


class replacing:
    """Write beside, then take the place of the old file at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f".{path.name}.new")

    def __enter__(self) -> Path:
        self._new.unlink(missing_ok=True)  # it may be a symbolic link in a folder of somebody else
        return self._new

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            store.sync(self._new)
            self._new.replace(self._path)
        else:
            self._new.unlink(missing_ok=True)
