"""Collection of a run's output: SUMO's files read, the run proved complete, and its metrics computed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.sim import metrics
from denxanh.sim.demand.departures import Traffic
from denxanh.sim.demand.equivalents import weighted_types, weights
from denxanh.sim.demand.vehicle_class import VehicleClass, classes_by_type
from denxanh.sim.errors import RunError
from denxanh.sim.measures.movement_table import COLUMNS, movement_table
from denxanh.sim.measures.signal_passages import Departure, Passages, Remaining, passages
from denxanh.sim.measures.type_table import type_table
from denxanh.sim.network import Network
from denxanh.sim.run.automatic_window import driver_of
from denxanh.sim.run.preparation import PreparedRun
from denxanh.sim.run.queue_recorder import QueueRecorder
from denxanh.sim.run.store import LOG
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo import outputs, run_input
from denxanh.sim.sumo.passage_loops import LOOPS, Crossings, read_loops
from denxanh.sim.sumo.tripinfo import Trips, read_trips

_LOSSY = ("max-depart-delay", "max-num-vehicles", "ignore-route-errors")


@dataclass(frozen=True)
class QueueSamples:
    """Halted real vehicles on the approaches of each intersection, sampled every ``period`` s."""

    halted: NDArray[np.float64]  # (samples, intersections) veh
    period: float  # s

    def within(self, first: float, last: float) -> NDArray[np.float64]:
        """The samples (samples, intersections) later than ``first`` s after the begin, and up to ``last`` s.

        The first is taken ``period`` s after the begin.
        """
        low, high = (int(time / self.period + 1e-9) for time in (first, last))
        return self.halted[low:high] if self.halted.size else self.halted


@dataclass(frozen=True)
class Output:
    """The output of a complete run."""

    trips: Trips
    tripinfo_sha256: str
    edges: Mapping[str, outputs.Column]
    signals: Mapping[str, outputs.Column]
    queue: QueueSamples
    movements: Mapping[str, list[object]]  # see denxanh.sim.measures.movement_table
    types: Mapping[str, list[object]]  # see denxanh.sim.measures.type_table
    log: Mapping[str, int]  # SUMO's messages by kind, see read_log
    metrics: Mapping[str, metrics.Value]
    vehicles_by_type: Mapping[str, float]  # real vehicles of the whole run


def collect(
    prepared: PreparedRun,
    queue: QueueSamples,
    recorder: QueueRecorder | None,
    incidents: Sequence[outputs.Incidents],
) -> Output:
    """Read the output of a run from the working directory. Raises RunError where it is not complete.

    Without a ``recorder`` the table of movements is empty. ``incidents``: what SUMO had counted when the measured
    window began, and when it ended if that was before the end.
    """
    run, scenario = prepared.run, prepared.run.scenario
    statistic = outputs.read_statistic(Path(run_input.STATISTIC))
    trips, digest = read_trips(Path(run_input.TRIPINFO))
    log = read_log(Path(LOG))
    _check_complete(scenario, statistic, trips, log)
    weighted = []
    for number, factor in enumerate(weighted_types(prepared.traffic.equivalents)):
        traffic, exhaust = run_input.weighted_files(number)
        weighted.append((Path(traffic), Path(exhaust), factor))
    edges = outputs.read_edges(Path(run_input.EDGES), Path(run_input.EMISSIONS), weighted)
    signals = outputs.read_signals(Path(run_input.SIGNALS))
    before, *after = incidents
    counted = (after[0] if after else statistic.incidents).since(before)
    warm_up, flush = run.measured_from - scenario.begin, scenario.end - run.measured_until
    counts = metrics.Counts(
        before_begin=prepared.traffic.departures.before,
        dropped=_dropped(prepared.scenario, prepared.traffic, trips, statistic),
        teleports=counted.teleports,
        collisions=counted.collisions,
        emergency_brakings=counted.emergency_brakings,
        fallbacks=len(prepared.supervisor.events),
        co2_kg=float(np.sum(edges["co2_kg"])),
        fuel_kg=float(np.sum(edges["fuel_kg"])),
    )
    per_vehicle = weights(trips.type, prepared.traffic.equivalents)
    values = metrics.compute(
        trips,
        counts,
        queue.within(warm_up, run.measured_until - scenario.begin),
        per_vehicle,
        begin=scenario.begin,
        end=scenario.end,
        warm_up=warm_up,
        flush=flush,
    )
    if not metrics.accounts_add_up(values):
        raise RunError(f"loaded vehicles are not arrived + running + waiting + lost: {values}")
    found = None if recorder is None else _passages(prepared, trips, recorder)
    movements: dict[str, list[object]] = {name: [] for name in COLUMNS}
    if recorder is not None and found is not None:
        movements = _movements(prepared, found, signals, recorder, trips, per_vehicle)
    types = type_table(
        trips,
        classes_by_type(trips.type, prepared.traffic.types),
        per_vehicle[2],
        found,
        window=(run.measured_from, run.measured_until),
        end=scenario.end,
    )
    by_type: dict[str, float] = defaultdict(float)
    for kind, real in zip(trips.type, per_vehicle[2].tolist(), strict=True):
        by_type[kind] += real
    return Output(
        trips, digest, edges, signals, queue, movements, types, log, values, dict(sorted(by_type.items()))
    )


def _passages(prepared: PreparedRun, trips: Trips, recorder: QueueRecorder) -> Passages:
    """The passages of all signals."""
    scenario, types = prepared.run.scenario, prepared.traffic.types
    crossings = read_loops(Path(LOOPS))
    return passages_of(scenario, prepared.network, types, trips, crossings, recorder.remaining)


def passages_of(
    scenario: Scenario,
    network: Network,
    types: Mapping[str, VehicleClass],
    trips: Trips,
    crossings: Crossings,
    remaining: Sequence[Remaining] = (),
) -> Passages:
    """The passages of all signals by ``trips`` from their ``crossings`` of loops; ``types`` by id."""
    departures = {}
    for k in np.flatnonzero(trips.inserted):
        kind = types.get(trips.type[k], VehicleClass(trips.type[k]))
        driver = driver_of(kind, scenario.step, float(trips.speed_factor[k]))
        edge = trips.depart_lane[k].rpartition("_")[0]
        if edge in network.edges:
            departures[trips.id[k]] = Departure(
                float(trips.depart[k]),
                float(trips.depart_delay[k]),
                edge,
                float(trips.depart_position[k]),
                driver,
            )
    return passages(network, crossings, departures, remaining, end=scenario.end)


def _movements(
    prepared: PreparedRun,
    found: Passages,
    signals: Mapping[str, outputs.Column],
    recorder: QueueRecorder,
    trips: Trips,
    per_vehicle: NDArray[np.float64],
) -> dict[str, list[object]]:
    """The table of movements; ``per_vehicle`` as in ``weights``, in the order of the trips."""
    history: dict[str, tuple[list[float], list[str]]] = {}
    for time, name, state in zip(signals["time_s"], signals["signal"], signals["state"], strict=True):
        times, states = history.setdefault(str(name), ([], []))
        times.append(float(time))
        states.append(str(state))
    number = {name: k for k, name in enumerate(trips.id)}
    pcu, _, real = per_vehicle[:, [number[name] for name in found.vehicle]]
    return movement_table(
        prepared.network,
        history,
        found,
        recorder.queues(),
        real,
        pcu,
        begin=prepared.run.measured_from,
        end=prepared.run.measured_until,
        history_end=prepared.run.scenario.end,
    )


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
