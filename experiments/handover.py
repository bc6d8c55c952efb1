"""The files that a tuning leaves: each plan as JSON, as a SUMO program and as a timing sheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.day import DaySchedule, day_xml, schedule_json
from experiments.optimize.export import Actuation, plan_xml, timing_sheet
from experiments.optimize.tune import Progress
from experiments.statistics import summarise
from sim import store
from sim.network import Network
from sim.plan import Plan

PLAN, PROGRAM, SHEET, DAY, SEARCH = "plan.json", "plan.add.xml", "timing-sheet.csv", "day.json", "search.json"
FRONT = "pareto.csv"


@dataclass(frozen=True)
class Handed:
    """Where a plan lies, and the controller of denxanh that runs it."""

    folder: Path
    controller: str
    parameters: dict[str, str]


def hand_over(folder: Path, plan: Plan, network: Network, actuation: Actuation | None = None) -> Handed:
    """``plan.json``, ``plan.add.xml`` and ``timing-sheet.csv`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    store.write_json(folder / PLAN, plan.to_json())
    (folder / PROGRAM).write_text(plan_xml(plan, network, actuation=actuation), encoding="utf-8")
    (folder / SHEET).write_text(timing_sheet(plan, network), encoding="utf-8")
    if actuation is not None:
        return Handed(folder, "sumo-program", {"file": str((folder / PROGRAM).resolve())})
    return Handed(folder, "fixed-time", {"plan": str((folder / PLAN).resolve())})


def hand_over_day(folder: Path, day: DaySchedule, network: Network) -> Handed:
    """Each plan of a day with its sheet, ``day.json`` for ``time-of-day``, and ``plan.add.xml`` with SUMO's WAUT."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [f"plan-{number}.json" for number in range(1, len(day.plans) + 1)]
    for number, (name, plan) in enumerate(zip(files, day.plans, strict=True), 1):
        store.write_json(folder / name, plan.to_json())
        sheet = timing_sheet(plan, network)
        (folder / f"timing-sheet-{number}.csv").write_text(sheet, encoding="utf-8")
    (folder / DAY).write_text(json.dumps(schedule_json(day, files), indent=1) + "\n", encoding="utf-8")
    (folder / PROGRAM).write_text(day_xml(day, network), encoding="utf-8")
    return Handed(folder, "time-of-day", {"schedule": str((folder / DAY).resolve())})


def write_trace(folder: Path, trace: Sequence[Progress]) -> None:
    """``search.json``: what was known after each step of a search."""
    rows = [
        {
            "step": p.step,
            "evaluations": p.evaluations,
            "sumo_runs": p.runs,
            "cpu_s": p.cpu,
            "model": _known(p.model),
            "sumo": _known(p.sumo),
        }
        for p in trace
    ]
    (folder / SEARCH).write_text(json.dumps(rows, indent=1), encoding="utf-8")


def write_front(
    folder: Path, names: Sequence[str], objectives: Sequence[str], values: NDArray[np.float64]
) -> None:
    """``pareto.csv``: a row for each plan with the mean of each objective, the ends of its 95 % interval,
    and the plan's file.

    ``values`` has shape (plans, cases, 2); the network's own plan comes first.
    """
    with (folder / FRONT).open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream, lineterminator="\n")
        heads = [f"{name}{end}" for name in objectives for end in ("", " low", " high")]
        table.writerow(["plan", *heads, "file"])
        for k, name in enumerate(names):
            cells: list[str] = []
            for column in values[k].T:
                found = summarise(column.tolist())
                ends = (
                    (found.interval.low, found.interval.high) if found.interval else (found.mean, found.mean)
                )
                cells += [f"{x:.6g}" for x in (found.mean, *ends)]
            table.writerow([name, *cells, "" if k == 0 else f"{name.replace(' ', '-')}/{PLAN}"])


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
