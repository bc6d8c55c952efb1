"""GeoJSON in degrees, and the event log of a run."""

from __future__ import annotations

import csv
import itertools
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.formats.degrees import to_degrees, utm_to_degrees
from denxanh.experiments.formats.event_log import device_numbers, signal_events
from denxanh.experiments.formats.geojson_layers import geojson_layers
from denxanh.experiments.formats.plan_source import PlanSource
from denxanh.experiments.formats.signal_groups import signal_groups
from denxanh.sim.errors import InputError

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("east", "north", "zone", "south", "lon", "lat"),
    [
        # central meridians on the equator, and a well-known point
        (500000.0, 0.0, 48, False, 105.0, 0.0),
        (500000.0, 10000000.0, 23, True, -45.0, 0.0),
        (448251.795, 5411932.678, 31, False, 2.2945, 48.8582),  # Tour Eiffel, Paris
    ],
)
def test_utm_to_degrees(east: float, north: float, zone: int, south: bool, lon: float, lat: float) -> None:
    assert utm_to_degrees(east, north, zone, south=south) == pytest.approx((lon, lat), abs=2e-5)


def test_a_net_offset_is_taken_off(street: PlanSource) -> None:
    network = replace(
        street.network, to_wgs84="+proj=utm +zone=48 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"
    )
    lon, lat = to_degrees(street.scenario, network)((500000.0, 2325000.0))
    assert (lon, lat) == pytest.approx((105.0, 21.02), abs=0.02)
    with pytest.raises(InputError, match="no projection to degrees"):
        to_degrees(street.scenario, replace(network, to_wgs84="+proj=tmerc"))


def test_layers_are_geojson(street: PlanSource) -> None:
    plan = street.plans[0]
    layers = geojson_layers(street.network, plan, lambda p: (105.8 + p[0] * 1e-5, 21.0 + p[1] * 1e-5))
    found = {name: json.loads(text) for name, text in layers.items()}
    assert {len(layer["features"]) for name, layer in found.items() if name == "junctions.geojson"} == {2}
    assert len(found["links.geojson"]["features"]) == len(street.network.edges)
    movements = found["movements.geojson"]["features"]
    assert len(movements) == sum(len(i.movements) for i in street.network.intersections.values())
    for layer in found.values():
        assert set(layer) == {"type", "features"}  # RFC 7946 has no crs
        for feature in layer["features"]:
            points = feature["geometry"]["coordinates"]
            for lon, lat in [points] if feature["geometry"]["type"] == "Point" else points:
                assert 105 < lon < 106.5
                assert 20 < lat < 22
    for feature in movements:
        timing = plan.timings[feature["properties"]["signal"]]
        assert 0 < feature["properties"]["green_s"] < timing.cycle


def test_events_are_those_of_the_lamps(street: PlanSource) -> None:
    network = street.network
    name, intersection = next(iter(network.intersections.items()))
    time, rows = 100.0, []
    for _ in range(3):
        for state, seconds in intersection.program.steps():
            rows.append((time, state))
            time += seconds
    table = {"time_s": [t for t, _ in rows], "signal": [name] * len(rows), "state": [s for _, s in rows]}
    events = signal_events(network, table)
    device = device_numbers(network)[name]
    for phase, group in enumerate(signal_groups(network, name, [intersection.program]), 1):
        mine = [(t, event) for t, d, event, p in events if (d, p) == (device, phase)]
        greens = group.greens(intersection.program)
        ends = sorted(100.0 + end + k * intersection.program.cycle for k in range(3) for _, end in greens)
        seen = [t for t, event in mine if event == 7]
        assert seen == [t for t in ends if t < time - 1e-9][: len(seen)]
        assert len(seen) >= 2
        for end in seen:
            clear = intersection.yellow
            assert (end, 8) in mine
            assert (end + clear, 9) in mine or end + clear >= time
            assert (end + clear, 10) in mine or end + clear >= time
        assert [event for _, event in mine if event == 1]


def test_the_command_writes_a_log_of_each_run(tiny_place: Any, cli: Call, tmp_path: Path) -> None:
    done = cli("compare", tiny_place.config, "-c", "program", "--seeds", "1", "--out", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    written = cli("export", tmp_path / "runs", "--atspm", "--out", tmp_path / "log")
    assert written.returncode == 0, written.stderr
    (file,) = (tmp_path / "log").glob("events-*.csv")
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    assert list(rows[0]) == ["TimeStamp", "DeviceId", "EventId", "Parameter"]
    assert {row["EventId"] for row in rows} >= {"1", "7", "8", "9", "10"}
    devices = list(csv.DictReader((tmp_path / "log" / "devices.csv").open(encoding="utf-8")))
    assert {row["DeviceId"] for row in rows} == {row["DeviceId"] for row in devices}


def test_detections_are_the_arrivals_and_the_standing_vehicles(
    tiny_place: Any, cli: Call, tmp_path: Path
) -> None:
    done = cli("compare", tiny_place.config, "-c", "program", "--seeds", "1", "--out", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    written = cli("export", tmp_path / "runs", "--atspm", "--detections", "--out", tmp_path / "log")
    assert written.returncode == 0, written.stderr
    (file,) = (tmp_path / "log").glob("events-*.csv")
    rows = list(csv.DictReader(file.open(encoding="utf-8")))
    detectors = list(csv.DictReader((tmp_path / "log" / "detectors.csv").open(encoding="utf-8")))
    assert {one["Function"] for one in detectors} == {"Advance", "Presence"}
    known = {(one["DeviceId"], one["Parameter"]): one for one in detectors}
    seen = [row for row in rows if row["EventId"] in ("81", "82")]
    assert {(row["DeviceId"], row["Parameter"]) for row in seen} <= known.keys()
    for row, later in itertools.pairwise(rows):
        assert row["TimeStamp"] <= later["TimeStamp"]
    on = [row for row in seen if row["EventId"] == "82"]
    advance = [row for row in on if known[row["DeviceId"], row["Parameter"]]["Function"] == "Advance"]
    assert len(advance) > 10
    assert len(on) > len(advance)


def test_detections_alone_are_refused(tiny_place: Any, cli: Call, tmp_path: Path) -> None:
    done = cli("export", tmp_path, "--csv", "--detections")
    assert done.returncode == 2
    assert "--detections belongs to the event log" in done.stderr
