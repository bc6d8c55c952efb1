"""One run: a scenario under a controller, from SUMO's start to a folder of results that can be believed.

A run must have a process of its own (see sim.sumo_world); ``execute`` is called there.
"""

from __future__ import annotations

import hashlib
import math
import os
import platform
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from filelock import FileLock

from sim import metrics, outputs, store, sumo_input
from sim.departures import NONE, Departures, read_departures
from sim.equivalents import read_equivalents, weights
from sim.errors import InputError, RunError
from sim.events import Event
from sim.happening import flashing_waivers, happened, put_on_agenda, repeats, with_events
from sim.network import Network
from sim.permits import waivers
from sim.phases import with_phases
from sim.plan import Plan
from sim.plan_check import checked_plan
from sim.protocol import Controller, parameters
from sim.rules import Rules
from sim.scenario import Scenario
from sim.sensing import Ideal, Sensing, described
from sim.simulation import Simulation
from sim.sumo_input import SumoInput
from sim.sumo_world import Engine, SumoWorld, open_libsumo, open_traci
from sim.sumonet import network_of, with_plan
from sim.supervisor import Fallback, Limits, Supervisor
from sim.trips import Trips, read_trips
from sim.walk_calls import WalkCalls, with_walk_calls
from sim.xmlfile import read_bytes

Backend = Literal["libsumo", "traci"]
LOG = "sumo.log"
MANIFEST = "manifest.json"
PROGRAMS = "programs.add.xml"
SAMPLE = 5.0  # s between samples of the queues: a dozen in the shortest usual cycle
INTERVAL = 60.0  # s, a row of intervals.parquet
_LOSSY = ("max-depart-delay", "max-num-vehicles", "ignore-route-errors")


@runtime_checkable
class Planned(Protocol):
    """A controller that brings a plan: its stages become the phases of the network."""

    def make_plan(self, network: Network) -> Plan:
        """The plan for this network."""
        ...


@runtime_checkable
class Phased(Protocol):
    """A controller that shows more greens than the program has."""

    def more_phases(self, network: Network) -> Mapping[str, Sequence[str]]:
        """Green states by intersection; they become phases behind the program's."""
        ...


@runtime_checkable
class Equipped(Protocol):
    """A controller that has SUMO load further files: programs and detectors that SUMO runs itself."""

    def additional_files(self) -> tuple[Path, ...]:
        """SUMO additional files, loaded after the scenario's own."""
        ...


@runtime_checkable
class Programmed(Protocol):
    """A controller that writes programs for SUMO itself to run, made for the network at hand."""

    def programs(self, network: Network) -> str:
        """A SUMO additional file with the programs and detectors, as text."""
        ...


@dataclass(frozen=True)
class Run:
    """What determines a run's result, beside the controller."""

    scenario: Scenario
    seed: int = 1
    backend: Backend = "libsumo"
    warm_up: float = 0.0  # s cut off all averages
    keep_sumo_output: bool = False
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    sensing: Sensing = field(default_factory=Ideal)
    events: tuple[Event, ...] = ()


def prepare(scenario: Scenario, controller: Controller, rules: Rules | None = None) -> Network:
    """The network as a controller gets it: with the programs, the plan and the flows it asks for.

    A controller that makes its own plan makes it by the ``rules``, where the network's own programs can follow them.
    """
    network = network_of(scenario)
    if "flow" in controller.sees:
        from sim.flows import with_flows  # reads all routes: only for those who ask

        network = with_flows(network, scenario)
    if isinstance(controller, Planned):
        try:
            ruled = (rules or Rules()).apply(network)
        except (
            InputError
        ):  # of the network's own programs: the plan takes their place, and is asked the same later
            ruled = network
        network = checked_plan(network, with_plan(network, controller.make_plan(ruled)))
    return network


def check_demand(scenario: Scenario, network: Network) -> Departures:
    """What the route files ask for. Raises InputError for what SUMO would drop or refuse, and for no demand."""
    begin, end, edges = scenario.begin, scenario.end, network.edges
    found = sum((read_departures(p, begin, end, edges) for p in scenario.routes), NONE)
    more = (read_departures(p, begin, end, edges, additional=True) for p in scenario.additional)
    found = sum(more, found)
    if found.due + found.flows + found.triggered == 0:
        outside = (
            f" ({found.before} before the begin, {found.after} after the end)"
            if found.before + found.after
            else ""
        )
        raise InputError(
            f"no vehicle departs between {scenario.begin:g} s and {scenario.end:g} s{outside}",
            where=", ".join(map(str, scenario.routes or scenario.additional)),
            remedy="check begin and end, or give routes with vehicles",
        )
    return found


