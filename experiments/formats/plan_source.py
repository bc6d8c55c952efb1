"""The plans and the place that a command names: a plan.json, a day.json, or the folder of an optimisation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from denxanh.controllers.fixed.fixed_time import read_plan
from denxanh.controllers.fixed.time_of_day import read_schedule
from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.runs.ledger import Ledger
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan

_NAMES = ("plan.json", "day.json", "day/day.json")
_LEDGERS = (LEDGER, f"held-out/{LEDGER}")


@dataclass(frozen=True)
class PlanSwitch:
    """The plan with this index runs from ``time`` (s since midnight) on."""

    time: float
    plan: int


@dataclass(frozen=True)
class PlanSource:
    """Plans with their place. Without ``switches`` the hours of the plan are not stated."""

    scenario: Scenario
    network: Network  # with the existing programs
    plans: tuple[Plan, ...]
    switches: tuple[PlanSwitch, ...]
    files: tuple[Path, ...]  # the file of each plan

    def planned(self, number: int) -> Network:
        """The network with one of the plans. Raises InputError where it does not fit or is less safe."""
        return checked_plan(self.network, with_plan(self.network, self.plans[number]))


def open_plans(source: Path, place: str | None) -> PlanSource:
    """The plans of a file or folder; ``place`` may be omitted for the folder of an optimisation. Raises InputError."""
    file = _file_of(source)
    if file.name == "day.json":
        rows = read_schedule(str(file))
        files = tuple(dict.fromkeys(path for _, path in rows))
        switches = tuple(PlanSwitch(time, files.index(path)) for time, path in rows)
    else:
        files, switches = (file,), ()
    plans = tuple(read_plan(str(path)) for path in files)
    scenario = open_scenario(place) if place is not None else _scenario_of(file)
    return PlanSource(scenario, network_of(scenario), plans, switches, files)


def _file_of(source: Path) -> Path:
    """The plan.json or day.json. Raises InputError."""
    if source.is_dir():
        found = [source / name for name in _NAMES if (source / name).is_file()]
        if not found:
            raise InputError(
                "the folder holds neither a plan.json nor a day.json",
                location=str(source),
                remedy="give the folder of 'denxanh optimize', or a plan written by 'denxanh plan PLACE'",
            )
        return found[-1] if len(found) > 1 and found[-1].name == "day.json" else found[0]
    if not source.is_file():
        raise InputError(
            "the plan does not exist",
            location=str(source),
            remedy="give a plan.json, a day.json, or the folder of 'denxanh optimize'",
        )
    return source


def _scenario_of(file: Path) -> Scenario:
    """The scenario that the runs of an optimisation had, beside one of its plans. Raises InputError."""
    folder = file.parent
    for name in _LEDGERS:
        path = folder / name
        if path.is_file():
            with Ledger(path, read_only=True) as ledger:
                for row in ledger.rows():
                    scenario = ledger.specification(row.id).scenario
                    missing = [file for file in scenario.inputs() if not file.is_file()]
                    if missing:
                        raise InputError(
                            f"the input file {str(missing[0])!r} is not on this machine",
                            location=str(folder),
                            remedy="name the place with --place",
                        )
                    return scenario
    raise InputError("a plan alone does not name its place", location=str(file), remedy="add --place PLACE")
