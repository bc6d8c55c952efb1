"""A recording of a stored run: simulated again, with the trajectory and the passages of every vehicle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.demand.equivalents import weights
from denxanh.sim.measures.signal_history import Greens, greens
from denxanh.sim.measures.signal_passages import Passages
from denxanh.sim.network import Network
from denxanh.sim.run.collection import passages_of
from denxanh.sim.run.preparation import check_demand, loop_lanes
from denxanh.sim.run.repetition import StoredRun, repeated_with_trajectories, trajectories_of
from denxanh.sim.run.store import read_table
from denxanh.sim.run.trajectories import Trajectories, back_of_queue
from denxanh.sim.sumo import run_input
from denxanh.sim.sumo.passage_loops import LOOPS, add_loops, read_loops
from denxanh.sim.sumo.tripinfo import read_trips

History = Mapping[str, tuple[tuple[float, ...], tuple[str, ...]]]
"""The changes of each signal: times (s) and states."""


@dataclass(frozen=True)
class Recording:
    """What a run looked like: vehicles second by second, passages of signals, and what the signals showed.

    ``passages`` are those that were past their junction at the end of the run.
    """

    network: Network
    begin: float  # s
    end: float  # s
    warm_up: float  # s at the begin that are not measured
    flush: float  # s at the end that are not measured
    trajectories: Trajectories
    passages: Passages
    weight: NDArray[np.float64]  # real vehicles of each passage, shape (passages,)
    signals: History
    lengths: Mapping[str, float]  # of vehicles by type, m

    @property
    def measured(self) -> tuple[float, float]:
        """Begin and end of the measured window, s."""
        return self.begin + self.warm_up, self.end - self.flush

    def greens(self, signal: str, links: Sequence[int]) -> Greens:
        """The greens that a signal showed to at least one of ``links``."""
        return greens(*self.signals.get(signal, ((), ())), links, self.end)

    def queues(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """The stop-line lanes, and the back of queue of each frame, m, shape (frames, lanes)."""
        lanes = tuple(a.lane for one in self.network.intersections.values() for a in one.approaches)
        return lanes, back_of_queue(self.trajectories, self.network, self.lengths, lanes)


def record_run(run: StoredRun, network: Network, *, timeout: float = 3600.0) -> Recording:
    """Simulate a stored run again and record it; its files stay as they are.

    Raises InputError for a run that SUMO alone cannot repeat, RunError where the repetition is not the same run.
    """
    loops = Element("additional")
    add_loops(loops, *loop_lanes(network))
    traffic = check_demand(run.scenario, network)
    types = traffic.types
    with repeated_with_trajectories(run, loops, timeout=timeout) as folder:
        trips, _ = read_trips(folder / run_input.TRIPINFO)
        crossings = read_loops(folder / LOOPS)
        trajectories = trajectories_of(run, folder)
    found = passages_of(run.scenario, network, types, trips, crossings)
    real = dict(zip(trips.id, weights(trips.type, traffic.equivalents)[2].tolist(), strict=True))
    return Recording(
        network=network,
        begin=run.scenario.begin,
        end=run.scenario.end,
        warm_up=float(run.manifest.get("warm_up_s", 0.0)),
        flush=float(run.manifest.get("flush_s", 0.0)),
        trajectories=trajectories,
        passages=found,
        weight=np.array([real[name] for name in found.vehicle], dtype=np.float64),
        signals=read_history(run.folder / "signals.parquet"),
        lengths={name: kind.length for name, kind in types.items()},
    )


def read_history(path: Path) -> History:
    """The changes of each signal of a run from its table."""
    table = read_table(path, ["time_s", "signal", "state"])
    rows: dict[str, tuple[list[float], list[str]]] = {}
    for time, name, state in zip(table["time_s"], table["signal"], table["state"], strict=True):
        times, states = rows.setdefault(str(name), ([], []))
        times.append(float(time))
        states.append(str(state))
    return {name: (tuple(times), tuple(states)) for name, (times, states) in rows.items()}
