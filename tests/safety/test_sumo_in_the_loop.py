"""SUMO itself says what it showed: legal at every change, whatever the policies did, and alive at the end."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from safety_oracle import violations

from denxanh.sim.network_reader import load_network

PLACES = ("arterial4x4", "cologne1", "cologne3", "grid4x4", "ingolstadt1")
DEMANDED = 100_000  # controller-seconds per network


def run_and_check(net, config, folder, seed, backend, legal):
    """One run in its own process; gives its manifest."""
    folder.mkdir()
    script = Path(__file__).with_name("safety_sumo.py")
    done = subprocess.run(
        [sys.executable, *map(str, (script, config, folder, seed, backend, legal))],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    manifest = json.loads(
        (folder / "manifest.json").read_text("utf-8")
    )  # written only if SUMO came to its end
    rows = pq.read_table(folder / "signals.parquet").to_pylist()
    for intersection in load_network(net).intersections.values():
        shown = [(row["time_s"], row["state"]) for row in rows if row["signal"] == intersection.id]
        assert len(shown) > 10
        assert violations(intersection, shown) == [], intersection.id
    return manifest


@pytest.mark.parametrize(("backend", "seed"), [("libsumo", 1), ("traci", 2)])
def test_policies_that_fail(tiny_place, tmp_path, backend, seed):
    manifest = run_and_check(tiny_place.net, tiny_place.config, tmp_path / "run", seed, backend, 0.7)
    events = manifest["events"]
    assert {event["intersection"] for event in events} == {"A0", "B0"}
    assert manifest["metrics"]["fallbacks"] == 2
    assert all(0 <= event["time_s"] < 300 and event["detail"] for event in events)


def test_policies_that_answer_anything_legal(tiny_place, tmp_path):
    manifest = run_and_check(tiny_place.net, tiny_place.config, tmp_path / "run", 3, "libsumo", 1.0)
    assert manifest["events"] == []
    assert manifest["metrics"]["fallbacks"] == 0
    assert {waiver["intersection"] for waiver in manifest["waivers"]} <= {"A0", "B0"}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
def test_a_hundred_thousand_seconds_of_each_network(resco, tmp_path, name):
    config = resco(name)
    net = config.with_name(f"{name}.net.xml")
    signals, done, seed = len(load_network(net).intersections), 0.0, 0
    while done < DEMANDED:
        seed += 1
        legal = 1.0 if seed % 2 else 0.98
        manifest = run_and_check(net, config, tmp_path / str(seed), seed, "libsumo", legal)
        assert len(manifest["events"]) <= (0 if legal == 1.0 else signals)
        done += signals * (manifest["scenario"]["end"] - manifest["scenario"]["begin"])
