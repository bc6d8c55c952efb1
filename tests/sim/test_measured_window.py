"""The measured window of a run: every metric and table is of the same time, from the end of the warm-up to the end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from denxanh.sim.run.collection import QueueSamples
from denxanh.sim.run.run_description import Run
from denxanh.sim.run.store import read_table
from denxanh.sim.scenario import Scenario

WARM_UP = 120.0


@pytest.fixture(scope="module")
def windowed(
    tiny_place: Any, cli: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Runs with a warm-up in both backends, and one without."""
    folder = tmp_path_factory.mktemp("windowed")
    for name, more in (
        ("libsumo", ["--warm-up", "120", "--keep-sumo-output"]),
        ("traci", ["--warm-up", "120", "--backend", "traci"]),
        ("whole", []),
    ):
        done = cli("run", tiny_place.config, "-c", "max-pressure", "--out", folder / name, *more)
        assert done.returncode == 0, done.stderr
    return {path.name: path for path in folder.iterdir()}


def metrics(folder: Path) -> dict[str, Any]:
    """The metrics of a run."""
    found: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))["metrics"]
    return found


def test_the_tables_by_edge_and_the_throughput_are_of_the_window(windowed: dict[str, Path]) -> None:
    vehicles = read_table(windowed["libsumo"] / "vehicles.parquet")
    edges = read_table(windowed["libsumo"] / "edges.parquet")
    arrived = int(np.sum(vehicles["arrival_s"] >= WARM_UP))
    exits = [
        i for i, edge in enumerate(edges["edge"]) if not edge.startswith(("left", "right", "top", "bottom"))
    ]
    exits = [i for i in exits if edges["edge"][i] not in ("A0B0", "B0A0")]
    assert arrived == sum(edges["left"][exits]) > 0
    assert metrics(windowed["libsumo"])["throughput_vph"] == pytest.approx(arrived / 180 * 3600)
    whole = read_table(windowed["whole"] / "edges.parquet")
    assert sum(edges["time_loss_s"]) < 0.8 * sum(whole["time_loss_s"])
    assert metrics(windowed["libsumo"])["co2_kg"] < 0.8 * metrics(windowed["whole"])["co2_kg"]
    interval = ElementTree.parse(windowed["libsumo"] / "edges.xml").getroot()[0]
    assert (float(interval.attrib["begin"]), float(interval.attrib["end"])) == (WARM_UP, 300.0)


def test_the_window_changes_no_vehicle_and_both_backends_measure_the_same(windowed: dict[str, Path]) -> None:
    hashes = {
        json.loads((f / "manifest.json").read_text("utf-8"))["tripinfo_sha256"] for f in windowed.values()
    }
    assert len(hashes) == 1
    assert metrics(windowed["libsumo"]) == metrics(windowed["traci"])


def test_the_account_is_of_the_vehicles_that_wanted_to_depart_in_the_window(
    windowed: dict[str, Path],
) -> None:
    vehicles = read_table(windowed["libsumo"] / "vehicles.parquet")
    wanted = np.where(vehicles["depart_s"] >= 0, vehicles["depart_s"], 300.0) - vehicles["depart_delay_s"]
    assert metrics(windowed["libsumo"])["loaded"] == int(np.sum(wanted >= WARM_UP)) == 60


@pytest.mark.parametrize(
    ("warm_up", "step", "begin"), [(0, 1, 100), (120, 1, 220), (120.3, 1, 221), (7, 0.5, 107)]
)
def test_the_window_begins_with_a_step(warm_up: float, step: float, begin: float) -> None:
    scenario = Scenario("place", Path("net"), (), begin=100.0, end=400.0, step=step)
    assert Run(scenario, warm_up=warm_up).measured_from == pytest.approx(begin)


@pytest.mark.parametrize(("warm_up", "first"), [(0, 5), (5, 10), (7, 10), (0.3, 5)])
def test_the_queues_are_sampled_after_the_warm_up(warm_up: float, first: float) -> None:
    times = np.arange(5.0, 30.0, 5.0)[:, None]  # sample k is taken k + 1 periods after the begin
    assert QueueSamples(times, 5.0).after(warm_up)[0, 0] == first
