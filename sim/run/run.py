"""One run: a scenario under a controller, from SUMO's start to a folder of results with proof that it is complete.

A run needs a process of its own (see denxanh.sim.sumo.backend.libsumo_backend), in which ``execute`` is called.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from denxanh.sim.controller import Controller
from denxanh.sim.demand.equivalents import represented
from denxanh.sim.run.collection import QueueSamples, collect
from denxanh.sim.run.early_starts import EarlyStarts
from denxanh.sim.run.preparation import PreparedRun, prepare_run
from denxanh.sim.run.queue_recorder import QueueRecorder
from denxanh.sim.run.results import Stopwatch, write_results
from denxanh.sim.run.run_description import Backend, Run
from denxanh.sim.run.scheduled_events import schedule_events
from denxanh.sim.run.store import LOG
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.monitor import SignalMemory
from denxanh.sim.signals.pedestrian_calls import PedestrianCalls
from denxanh.sim.simulation import Simulation
from denxanh.sim.sumo import run_input
from denxanh.sim.sumo.backend.engine import Engine
from denxanh.sim.sumo.backend.libsumo_backend import open_libsumo
from denxanh.sim.sumo.backend.sumo_world import SumoWorld
from denxanh.sim.sumo.backend.traci_backend import open_traci
from denxanh.sim.sumo.outputs import Incidents
from denxanh.sim.sumo.riders import Riders

__all__ = ["Backend", "Run", "execute", "open_simulation", "open_world"]

SAMPLE = 5.0  # s between samples of the queues: a dozen in the shortest usual cycle


def execute(run: Run, controller: Controller, folder: Path) -> dict[str, Any]:
    """Simulate in ``folder``, which becomes the working directory, and write the results; returns the manifest.

    Raises InputError, ControlError, WorldError or RunError; then no manifest is written.
    """
    watch = Stopwatch()
    prepared = prepare_run(run, controller, folder)
    os.chdir(folder)  # relative paths of the user's are not valid from here on
    return write_results(prepared, collect(prepared, *_simulate(prepared)), watch)


def open_world(prepared: PreparedRun, *, arguments: Sequence[str] = ()) -> SumoWorld:
    """SUMO, loaded with the input of a prepared run, as a World; the working directory must be the run's folder.

    ``arguments`` are further ones of SUMO's command line, which take the place of those written before. libsumo runs
    one simulation in a process; close the world before the process opens another.
    """
    scenario, traffic = prepared.scenario, prepared.traffic
    return SumoWorld(
        _engine(prepared.run.backend, [*prepared.sumo_input.arguments, *arguments], prepared.queue_lanes),
        prepared.network,
        scenario.begin,
        scenario.step,
        reroutes=traffic.reroutes or _may_reroute(scenario),
        stops=traffic.stops,
    )


def open_simulation(
    prepared: PreparedRun,
    world: SumoWorld,
    *,
    seed: int | None = None,
    memories: dict[str, SignalMemory] | None = None,
) -> Simulation:
    """The loop of a prepared run over its world, with sensing, pedestrian calls and events.

    ``seed`` draws the errors of the sensing; that of the run where it is None. ``memories`` are of other runs on the
    same network (see Simulation).
    """
    run = prepared.run
    simulation = Simulation(
        world,
        prepared.scenario.end,
        prepared.policies,
        sees=prepared.controller.sees,
        sensing=run.sensing,
        seed=run.seed if seed is None else seed,
        given=prepared.given,
        calls=PedestrianCalls(world, world.pedestrians).at if prepared.traffic.departures.persons else None,
        memories=memories,
    )
    schedule_events(run.events, simulation, world)
    riders = Riders.of(prepared.scenario.riders)
    if riders.early_start:
        EarlyStarts(simulation, world, riders, run.seed if seed is None else seed).start()
    return simulation


def _simulate(prepared: PreparedRun) -> tuple[QueueSamples, QueueRecorder | None, list[Incidents]]:
    """Run SUMO under the policies until the end.

    Returns the queues on the way, and SUMO's counts of incidents at the bounds of the measured window, as ``collect``
    takes them.
    """
    run, scenario, queue_lanes = prepared.run, prepared.scenario, prepared.queue_lanes
    world = open_world(prepared)
    simulation = open_simulation(prepared, world)
    samples: list[list[float]] = []
    real = represented(prepared.traffic.equivalents)

    def halted(lane: str) -> float:
        """Halted vehicles on a lane, as real ones."""
        if not world.halted(lane):
            return 0
        return sum(real.get(world.vehicle_type(one.id), 1.0) for one in world.standing(lane))

    period = math.ceil(SAMPLE / scenario.step - 1e-9) * scenario.step
    recorder = QueueRecorder(world, prepared.network) if run.movements else None

    def sample() -> None:
        count = halted if real else world.halted
        samples.append([sum(map(count, lanes)) for lanes in queue_lanes.values()])
        if recorder is not None:
            recorder.sample()

    simulation.every(period, sample)
    counted = [] if run.measured_from > scenario.begin else [Incidents()]
    bounds = [t for t in (run.measured_from, run.measured_until) if scenario.begin < t < scenario.end]
    simulation.agenda(
        (t, scenario.end, lambda: counted.append(world.incidents()), lambda: None) for t in bounds
    )
    for question in simulation:
        prepared.supervisor.answer(question)
    if recorder is not None:
        recorder.note_remaining()
    world.close()
    return QueueSamples(np.array(samples, dtype=float), period), recorder, counted


def _engine(backend: Backend, arguments: Sequence[str], queue_lanes: Mapping[str, Sequence[str]]) -> Engine:
    if backend == "libsumo":
        return open_libsumo(arguments, log=Path(LOG))
    lanes = [lane for lanes in queue_lanes.values() for lane in lanes]
    # another process may take the free port between its choice and its use: one start at a time, and a nonce check
    # without a time limit of its own: the run's ends it, and a run that is paused here must not end the others
    with FileLock(Path(tempfile.gettempdir()) / "denxanh-traci.lock"):
        return open_traci(arguments, log=Path(LOG), watch=lanes)


def _may_reroute(scenario: Scenario) -> bool:
    """Whether options or additional files have vehicles change their routes on the way."""
    asked = float(scenario.options.get("device.rerouting.probability", "0")) > 0
    asked |= bool(scenario.options.get("device.rerouting.explicit"))
    return asked or any(run_input.read_additional(path).reroutes for path in scenario.additional)
