"""Collection of a run's output: SUMO's files read, the run proved complete, and its metrics computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.sim import metrics
from denxanh.sim.demand.departures import Traffic
from denxanh.sim.demand.equivalents import weights
from denxanh.sim.errors import RunError
from denxanh.sim.run.preparation import PreparedRun
from denxanh.sim.run.store import LOG
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo import outputs, run_input
from denxanh.sim.sumo.tripinfo import Trips, read_trips

_LOSSY = ("max-depart-delay", "max-num-vehicles", "ignore-route-errors")


@dataclass(frozen=True)
class QueueSamples:
    """Halted vehicles on the approaches of each intersection, sampled every ``period`` s."""

    halted: NDArray[np.float64]  # (samples, intersections) veh
    period: float  # s

    def after(self, warm_up: float) -> NDArray[np.float64]:
        """The samples (samples, intersections) after ``warm_up`` s."""
        return self.halted[int(warm_up / self.period) :] if self.halted.size else self.halted


@dataclass(frozen=True)
class Output:
    """The output of a complete run."""

    trips: Trips
    tripinfo_sha256: str
    edges: Mapping[str, outputs.Column]
    signals: Mapping[str, outputs.Column]
    queue: QueueSamples
    log: Mapping[str, int]  # SUMO's messages by kind, see read_log
    metrics: Mapping[str, metrics.Value]


def collect(prepared: PreparedRun, queue: QueueSamples) -> Output:
    """Read the output of a run from the working directory. Raises RunError where it is not complete."""
    run, scenario = prepared.run, prepared.run.scenario
    statistic = outputs.read_statistic(Path(run_input.STATISTIC))
    trips, digest = read_trips(Path(run_input.TRIPINFO))
    log = read_log(Path(LOG))
    _check_complete(scenario, statistic, trips, log)
    edges = outputs.read_edges(Path(run_input.EDGES), Path(run_input.EMISSIONS))
    signals = outputs.read_signals(Path(run_input.SIGNALS))
    counts = metrics.Counts(
        before_begin=prepared.traffic.departures.before,
        dropped=_dropped(prepared.scenario, prepared.traffic, trips, statistic),
        teleports=statistic.teleports,
        collisions=statistic.collisions,
        emergency_brakings=statistic.emergency_brakings,
        fallbacks=len(prepared.supervisor.events),
        co2_kg=float(np.sum(edges["co2_kg"])),
        fuel_kg=float(np.sum(edges["fuel_kg"])),
    )
    per_vehicle = weights(trips.type, prepared.traffic.equivalents)
    values = metrics.compute(
        trips,
        counts,
        queue.after(run.warm_up),
        per_vehicle,
        begin=scenario.begin,
        end=scenario.end,
        warm_up=run.warm_up,
    )
    if not metrics.accounts_add_up(values):
        raise RunError(f"loaded vehicles are not arrived + running + waiting + lost: {values}")
    return Output(trips, digest, edges, signals, queue, log, values)


def read_log(path: Path) -> dict[str, int]:
    """SUMO's messages by kind, with their number: names and numbers are replaced by "…", so that equal kinds add up."""
    lines = path.read_text("utf-8", errors="replace").splitlines() if path.exists() else []
    kinds: dict[str, int] = {}
    for line in lines:
        if line.startswith("Error"):
            kinds[line.rstrip(".")] = 1
        elif line.startswith("Warning"):
            kind = _kind(line)
            kinds[kind] = kinds.get(kind, 0) + 1
    return kinds


def _kind(line: str) -> str:
    text = re.sub(r"'[^']*'", "'…'", line.removeprefix("Warning: "))
    return re.sub(r"-?\d+(\.\d+)?", "…", text).rstrip(". ")


def _check_complete(
    scenario: Scenario, statistic: outputs.Statistic, trips: Trips, log: Mapping[str, int]
) -> None:
    """Raise RunError unless SUMO reached the end and wrote everything; its exit status alone proves nothing."""
    if abs(statistic.end - scenario.end) > scenario.step / 2:
        raise RunError(f"SUMO stopped at t={statistic.end:g} s, not at {scenario.end:g} s")
    if int(trips.inserted.sum()) != statistic.inserted:
        raise RunError(
            f"tripinfo holds {int(trips.inserted.sum())} inserted vehicles, SUMO counted {statistic.inserted}"
        )
    for line in log:
        if line.startswith("Error"):
            raise RunError(f"SUMO reported: {line.removeprefix('Error: ')}")
        if "ignoring" in line and "sorted by departure" in line:
            raise RunError(f"SUMO dropped a vehicle: {line}")


def _dropped(scenario: Scenario, traffic: Traffic, trips: Trips, statistic: outputs.Statistic) -> int | None:
    """The number of vehicles that SUMO discarded before insertion, None where the files do not tell."""
    departures = traffic.departures
    made = departures.flows + departures.triggered + departures.persons  # persons bring cars of their own
    explicit = made == 0 and not traffic.scaled and "scale" not in scenario.options
    if explicit:
        missing = departures.due - len(trips)
        if missing < 0 and departures.after == 0:
            raise RunError(f"tripinfo holds {len(trips)} vehicles, the routes ask for {departures.due}")
        return max(missing, 0)
    if not any(name in scenario.options for name in _LOSSY):
        return 0
    return None if departures.after else statistic.loaded - len(trips)
