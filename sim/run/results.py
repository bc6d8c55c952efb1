"""The files that a run leaves in its folder: Parquet tables, the replay programs and, last, the manifest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from denxanh.sim.controller import recorded_parameters
from denxanh.sim.demand.equivalents import aboard, represented, weighted_types
from denxanh.sim.network import Network
from denxanh.sim.run import store
from denxanh.sim.run.collection import Output, QueueSamples
from denxanh.sim.run.preparation import PreparedRun
from denxanh.sim.run.provenance import file_record, versions
from denxanh.sim.run.scheduled_events import event_records, flashing_waivers, replayable
from denxanh.sim.sensing import described
from denxanh.sim.signals.waivers import waivers
from denxanh.sim.sumo import outputs, run_input
from denxanh.sim.sumo.passage_loops import LOOPS
from denxanh.sim.sumo.tripinfo import Trips

INTERVAL = 60.0  # s, a row of intervals.parquet
_SUMO_OUTPUT = (
    run_input.TRIPINFO,
    run_input.STATISTIC,
    run_input.EDGES,
    run_input.EMISSIONS,
    run_input.SIGNALS,
    LOOPS,
)


@dataclass(frozen=True)
class Stopwatch:
    """Wall time and CPU time of this process since it was made."""

    wall: float = field(default_factory=time.time)  # s
    cpu: float = field(default_factory=time.process_time)  # s

    def elapsed(self) -> dict[str, float]:
        """Both so far, s, by their manifest keys."""
        return {
            "wall_s": round(time.time() - self.wall, 3),
            "cpu_s": round(time.process_time() - self.cpu, 3),
        }


def write_results(prepared: PreparedRun, output: Output, watch: Stopwatch) -> dict[str, Any]:
    """Write the tables and then the manifest into the working directory; returns the manifest."""
    folder, run, scenario = Path(), prepared.run, prepared.run.scenario
    store.write_table(folder / "vehicles.parquet", _vehicle_table(output.trips))
    store.write_table(folder / "signals.parquet", output.signals)
    intervals = _interval_table(prepared.network, output.queue, scenario.begin)
    store.write_table(folder / "intervals.parquet", intervals)
    store.write_table(folder / "edges.parquet", output.edges)
    store.write_table(folder / "movements.parquet", output.movements)
    store.write_table(folder / "vehicle_types.parquet", output.types)
    if prepared.controlled:
        states = _states(output.signals, prepared.controlled)
        run_input.write_replay(folder, states, scenario.begin, scenario.end)
    if not run.keep_sumo_output:
        sets = len(weighted_types(prepared.traffic.equivalents))
        weighted = [name for number in range(sets) for name in run_input.weighted_files(number)]
        for name in (*_SUMO_OUTPUT, *weighted):
            (folder / name).unlink(missing_ok=True)
    manifest = _manifest(prepared, output) | watch.elapsed() | {"files": _files(folder)}
    store.write_json(folder / store.MANIFEST, manifest)
    return manifest


def _files(folder: Path) -> dict[str, Any]:
    """Size and SHA-256 of every file of the result but the log, which is still open."""
    return {
        path.name: file_record(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name not in (store.LOG, store.MANIFEST)
    }


def _manifest(prepared: PreparedRun, output: Output) -> dict[str, Any]:
    run, network, controlled = prepared.run, prepared.network, prepared.controlled
    events = event_records(run.events, run.scenario.end)
    fallbacks = [fallback.to_json() for fallback in prepared.supervisor.events]
    plan_waivers = [asdict(waiver) for name in controlled for waiver in waivers(network.intersections[name])]
    return {
        "schema": "denxanh-run/2",
        "id": run.id,
        "code_sha256": run.code,
        "place": run.scenario.name,
        "controller": prepared.controller.name,
        "parameters": recorded_parameters(prepared.controller),
        "sensing": described(run.sensing),
        "safety": run.rules.to_json(),
        "seed": run.seed,
        "backend": run.backend,
        "warm_up_s": run.warm_up,
        "flush_s": run.flush,
        "movements": run.movements,
        "scenario": run.scenario.to_json(),
        "inputs_sha256": prepared.input_hashes,
        "controller_files_sha256": [prepared.input_hashes[str(path)] for path in prepared.controller_files],
        "sumo_command": prepared.sumo_input.command(replay=bool(controlled)),
        "sumo_repeats": replayable(run.events, controlled) and not run.scenario.riders.get("early_start"),
        "tripinfo_sha256": output.tripinfo_sha256,
        "metrics": output.metrics,
        "represents": represented(prepared.traffic.equivalents),
        "persons": aboard(prepared.traffic.equivalents),
        "vehicles_by_type": output.vehicles_by_type,
        "events": [*events, *fallbacks],
        "limits_met": prepared.supervisor.limits_met,
        "repeated_after": run.repeated_after,
        "waivers": plan_waivers + flashing_waivers(run.events),
        "left_to_sumo": dict(network.left_to_sumo),
        "operation": {name: list(signals) for name, signals in network.by_operation().items()},
        "warnings": output.log,
        "versions": versions(),
    }


def _vehicle_table(trips: Trips) -> store.Table:
    return {
        "id": list(trips.id),
        "type": list(trips.type),
        "depart_s": trips.depart,
        "depart_delay_s": trips.depart_delay,
        "arrival_s": trips.arrival,
        "duration_s": trips.duration,
        "length_m": trips.length,
        "stopped_s": trips.stopped,
        "stops": trips.stops,
        "time_loss_s": trips.time_loss,
        "fate": [
            "lost" if removed else "arrived" if arrived else "running" if inserted else "waiting"
            for inserted, arrived, removed in zip(trips.inserted, trips.arrived, trips.removed, strict=True)
        ],
    }


def _interval_table(network: Network, samples: QueueSamples, begin: float) -> store.Table:
    """One row per interval and intersection."""
    queue, period = samples.halted, samples.period
    names = list(network.intersections)
    per = max(round(INTERVAL / period), 1)
    starts = range(0, len(queue), per)
    blocks = [queue[start : start + per] for start in starts]
    return {
        "begin_s": np.repeat(np.array([begin + start * period for start in starts]), len(names)),
        "end_s": np.repeat(
            np.array([begin + (start + len(b)) * period for start, b in zip(starts, blocks, strict=True)]),
            len(names),
        ),
        "intersection": names * len(blocks),
        "queue_mean_veh": np.concatenate([b.mean(axis=0) for b in blocks])
        if blocks and names
        else np.zeros(0),
        "queue_max_veh": np.concatenate([b.max(axis=0) for b in blocks]) if blocks and names else np.zeros(0),
    }


def _states(
    signals: Mapping[str, outputs.Column], names: Sequence[str]
) -> dict[str, list[tuple[float, str]]]:
    """(time in s, state) of each change at the signals ``names``, in time order."""
    out: dict[str, list[tuple[float, str]]] = {name: [] for name in names}
    for time_s, name, state in zip(signals["time_s"], signals["signal"], signals["state"], strict=True):
        if name in out:
            out[str(name)].append((float(time_s), str(state)))
    return out
