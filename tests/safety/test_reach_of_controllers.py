"""What a controller may reach: nothing that it does to what it gets lets an unsafe state pass or stays unnoticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from safety_oracle import violations
from safety_reach import CASES

from denxanh.sim.network_reader import load_network

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each case runs in a fork")

COMPLETE = {
    "honest": 0,
    "honest by traci": 0,
    "replaces all at the start": 2,
    "replaces all by gc at the start": 2,
    "replaces all while it runs": 2,
    "has no minimum green": 2,
    "writes into what it sees": 2,
    "listens to steps": 0,
}
"""Fallbacks by case: these runs end well, with safe states only."""

FAILS = {
    "clears foes": "read-only",
    "makes foes writable": "cannot set WRITEABLE",
    "clears foes in its plan": "read-only",
    "removes intersections": "mappingproxy",
    "replaces a lane": "mappingproxy",
    "replaces all in its plan": "InputError: tiny: the plan for signal 'A0' is not safe",
    "replaces all by gc in its plan": "InputError: tiny: the plan for signal 'A0' is not safe",
    "replaces all by gc while it runs": "SafetyError: A0 at t=",
    "advances SUMO": "gave SUMO the command simulation.step itself",
    "advances SUMO as a domain": "gave SUMO the command simulation.step itself",
    "sets a signal": "gave SUMO the command trafficlight.setRedYellowGreenState itself",
    "sets a program": "gave SUMO the command trafficlight.setProgram itself",
    "stops a vehicle": "gave SUMO the command vehicle.setSpeed itself",
    "removes a vehicle": "gave SUMO the command vehicle.remove itself",
    "closes SUMO": "gave SUMO the command simulation.close itself",
    "keeps the step": "SUMO's clock is at",
    "keeps the signal": "the world shows 'rrrrrrrrGGGGGGGG', it was told to show",
    "advances the world": "something beside the run has advanced it",
    "shows by the world": "the world shows 'rrrrrrrrGGGGGGGG', it was told to show",
    "advances by traci": "gave SUMO the command simulationStep itself",
    "sets a signal by traci": "gave SUMO the command TraCI command 0xc2 itself",
    "removes a vehicle by traci": "gave SUMO the command TraCI command 0xc4 itself",
}


@pytest.fixture(scope="module")
def outcomes(tiny_place: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Path]]:
    """What became of each case, and its folder."""
    folder = tmp_path_factory.mktemp("reach")
    script = Path(__file__).with_name("safety_reach.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tiny_place.config), str(folder)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [(path, *json.loads(path.read_text("utf-8"))) for path in folder.glob("*.json")]
    return {case: (text, folder / path.stem) for path, case, text in rows}


def test_each_case_is_judged() -> None:
    assert set(COMPLETE) | set(FAILS) == set(CASES)


@pytest.mark.parametrize("case", COMPLETE)
def test_a_run_that_goes_on_shows_safe_states_only(
    case: str, outcomes: dict[str, tuple[str, Path]], tiny_place: Any
) -> None:
    text, folder = outcomes[case]
    assert text == ""
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["metrics"]["fallbacks"] == COMPLETE[case]
    rows = pq.read_table(folder / "signals.parquet").to_pylist()
    for intersection in load_network(tiny_place.net).intersections.values():
        shown = [(row["time_s"], row["state"]) for row in rows if row["signal"] == intersection.id]
        assert len(shown) > 5
        assert violations(intersection, shown) == []


def test_tricks_that_change_nothing_give_the_honest_result(outcomes: dict[str, tuple[str, Path]]) -> None:
    """A listener to SUMO's steps is never called; both backends give the same bytes."""
    honest, by_traci, listens = (
        json.loads((outcomes[case][1] / "manifest.json").read_text("utf-8"))["tripinfo_sha256"]
        for case in ("honest", "honest by traci", "listens to steps")
    )
    assert honest == by_traci == listens


@pytest.mark.parametrize("case", FAILS)
def test_a_run_that_was_meddled_with_ends_with_the_reason(
    case: str, outcomes: dict[str, tuple[str, Path]]
) -> None:
    text, folder = outcomes[case]
    assert FAILS[case] in text
    assert not (folder / "manifest.json").exists()
