"""Tables of an experiment: ``runs.csv`` and ``runs.parquet``, a row per run, and ``summary.csv``."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from denxanh.experiments.results.gains import Gain
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
GAINS = tuple(f"gain_{over}{end}" for over in ("conventional", "existing") for end in ("", "_low", "_high"))
"""Gain over the conventional plan and over the existing one, above 0 better, with the ends of its 95 % interval."""
_GAIN_FIELDS = ("gain", "low", "high")  # of a Gain, in the order of GAINS
_INTERVALS = ("mean", "ci_low", "ci_high", "n", "diff", "diff_ci_low", "diff_ci_high")


def read_rows(out: Path) -> list[RunRow]:
    """All runs of an experiment's folder, in order. Raises InputError for a ledger changed outside of denxanh."""
    with Ledger(out / "ledger.sqlite", read_only=True) as ledger:
        ledger.require_intact()
        return list(ledger.rows())


def write_runs(out: Path, rows: Sequence[RunRow]) -> None:
    """``runs.csv`` and ``runs.parquet``: a row per run, then every metric; failed runs have empty metrics."""
    with store.replacing(out / "runs.csv") as path, path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow((*COLUMNS, *metrics.NAMES, "id", "attempts", "reason"))
        for row in rows:
            values = [_cell(row.metrics.get(name)) for name in metrics.NAMES]
            names = _text(row.place), f"{row.demand:g}", _text(row.controller), _text(row.sensing)
            head = (*names, row.seed, _text(row.state))
            writer.writerow((*head, *values, _text(row.id), row.attempts, _text(row.reason)))
    with store.replacing(out / "runs.parquet") as path:
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
    with store.replacing(out / "summary.csv") as path, path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            (
                "place",
                "demand",
                "controller",
                "metric",
                *GAINS,
                *_INTERVALS,
                "verdict",
                "verdict_vi",
                *_UNFINISHED,
            )
        )
        for row in rows:
            numbers = [_cell(getattr(row, name)) for name in _INTERVALS]
            said = row.verdict or Text("", "")
            writer.writerow(
                (
                    *(_text(row.place), _cell(row.demand), _text(row.controller), _text(row.metric)),
                    *(
                        cell
                        for gain in (row.over_conventional, row.over_existing)
                        for cell in gain_cells(gain)
                    ),
                    *numbers,
                    *(_text(said.en), _text(said.vi)),
                    *(_cell(row.unfinished), int(row.unfinished > MOST_UNFINISHED)),
                )
            )


def summary_table(rows: Sequence[SummaryRow]) -> dict[str, Any]:
    """The rows of ``summary.csv`` without the sentences as columns: texts as lists, numbers as arrays with NaN."""
    gained = [(row.over_conventional, row.over_existing) for row in rows]
    return {
        "place": [row.place for row in rows],
        "demand": np.array([row.demand for row in rows], dtype=np.float64),
        "controller": [row.controller for row in rows],
        "metric": [row.metric for row in rows],
        **{
            name: np.array(
                [_number(getattr(pair[k // 3], _GAIN_FIELDS[k % 3], None)) for pair in gained],
                dtype=np.float64,
            )
            for k, name in enumerate(GAINS)
        },
        **{
            name: np.array([_number(getattr(row, name)) for row in rows], dtype=np.float64)
            for name in _INTERVALS
        },
    }


def gain_cells(gain: Gain | None) -> tuple[str, str, str]:
    """Gain and ends of its interval for a CSV; empty where there are none."""
    if gain is None:
        return "", "", ""
    return _cell(gain.gain), _cell(gain.low), _cell(gain.high)


def _column(rows: Sequence[RunRow], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([_number(row.metrics.get(name)) for row in rows], dtype=np.float64)


def _number(value: float | int | None) -> float:
    return float("nan") if value is None else float(value)


def _cell(value: float | int | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _text(text: str) -> object:
    """Text on one line that a spreadsheet does not take for a formula."""
    return csv_cell(" ".join(text.splitlines()))