def execute(run: Run, controller: Controller, folder: Path) -> dict[str, Any]:
    """Simulate in ``folder`` (the process moves there) and leave the results; returns the manifest.

    Raises InputError, ControlError, WorldError or RunError; then no manifest is written.
    """
    wall, cpu = time.time(), time.process_time()
    brought: tuple[Path, ...] = ()
    if isinstance(controller, Equipped):
        brought = more = tuple(path.resolve() for path in controller.additional_files())
        run = replace(run, scenario=replace(run.scenario, additional=(*run.scenario.additional, *more)))
    scenario = run.scenario
    network = prepare(scenario, controller, run.rules)
    own: tuple[Path, ...] = ()  # programs that the controller writes for SUMO
    if isinstance(controller, Programmed):
        scenario, network = _with_programs(scenario, controller, network, folder)
        own = (folder / PROGRAMS,)
    scenario = with_events(scenario, network, run.events, folder)
    departures = check_demand(scenario, network)
    policies = controller.start(network)
    if policies and (run.rules != Rules() or isinstance(controller, Phased)):
        network = run.rules.apply(network)  # what SUMO runs itself stays as the network has it
        if isinstance(controller, Phased):
            network = with_phases(network, controller.more_phases(network))
        policies = controller.start(network)
    policies = with_walk_calls(policies, network, controller)
    limits = replace(run.limits, max_green=run.rules.max_green, max_red=run.rules.max_red)
    supervisor = Supervisor(network, policies, limits)
    given = sumo_input.write_input(
        scenario,
        folder,
        seed=run.seed,
        signals=sorted(set(network.intersections) | _drawn(network)),
        drop_programs=policies,
        brought=(*brought, *own),
    )
    hashes = {str(path): hash_file(path) for path in run.scenario.inputs()}
    os.chdir(folder)  # from here on relative paths of the user's lead nowhere
    queue_lanes = {
        tl: tuple(dict.fromkeys(s.lane for a in where.approaches for s in a.segments))
        for tl, where in network.intersections.items()
    }
    world = SumoWorld(
        _engine(run, given, queue_lanes), network, scenario.begin, scenario.step, reroutes=_reroutes(scenario)
    )
    simulation = Simulation(
        world,
        scenario.end,
        policies,
        sees=controller.sees,
        sensing=run.sensing,
        seed=run.seed,
        calls=WalkCalls(world, world.on_foot).at if departures.persons else None,
    )
    put_on_agenda(run.events, simulation, world)
    samples: list[list[int]] = []
    period = math.ceil(SAMPLE / scenario.step - 1e-9) * scenario.step
    simulation.every(
        period, lambda: samples.append([sum(map(world.halted, lanes)) for lanes in queue_lanes.values()])
    )
    for question in simulation:
        supervisor.answer(question)
    world.close()
    return _conclude(
        run,
        scenario,
        controller,
        network,
        departures,
        sorted(policies),
        supervisor.events,
        hashes,
        brought,
        given,
        np.array(samples, dtype=float),
        period,
        wall,
        cpu,
    )


def _with_programs(
    scenario: Scenario, controller: Programmed, network: Network, folder: Path
) -> tuple[Scenario, Network]:
    """The scenario with the controller's programs for SUMO, which SUMO loads last and so runs."""
    file = folder / PROGRAMS
    file.write_text(controller.programs(network), encoding="utf-8")
    scenario = replace(scenario, additional=(*scenario.additional, file))
    return scenario, network_of(scenario)


def _engine(run: Run, given: SumoInput, queue_lanes: Mapping[str, Sequence[str]]) -> Engine:
    if run.backend == "libsumo":
        return open_libsumo(given.arguments, log=Path(LOG))
    lanes = [lane for lanes in queue_lanes.values() for lane in lanes]
    # SUMO's getFreeSocketPort and ours can both be overtaken: one start at a time, and the nonce is checked
    with FileLock(Path(tempfile.gettempdir()) / "denxanh-traci.lock", timeout=120):
        return open_traci(given.arguments, log=Path(LOG), watch=lanes)


def _drawn(network: Network) -> set[str]:
    """Signals left to SUMO that drive a connection."""
    return {
        tl
        for tl, reason in network.left_to_sumo.items()
        if "rail" not in reason and "no connection" not in reason
    }


def _reroutes(scenario: Scenario) -> bool:
    asked = float(scenario.options.get("device.rerouting.probability", "0")) > 0
    asked |= bool(scenario.options.get("device.rerouting.explicit"))
    files = (*scenario.routes, *scenario.additional)
    asked |= any(b"has.rerouting.device" in read_bytes(p, kind="route file") for p in files)
    return asked or any(sumo_input.read_additional(path).reroutes for path in scenario.additional)


