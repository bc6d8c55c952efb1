"""What an experiment gave: one record per run, read from its ledger; tables for people and programs."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.ledger import Ledger, Row
from sim import metrics, store

COLUMNS = ("place", "demand", "controller", "sensing", "seed", "status")


@dataclass(frozen=True)
class SummaryLine:
    """One metric of one controller at one place and demand, and its difference to the baseline."""

    place: str
    demand: float
    controller: str
    metric: str
    mean: float
    ci_low: float | None
    ci_high: float | None
    n: int
    diff: float | None
    diff_ci_low: float | None
    diff_ci_high: float | None
    verdict: str
    verdict_vi: str


def read_rows(out: Path) -> list[Row]:
    """All runs of an experiment's folder, in order."""
    with Ledger(out / "ledger.sqlite", read_only=True) as ledger:
        return list(ledger.rows())


def write_runs(out: Path, rows: Sequence[Row]) -> None:
    """``runs.csv`` and ``runs.parquet``: a row per run, then every metric; failed runs have empty metrics."""
    with replacing(out / "runs.csv") as path, path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow((*COLUMNS, *metrics.NAMES, "id", "attempts", "reason"))
        for row in rows:
            values = [_cell(row.metrics.get(name)) for name in metrics.NAMES]
            names = _text(row.place), f"{row.demand:g}", _text(row.controller), _text(row.sensing)
            head = (*names, row.seed, row.state)
            writer.writerow((*head, *values, row.id, row.attempts, _text(row.reason)))
    with replacing(out / "runs.parquet") as path:
        store.write_table(path, runs_table(rows))


def runs_table(rows: Sequence[Row]) -> dict[str, Any]:
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


def write_summary(out: Path, lines: Iterable[SummaryLine]) -> None:
    """``summary.csv``: a row per place, demand, controller and metric."""
    names = list(SummaryLine.__dataclass_fields__)
    with replacing(out / "summary.csv") as path, path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        for line in lines:
            cells = [getattr(line, name) for name in names]
            writer.writerow([_text(c) if isinstance(c, str) else _cell(c) for c in cells])


def _column(rows: Sequence[Row], name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([_number(row.metrics.get(name)) for row in rows], dtype=np.float64)


def _number(value: float | int | None) -> float:
    return float("nan") if value is None else float(value)


def _cell(value: float | int | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _text(text: str) -> str:
    """Text that a spreadsheet must not take for a formula."""
    line = " ".join(text.splitlines())
    return f"'{line}" if line[:1] in ("=", "+", "-", "@") else line


class replacing:
    """Write beside, then take the place of the old file at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f".{path.name}.new")

    def __enter__(self) -> Path:
        return self._new

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            store.sync(self._new)
            self._new.replace(self._path)
        else:
            self._new.unlink(missing_ok=True)
