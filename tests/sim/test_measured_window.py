"""The measured window of a run: every metric and table is of the same time, between warm-up and flush."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import with_window
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.run import automatic_window as automatic_window_module
from denxanh.sim.run.automatic_window import automatic_window
from denxanh.sim.run.collection import QueueSamples
from denxanh.sim.run.run_description import Run
from denxanh.sim.run.store import read_table
from denxanh.sim.scenario import Scenario

WARM_UP = 120.0


@pytest.fixture(scope="module")
def windowed(
    tiny_place: Any, cli: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Runs with a warm-up in both backends, one with a flush too, one without, and one as it comes."""
    folder = tmp_path_factory.mktemp("windowed")
    for name, more in (
        ("libsumo", ["--warm-up", "120", "--keep-sumo-output"]),
        ("traci", ["--warm-up", "120", "--backend", "traci"]),
        ("flushed", ["--warm-up", "60", "--flush", "60", "--keep-sumo-output"]),
        ("whole", ["--warm-up", "0"]),
        ("auto", []),
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


def test_with_a_flush_tables_and_throughput_end_before_the_run(windowed: dict[str, Path]) -> None:
    vehicles = read_table(windowed["flushed"] / "vehicles.parquet")
    arrived = np.sum((vehicles["arrival_s"] >= 60) & (vehicles["arrival_s"] < 240))
    found = metrics(windowed["flushed"])
    assert found["throughput_vph"] == pytest.approx(arrived / 180 * 3600)
    interval = ElementTree.parse(windowed["flushed"] / "edges.xml").getroot()[0]
    assert (float(interval.attrib["begin"]), float(interval.attrib["end"])) == (60.0, 240.0)
    table = read_table(windowed["flushed"] / "intervals.parquet")
    within = (table["begin_s"] >= 60) & (table["end_s"] <= 240)
    assert found["queue_mean_veh"] == pytest.approx(np.mean(table["queue_mean_veh"][within]))
    assert found["queue_max_veh"] == np.max(table["queue_max_veh"][within])
    movements = read_table(windowed["flushed"] / "movements.parquet")
    whole = read_table(windowed["whole"] / "movements.parquet")
    arrivals = [np.nansum(t["arrivals"][t["level"] == "intersection"]) for t in (movements, whole)]
    assert 0.5 < arrivals[0] / arrivals[1] < 0.7  # 180 of 300 s


def test_the_delay_of_the_whole_run_stands_beside_that_of_the_window(windowed: dict[str, Path]) -> None:
    whole = metrics(windowed["whole"])
    assert whole["delay_s"] == whole["delay_whole_run_s"]
    for name in ("libsumo", "flushed", "auto"):
        assert (
            metrics(windowed[name])["delay_whole_run_s"]
            == whole["delay_s"]
            != metrics(windowed[name])["delay_s"]
        )


def test_the_table_of_vehicle_types_is_of_the_same_vehicles(windowed: dict[str, Path]) -> None:
    for name in ("flushed", "whole"):
        table = read_table(windowed[name] / "vehicle_types.parquet")
        found = metrics(windowed[name])
        (row,) = np.flatnonzero(table["level"] == "all")
        for column, metric in (
            ("vehicles", "loaded"),
            ("arrived", "arrived"),
            ("delay_s", "delay_s"),
            ("stops", "stops"),
        ):
            assert table[column][row] == pytest.approx(found[metric]), (name, column)


def test_warm_up_and_flush_are_by_default_as_long_as_the_longest_route_takes(
    windowed: dict[str, Path], tiny_place: Any
) -> None:
    manifest = json.loads((windowed["auto"] / "manifest.json").read_text("utf-8"))
    scenario = open_scenario(str(tiny_place.config))
    found = automatic_window(scenario)
    assert manifest["warm_up_s"] == manifest["flush_s"] == found.seconds == 60.0  # in whole minutes
    trips = read_table(windowed["auto"] / "vehicles.parquet")
    free = trips["duration_s"] - trips["time_loss_s"]
    assert 0.8 * max(free[trips["fate"] == "arrived"]) < found.longest < 60.0
    short = automatic_window(replace(scenario, end=scenario.begin + 100.0))
    assert (short.seconds, short.shortened, found.shortened) == (25.0, True, False)


@pytest.mark.parametrize(
    ("demand", "reason"),
    [
        (
            '<vehicle id="a" depart="0"><route edges="left0A0 A0B0 B0right0"/></vehicle>',
            "no vehicle departs between them",
        ),
        ('<flow id="f" begin="0" end="100" number="9" from="left0A0" to="B0right0"/>', "not known before"),
    ],
)
def test_a_scenario_without_such_a_window_is_measured_whole_and_says_so(
    demand: str, reason: str, tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader of the queue model does not know every demand that SUMO simulates; a run does not end for it."""
    routes = tmp_path / "a.rou.xml"
    routes.write_text(f"<routes>{demand}</routes>", encoding="utf-8")
    scenario = replace(open_scenario(str(tiny_place.config)), routes=(routes,))
    if reason.startswith("not"):
        monkeypatch.setattr(automatic_window_module, "scenario_demand", refuse)
    windowed, options = with_window(scenario, RunOptions())
    assert (options.warm_up, options.flush) == (0.0, 0.0)
    assert reason in windowed.notes[-1]


def refuse(*_: Any, **__: Any) -> Any:
    raise InputError("SUMO alone knows")


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
def test_the_queues_are_sampled_after_the_warm_up_and_before_the_flush(warm_up: float, first: float) -> None:
    times = np.arange(5.0, 30.0, 5.0)[:, None]  # sample k is taken k + 1 periods after the begin
    found = QueueSamples(times, 5.0).within(warm_up, 21.0)
    assert (found[0, 0], found[-1, 0]) == (first, 20.0)
