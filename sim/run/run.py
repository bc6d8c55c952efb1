"""One run: a scenario under a controller, from SUMO's start to a folder of results with proof that it is complete.

A run needs a process of its own (see denxanh.sim.sumo.engine), in which ``execute`` is called.
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
from denxanh.sim.run.collection import QueueSamples, collect
from denxanh.sim.run.preparation import PreparedRun, prepare_run
from denxanh.sim.run.results import Stopwatch, write_results
from denxanh.sim.run.run_description import Backend, Run
from denxanh.sim.run.scheduled_events import schedule_events
from denxanh.sim.run.store import LOG
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.pedestrian_calls import PedestrianCalls
from denxanh.sim.simulation import Simulation
from denxanh.sim.sumo import run_input
from denxanh.sim.sumo.engine import Engine, SumoWorld, open_libsumo, open_traci
from denxanh.sim.sumo.run_input import SumoInput

__all__ = ["Backend", "Run", "execute"]

SAMPLE = 5.0  # s between samples of the queues: a dozen in the shortest usual cycle


def execute(run: Run, controller: Controller, folder: Path) -> dict[str, Any]:
    """Simulate in ``folder``, which becomes the working directory, and write the results; returns the manifest.

    Raises InputError, ControlError, WorldError or RunError; then no manifest is written.
    """
    watch = Stopwatch()
    prepared = prepare_run(run, controller, folder)
    os.chdir(folder)  # relative paths of the user's are not valid from here on
    samples = _simulate(prepared)
    return write_results(prepared, collect(prepared, samples), watch)


def _simulate(prepared: PreparedRun) -> QueueSamples:
    """Run SUMO under the policies until the end; returns the queues on the way."""
    run, scenario, queue_lanes = prepared.run, prepared.scenario, prepared.queue_lanes
    engine = _engine(run.backend, prepared.sumo_input, queue_lanes)
    traffic = prepared.traffic
    world = SumoWorld(
        engine,
        prepared.network,
        scenario.begin,
        scenario.step,
        reroutes=traffic.reroutes or _may_reroute(scenario),
        stops=traffic.stops,
    )
    simulation = Simulation(
        world,
        scenario.end,
        prepared.policies,
        sees=prepared.controller.sees,
        sensing=run.sensing,
        seed=run.seed,
        calls=PedestrianCalls(world, world.pedestrians).at if traffic.departures.persons else None,
    )
    schedule_events(run.events, simulation, world)
    samples: list[list[int]] = []
    period = math.ceil(SAMPLE / scenario.step - 1e-9) * scenario.step
    simulation.every(
        period, lambda: samples.append([sum(map(world.halted, lanes)) for lanes in queue_lanes.values()])
    )
    for question in simulation:
        prepared.supervisor.answer(question)
    world.close()
    return QueueSamples(np.array(samples, dtype=float), period)


def _engine(backend: Backend, sumo_input: SumoInput, queue_lanes: Mapping[str, Sequence[str]]) -> Engine:
    if backend == "libsumo":
        return open_libsumo(sumo_input.arguments, log=Path(LOG))
    lanes = [lane for lanes in queue_lanes.values() for lane in lanes]
    # another process may take the free port between its choice and its use: one start at a time, and a nonce check
    with FileLock(Path(tempfile.gettempdir()) / "denxanh-traci.lock", timeout=120):
        return open_traci(sumo_input.arguments, log=Path(LOG), watch=lanes)


def _may_reroute(scenario: Scenario) -> bool:
    """Whether options or additional files have vehicles change their routes on the way."""
    asked = float(scenario.options.get("device.rerouting.probability", "0")) > 0
    asked |= bool(scenario.options.get("device.rerouting.explicit"))
    return asked or any(run_input.read_additional(path).reroutes for path in scenario.additional)
