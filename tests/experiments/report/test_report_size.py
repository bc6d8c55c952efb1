"""The report of the largest built-in place, with all its pictures, stays small enough to be mailed, and loads."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from denxanh.experiments.report import Comparison, ScenarioResults, Text, render
from denxanh.experiments.report.pictures import panels
from denxanh.experiments.runs.run_row import RunRow
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.measures.signal_passages import Passages
from denxanh.sim.movements import signal_movements
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.run import store
from denxanh.sim.run.recording import History, Recording
from denxanh.sim.run.trajectories import Trajectories
from denxanh.sim.timing.arterials import arterials
from tests.experiments.report.conftest import make_metrics

MOST_BYTES = 5_000_000  # what mail servers take without a word
HOUR = 3600.0
ARRIVALS = 1200  # of a movement in the hour: a full lane
TRACKS = 900  # vehicles an hour along the street in each direction
FIXED = ("program", "conventional", "webster")


class Invented(Recording):
    """A recording with invented queues: each stop-line lane fills and empties all the time."""

    def queues(self) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        """The stop-line lanes, and the back of queue of each frame, m, shape (frames, lanes)."""
        lanes = tuple(a.lane for one in self.network.intersections.values() for a in one.approaches)
        frame = np.arange(self.trajectories.frames)[:, None]
        return lanes, np.maximum(0.0, (frame + 17.0 * np.arange(len(lanes))) % 90.0 - 25.0)


def history(network: Network, controller: str) -> History:
    """An hour of the plans of all signals; strategies make each cycle a little longer or shorter."""
    out = {}
    for number, (name, one) in enumerate(network.intersections.items()):
        times, states, now = [], [], 0.0
        for cycle in range(1000):
            for k, (state, seconds) in enumerate(one.program.steps()):
                times.append(now)
                states.append(state)
                more = (cycle * 7 + number + k) % 11 if controller not in FIXED and seconds > 6 else 0
                now += seconds + more
            if now > HOUR:
                break
        out[name] = tuple(times), tuple(states)
    return out


def recording(network: Network, controller: str) -> Recording:
    """An invented hour: full movements, and vehicles that never drive evenly along the first street."""
    street = arterials(network)[0]
    points = [
        network.lanes[next(i.start for i in network.intersections[s].links if i.index in links)].shape[-1]
        for s, links in zip(street.signals, street.links, strict=True)
    ]
    rng = np.random.default_rng(2)
    columns: dict[str, list[NDArray[Any]]] = {key: [] for key in ("vehicle", "frame", "x", "y", "angle")}
    legs = list(pairwise(points))
    for vehicle in range(2 * TRACKS):
        back = vehicle % 2 == 1
        number = len(legs) * 30  # 30 s from signal to signal
        at = np.sort(rng.uniform(0, len(legs), number))  # jumps, so that each second is a bend of the line
        at = len(legs) - at if back else at
        leg = np.clip(at.astype(int), 0, len(legs) - 1)
        start, stop = np.array(points)[leg], np.array(points)[leg + 1]
        place = start + (at - leg)[:, None] * (stop - start)
        heading = np.degrees(np.arctan2(*((start - stop) if back else (stop - start)).T))
        begin = int(vehicle // 2 * (HOUR - number) / TRACKS)
        for key, values in (
            ("vehicle", np.full(number, vehicle)),
            ("frame", begin + np.arange(number)),
            ("x", place[:, 0]),
            ("y", place[:, 1]),
            ("angle", heading % 360),
        ):
            columns[key].append(values)
    data = {key: np.concatenate(values) for key, values in columns.items()}
    zeros = np.zeros(len(data["x"]), dtype=np.int32)
    movements = [
        movement.name for found in signal_movements(network).values() for movement in found.movements
    ]
    names = [name for name in movements for _ in range(ARRIVALS)]
    arrival = np.tile(np.linspace(0, HOUR, ARRIVALS, endpoint=False), len(movements))
    return Invented(
        network=network,
        begin=0.0,
        end=HOUR,
        warm_up=300.0,
        flush=300.0,
        trajectories=Trajectories(
            0.0, 1.0, int(HOUR), ("car",), ("lane",), data["vehicle"].astype(np.int32), data["frame"].astype(np.int32),
            data["x"], data["y"], data["angle"].astype(np.float32), zeros.astype(np.float32),
            zeros.astype(np.float32), zeros, zeros,
        ),
        passages=Passages(
            tuple(map(str, range(len(names)))), tuple(name.partition(">")[0] for name in names),
            tuple(name.partition(">")[2] for name in names), ("lane",) * len(names),
            *(arrival + late for late in (-30.0, 0.0, 10.0, 15.0)), np.full(len(names), 10.0),
        ),
        weight=np.ones(len(names)),
        signals=history(network, controller),
        lengths={"car": 5.0},
    )  # fmt: skip


def write_tables(folder: Path, network: Network, rng: np.random.Generator, controller: str) -> Path:
    """Invented tables of an hour on every edge, signal and movement of a network."""
    folder.mkdir(parents=True)
    edges, signals = list(network.edges), list(network.intersections)
    store.write_table(
        folder / "edges.parquet",
        {
            "edge": edges,
            "time_loss_s": rng.uniform(0, 4e4, len(edges)),
            "entered": rng.uniform(100, 2000, len(edges)),
            "left": rng.uniform(100, 2000, len(edges)),
        },
    )
    store.write_table(
        folder / "intervals.parquet",
        {
            "begin_s": np.repeat(np.arange(0.0, 3600.0, 60.0), len(signals)),
            "intersection": signals * 60,
            "queue_mean_veh": rng.uniform(0, 80, 60 * len(signals)),
        },
    )
    number = 3000
    store.write_table(
        folder / "vehicles.parquet",
        {
            "type": ["car"] * number,
            "depart_s": np.linspace(0, 3500, number),
            "arrival_s": np.linspace(100, 3600, number),
            "fate": ["arrived"] * number,
            "depart_delay_s": np.zeros(number),
            "time_loss_s": rng.uniform(0, 300, number),
        },
    )
    rows = []
    for signal, found in signal_movements(network).items():
        rows.append(("intersection", signal, signal, ""))
        approaches = {one.name.partition(">")[0]: one.bound for one in found.movements}
        rows += [("approach", signal, edge, bound) for edge, bound in approaches.items()]
        rows += [("movement", signal, one.name, one.label) for one in found.movements]
        rows += [("lane group", signal, one.lanes[0], one.label) for one in found.movements]
    columns = dict(zip(("level", "signal", "name", "label"), map(list, zip(*rows, strict=True)), strict=True))
    values = ("arrivals", "flow_vph", "control_delay_s", "vc", "queue_p95_m", "storage_ratio", "on_green",
              "cycle_failures")  # fmt: skip
    columns |= {name: rng.uniform(0.1, 100, len(rows)) for name in values}
    store.write_table(folder / "movements.parquet", columns)
    changes = [
        (time, name, state)
        for name, (times, states) in history(network, controller).items()
        for time, state in zip(times, states, strict=True)
    ]
    store.write_table(
        folder / "signals.parquet",
        dict(zip(("time_s", "signal", "state"), map(list, zip(*changes, strict=True)), strict=True)),
    )
    store.write_json(
        folder / "manifest.json",
        {
            **dict.fromkeys(("wall_s", "cpu_s", "metrics", "tripinfo_sha256"), ""),
            "scenario": {"begin": 0.0, "end": 3600.0},
            "sumo_command": ["sumo"],
        },
    )
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Six controllers with two seeds each on 31 signals, all pictures."""
    network = network_of(open_scenario("ha-noi/hoan-kiem"))
    assert len(network.intersections) == 31
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("large")
    controllers = ("program", "conventional", "actuated", "max-pressure", "predictive", "webster")
    runs = tuple(
        RunRow(
            "ha-noi/hoan-kiem",
            name,
            seed,
            metrics=make_metrics(float(rng.uniform(30, 90))),
            folder=write_tables(folder / f"{name}-{seed}", network, rng, name),
        )
        for name in controllers
        for seed in (1, 2)
    )
    title = Text("Hoàn Kiếm", "Hoàn Kiếm")
    place = ScenarioResults("ha-noi/hoan-kiem", title, 0.0, HOUR, network=network, pictures="recorded")
    made = Comparison(Text("A", "B"), "program", (place,), runs, (), "denxanh compare", {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panels, "check_size", lambda row: None)
        patch.setattr(panels, "recording_of", lambda row, _: recording(network, row.controller))
        return render(made)


@pytest.mark.slow
def test_thirty_one_signals_under_six_controllers_stay_below_5_megabytes(page: str) -> None:
    for heading in (
        "By approach and movement", "Along the street", "Arrivals in the cycle", "Queues in metres", "Stages and rings",
        "Cycle failures and spillback", "Traffic in the network", "Timings before and after",
    ):  # fmt: skip
        assert f"<h3>{heading}</h3>" in page or f">{heading}<" in page, heading
    assert page.count("<svg") > 60
    assert len(page.encode()) < MOST_BYTES
