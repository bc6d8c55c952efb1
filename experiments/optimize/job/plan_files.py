"""The files of an optimisation: each plan as JSON, as SUMO programs and as a timing sheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.day_schedule import DaySchedule, day_xml, schedule_json
from denxanh.experiments.optimize.problem.plan_programs import Actuation, plan_xml, timing_sheet
from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.statistics import summarise
from denxanh.sim.input.text_files import csv_row
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.run import store

PLAN, PROGRAM, SHEET, DAY, SEARCH = "plan.json", "plan.add.xml", "timing-sheet.csv", "day.json", "search.json"
FRONT = "pareto.csv"


@dataclass(frozen=True)
class PlanFiles:
    """The folder of a plan and the controller, with its parameters, that runs it."""

    folder: Path
    controller: str
    parameters: dict[str, str]


def write_plan_files(
    folder: Path, plan: Plan, network: Network, actuation: Actuation | None = None
) -> PlanFiles:
    """Write ``plan.json``, ``plan.add.xml`` and ``timing-sheet.csv`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    store.write_json(folder / PLAN, plan.to_json())
    (folder / PROGRAM).write_text(plan_xml(plan, network, actuation=actuation), encoding="utf-8")
    (folder / SHEET).write_text(timing_sheet(plan, network), encoding="utf-8")
    if actuation is not None:
        return PlanFiles(folder, "sumo-program", {"file": str((folder / PROGRAM).resolve())})
    return PlanFiles(folder, "fixed-time", {"plan": str((folder / PLAN).resolve())})


def write_day_files(folder: Path, day: DaySchedule, network: Network) -> PlanFiles:
    """Write each plan of a day and its sheet, ``day.json`` for ``time-of-day``, ``plan.add.xml`` with SUMO's WAUT."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [f"plan-{number}.json" for number in range(1, len(day.plans) + 1)]
    for number, (name, plan) in enumerate(zip(files, day.plans, strict=True), 1):
        store.write_json(folder / name, plan.to_json())
        sheet = timing_sheet(plan, network)
        (folder / f"timing-sheet-{number}.csv").write_text(sheet, encoding="utf-8")
    (folder / DAY).write_text(json.dumps(schedule_json(day, files), indent=1) + "\n", encoding="utf-8")
    (folder / PROGRAM).write_text(day_xml(day, network), encoding="utf-8")
    return PlanFiles(folder, "time-of-day", {"schedule": str((folder / DAY).resolve())})


def write_trace(folder: Path, trace: Sequence[Progress]) -> None:
    """Write ``search.json``: the progress after each step of a search."""
    rows = [
        {
            "step": p.step,
            "evaluations": p.evaluations,
            "sumo_runs": p.runs,
            "cpu_s": p.cpu,
            "model": _finite(p.predicted),
            "sumo": _finite(p.sumo),
        }
        for p in trace
    ]
    (folder / SEARCH).write_text(json.dumps(rows, indent=1), encoding="utf-8")


def write_front(
    folder: Path, names: Sequence[str], objectives: Sequence[str], values: NDArray[np.float64]
) -> None:
    """Write ``pareto.csv``: for each plan the mean of each objective, the ends of its 95 % interval, and its file.

    ``values`` has shape (plans, cases, 2); the existing plan comes first.
    """
    with (folder / FRONT).open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        heads = [f"{name}{end}" for name in objectives for end in ("", " low", " high")]
        table.writerow(csv_row(["plan", *heads, "file"]))
        for k, name in enumerate(names):
            cells: list[str] = []
            for column in values[k].T:
                found = summarise(column.tolist())
                ends = (
                    (found.interval.low, found.interval.high) if found.interval else (found.mean, found.mean)
                )
                cells += [f"{x:.6g}" for x in (found.mean, *ends)]
            file = "" if k == 0 else f"{name.replace(' ', '-')}/{PLAN}"
            table.writerow(csv_row([name, *cells, file]))


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
