"""Delay, stops and level of service by class of vehicles in the runs of an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.language.text import Text
from denxanh.sim.measures.type_table import ALL, PERSON
from denxanh.sim.run.store import read_table
from denxanh.sim.timing.hcm_delay import level_of_service

TABLE = "vehicle_types.parquet"
NAMES = {
    "motorbike": Text("motorbikes", "xe máy"),
    "car": Text("cars", "ô tô"),
    "bus": Text("buses", "xe buýt"),
    "truck": Text("trucks", "xe tải"),
    "bicycle": Text("bicycles", "xe đạp"),
    "other": Text("other vehicles", "xe khác"),
    PERSON: Text("people on foot", "người đi bộ"),
    ALL: Text("all vehicles", "tất cả xe"),
}
"""The classes in the order in which they are named."""


@dataclass(frozen=True)
class ClassResult:
    """One class of vehicles under one controller: means over its runs, over real vehicles; None without meaning."""

    name: str  # a key of NAMES
    vehicles: float  # a run, real ones that wanted to depart in the measured window
    simulated: float  # a run
    delay_s: float | None
    stops: float | None
    control_delay_s: float | None  # a passage of a signal
    los: str  # "" where the manual has no level by control delay

    @property
    def title(self) -> Text:
        """What a reader calls the class, in both languages."""
        return NAMES[self.name]


def class_results(rows: Iterable[RunRow]) -> list[ClassResult]:
    """The classes of the vehicles in runs of one controller at one place, then all; empty for results without them.

    Results of earlier versions have no table of vehicle types.
    """
    paths = [row.folder / TABLE for row in rows if row.done and row.folder is not None]
    tables = [read_table(path) for path in paths if path.is_file()]
    found = []
    for name in NAMES:
        parts = [table for table in tables if (table["name"][table["level"] != "type"] == name).any()]
        if parts:
            found.append(_class_result(name, parts, len(tables)))
    return found


def _class_result(name: str, tables: Sequence[dict[str, np.ndarray]], runs: int) -> ClassResult:
    rows = [{k: v[(t["level"] != "type") & (t["name"] == name)][0] for k, v in t.items()} for t in tables]

    def column(key: str) -> np.ndarray:
        return np.array([row[key] for row in rows], dtype=np.float64)

    vehicles = column("vehicles")

    def mean(key: str) -> float | None:
        values = column(key)
        known = np.isfinite(values)
        return (
            float(np.average(values[known], weights=vehicles[known])) if vehicles[known].sum() > 0 else None
        )

    control = mean("control_delay_s")
    los = level_of_service(control, 0.0) if control is not None and any(row["los"] for row in rows) else ""
    return ClassResult(
        name,
        float(vehicles.sum()) / runs,
        float(column("simulated").sum()) / runs,
        mean("delay_s"),
        mean("stops"),
        control,
        los,
    )