def _conclude(
    run: Run,
    simulated: Scenario,
    controller: Controller,
    network: Network,
    departures: Departures,
    replay: Sequence[str],
    events: Sequence[Fallback],
    hashes: Mapping[str, str],
    brought: Sequence[Path],
    given: SumoInput,
    queue: np.ndarray[Any, np.dtype[np.float64]],
    period: float,
    wall: float,
    cpu: float,
) -> dict[str, Any]:
    """Prove that the run is complete, compute, write the tables, the manifest last.

    ``simulated`` is the run's scenario with what events and controllers added to its files and options.
    """
    scenario, here = run.scenario, Path()
    statistic = outputs.read_statistic(Path(sumo_input.STATISTIC))
    trips, digest = read_trips(Path(sumo_input.TRIPINFO))
    log = _read_log(Path(LOG))
    _prove(scenario, statistic, trips, log)
    edges = outputs.read_edges(Path(sumo_input.EDGES), Path(sumo_input.EMISSIONS))
    signals = outputs.read_signals(Path(sumo_input.SIGNALS))
    counts = metrics.Counts(
        before_begin=departures.before,
        dropped=_dropped(simulated, departures, trips, statistic),
        teleports=statistic.teleports,
        collisions=statistic.collisions,
        emergency_brakings=statistic.emergency_brakings,
        fallbacks=len(events),
        co2_kg=float(np.sum(edges["co2_kg"])),
        fuel_kg=float(np.sum(edges["fuel_kg"])),
    )
    kept = queue[int(run.warm_up / period) :] if queue.size else queue
    counting = weights(trips.type, read_equivalents((*scenario.routes, *scenario.additional)))
    values = metrics.compute(
        trips, counts, kept, counting, begin=scenario.begin, end=scenario.end, warm_up=run.warm_up
    )
    if not metrics.accounts_add_up(values):
        raise RunError(f"the accounts do not add up: {values}")
    store.write_table(here / "vehicles.parquet", _vehicle_table(trips))
    store.write_table(here / "signals.parquet", signals)
    store.write_table(here / "intervals.parquet", _interval_table(network, queue, period, scenario.begin))
    store.write_table(here / "edges.parquet", edges)
    if replay:
        sumo_input.write_replay(here, _shown(signals, replay), scenario.begin, scenario.end)
    if not run.keep_sumo_output:
        for name in (
            sumo_input.TRIPINFO,
            sumo_input.STATISTIC,
            sumo_input.EDGES,
            sumo_input.EMISSIONS,
            sumo_input.SIGNALS,
        ):
            Path(name).unlink(missing_ok=True)
    manifest = {
        "schema": "denxanh-run/1",
        "place": scenario.name,
        "controller": controller.name,
        "parameters": parameters(controller),
        "sensing": described(run.sensing),
        "safety": run.rules.to_json(),
        "seed": run.seed,
        "backend": run.backend,
        "warm_up_s": run.warm_up,
        "scenario": scenario.to_json(),
        "inputs_sha256": hashes,
        "controller_files_sha256": [hashes[str(path)] for path in brought],
        "sumo_command": given.command(replay=bool(replay)),
        "sumo_repeats": repeats(run.events, replay),
        "tripinfo_sha256": digest,
        "metrics": values,
        "events": [*happened(run.events, scenario.end), *(event.to_json() for event in events)],
        "waivers": [asdict(waiver) for tl in replay for waiver in waivers(network.intersections[tl])]
        + flashing_waivers(run.events),
        "left_to_sumo": dict(network.left_to_sumo),
        "warnings": log,
        "versions": versions(),
        "wall_s": round(time.time() - wall, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
    }
    store.write_json(here / MANIFEST, manifest)
    return manifest


def _prove(scenario: Scenario, statistic: outputs.Statistic, trips: Trips, log: Mapping[str, int]) -> None:
    """The proof that SUMO came to the end and wrote all of it; an exit status alone proves nothing."""
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


def _dropped(
    scenario: Scenario, departures: Departures, trips: Trips, statistic: outputs.Statistic
) -> int | None:
    """Vehicles that SUMO took off its list before they were inserted."""
    made = departures.flows + departures.triggered + departures.persons  # persons bring cars of their own
    explicit = made == 0 and "scale" not in scenario.options
    if explicit:
        missing = departures.due - len(trips)
        if missing < 0 and departures.after == 0:
            raise RunError(f"tripinfo holds {len(trips)} vehicles, the routes ask for {departures.due}")
        return max(missing, 0)
    if not any(name in scenario.options for name in _LOSSY):
        return 0
    return None if departures.after else statistic.loaded - len(trips)


def _read_log(path: Path) -> dict[str, int]:
    """What SUMO printed, by kind of message: names and numbers are replaced by …, so that equal kinds count up."""
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


def _interval_table(
    network: Network, queue: np.ndarray[Any, np.dtype[np.float64]], period: float, begin: float
) -> store.Table:
    """One row per intersection and interval, from samples (samples, intersections)."""
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


def _shown(signals: Mapping[str, outputs.Column], names: Sequence[str]) -> dict[str, list[tuple[float, str]]]:
    out: dict[str, list[tuple[float, str]]] = {name: [] for name in names}
    for time_s, name, state in zip(signals["time_s"], signals["signal"], signals["state"], strict=True):
        if name in out:
            out[str(name)].append((float(time_s), str(state)))
    return out


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """What else determines a result: denxanh, SUMO, Python, platform."""
    return {
        "denxanh": version("denxanh"),
        "sumo": version("eclipse-sumo"),
        "libsumo": version("libsumo"),
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
