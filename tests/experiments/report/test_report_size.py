"""The report of the largest built-in place stays small enough to be mailed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from denxanh.experiments.report import Comparison, ScenarioResults, Text, render
from denxanh.experiments.runs.run_row import RunRow
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.movements import signal_movements
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.run import store

MOST_BYTES = 5_000_000  # what mail servers take without a word


def write_tables(folder: Path, network: Network, rng: np.random.Generator) -> Path:
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
    columns = dict(zip(("level", "signal", "name", "label"), map(list, zip(*rows, strict=True)), strict=True))
    values = ("arrivals", "flow_vph", "control_delay_s", "vc", "queue_p95_m", "storage_ratio", "on_green")
    columns |= {name: rng.uniform(0.1, 100, len(rows)) for name in values}
    store.write_table(folder / "movements.parquet", columns)
    store.write_json(
        folder / "manifest.json",
        {
            **dict.fromkeys(("wall_s", "cpu_s", "metrics", "tripinfo_sha256"), ""),
            "scenario": {"begin": 0.0, "end": 3600.0},
            "sumo_command": ["sumo"],
        },
    )
    return folder


@pytest.mark.slow
def test_thirty_one_signals_under_six_controllers_stay_below_5_megabytes(
    tmp_path: Path, metrics: Callable[..., dict[str, float | int | None]]
) -> None:
    network = network_of(open_scenario("ha-noi/hoan-kiem"))
    assert len(network.intersections) == 31
    rng = np.random.default_rng(1)
    controllers = ("program", "conventional", "actuated", "max-pressure", "predictive", "webster")
    runs = tuple(
        RunRow(
            "ha-noi/hoan-kiem",
            name,
            seed,
            metrics=metrics(float(rng.uniform(30, 90))),
            folder=write_tables(tmp_path / f"{name}-{seed}", network, rng),
        )
        for name in controllers
        for seed in (1, 2)
    )
    place = ScenarioResults("ha-noi/hoan-kiem", Text("Hoàn Kiếm", "Hoàn Kiếm"), 0.0, 3600.0, network=network)
    page = render(Comparison(Text("A", "B"), "program", (place,), runs, (), "denxanh compare", {}))
    assert "By approach and movement" in page
    assert len(page.encode()) < MOST_BYTES
