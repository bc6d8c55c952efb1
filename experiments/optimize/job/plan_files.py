"""The files of an optimisation: each plan as JSON, as SUMO programs and as a timing sheet."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.actuation import Actuation
from denxanh.experiments.optimize.problem.day_schedule import DaySchedule, day_xml, schedule_json
from denxanh.experiments.optimize.problem.plan_programs import plan_xml, timing_sheet
from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.runs.run_row import refuse_link
from denxanh.experiments.statistics import summarise
from denxanh.sim.input.text_files import csv_row
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.run import store

PLAN, PROGRAM, SHEET, DAY, SEARCH = "plan.json", "plan.add.xml", "timing-sheet.csv", "day.json", "search.json"
FRONT = "pareto.csv"
CONVENTIONAL_PLAN = "conventional-plan.json"


@dataclass(frozen=True)
class PlanFiles:
    """The folder of a plan and the controller, with its parameters, that runs it."""

    folder: Path
    controller: str
    parameters: dict[str, str]

    def copied_to(self, folder: Path) -> PlanFiles:
        """Copies of the files that the controller reads; they stay as they are when a plan is written again."""
        folder.mkdir(parents=True, exist_ok=True)
        for path in [*self.folder.glob("plan*.json"), self.folder / PROGRAM, self.folder / DAY]:
            if path.is_file():
                with store.replacing(folder / path.name) as new:
                    shutil.copyfile(path, new)
        parameters = {key: str((folder / Path(path).name).resolve()) for key, path in self.parameters.items()}
        return PlanFiles(folder, self.controller, parameters)


_OURS = re.compile(
    r"plan(-\d+)?\.json|plan\.add\.xml|timing-sheet(-\d+)?\.csv|day\.json|search\.json|pareto\.csv|"
    r"optimize\.json|conventional-plan\.json|days?|point-\d+|lefts-(protected|permitted)|held-out|plans|optimised|by-time-of-day"
)
"""Names of files and folders that an optimisation writes."""


def check_no_links(out: Path) -> None:
    """Raise InputError where a file or folder that an optimisation writes into ``out`` is a symbolic link."""
    for path in sorted(out.iterdir()):
        if not _OURS.fullmatch(path.name):
            continue
        refuse_link(path)
        if path.is_dir():
            check_no_links(path)


def _write_plan(path: Path, plan: Plan) -> None:
    with store.replacing(path) as new:
        store.write_json(new, plan.to_json())


def _write(path: Path, text: str) -> None:
    with store.replacing(path) as new:
        new.write_text(text, encoding="utf-8")


def write_plan_files(
    folder: Path, plan: Plan, network: Network, actuation: Actuation | None = None
) -> PlanFiles:
    """Write ``plan.json``, ``plan.add.xml`` and ``timing-sheet.csv`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_plan(folder / PLAN, plan)
    _write(folder / PROGRAM, plan_xml(plan, network, actuation=actuation))
    _write(folder / SHEET, timing_sheet(plan, network, actuation=actuation))
    if actuation is not None:
        return PlanFiles(folder, "sumo-program", {"file": str((folder / PROGRAM).resolve())})
    return PlanFiles(folder, "fixed-time", {"plan": str((folder / PLAN).resolve())})


def write_conventional(folder: Path, plan: Plan) -> Path:
    """Write a conventional plan that is of this optimisation only into ``folder``; returns its path."""
    _write_plan(folder / CONVENTIONAL_PLAN, plan)
    return (folder / CONVENTIONAL_PLAN).resolve()


def write_day_files(folder: Path, day: DaySchedule, network: Network) -> PlanFiles:
    """Write each plan of a day and its sheet, ``day.json`` for ``time-of-day``, ``plan.add.xml`` with SUMO's WAUT."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [f"plan-{number}.json" for number in range(1, len(day.plans) + 1)]
    for number, (name, plan) in enumerate(zip(files, day.plans, strict=True), 1):
        _write_plan(folder / name, plan)
        _write(folder / f"timing-sheet-{number}.csv", timing_sheet(plan, network))
    _write(folder / DAY, json.dumps(schedule_json(day, files), indent=1) + "\n")
    _write(folder / PROGRAM, day_xml(day, network))
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
    _write(folder / SEARCH, json.dumps(rows, indent=1))


def write_front(
    folder: Path, names: Sequence[str], objectives: Sequence[str], values: NDArray[np.float64]
) -> None:
    """Write ``pareto.csv``: for each plan the mean of each objective, the ends of its 95 % interval, and its file.

    ``values`` has shape (plans, cases, 2); the existing plan comes first.
    """
    with store.replacing(folder / FRONT) as path, path.open("w", encoding="utf-8", newline="") as stream:
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
