"""``denxanh plan``: the existing plan as a file, which runs as the program does."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from denxanh.experiments.formats.existing_plan import existing_plan
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.network_reader import network_of
from denxanh.sim.plan import Plan

Call = Callable[..., subprocess.CompletedProcess[str]]


def test_the_existing_plan_runs_as_the_program(tiny_place: Any, cli: Call, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    done = cli("plan", tiny_place.config, "--out", file)
    assert done.returncode == 0, done.stderr
    assert f"fixed-time:plan={file}" in done.stdout
    hashes = []
    for number, controller in enumerate(("program", f"fixed-time:plan={file}")):
        out = tmp_path / str(number)
        ran = cli("run", tiny_place.config, "-c", controller, "--out", out)
        assert ran.returncode == 0, ran.stderr
        hashes.append(json.loads((out / "manifest.json").read_text("utf-8"))["tripinfo_sha256"])
    assert hashes[0] == hashes[1]


def test_a_file_that_exists_is_not_overwritten(tiny_place: Any, cli: Call, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text("mine", encoding="utf-8")
    done = cli("plan", tiny_place.config, "--out", file)
    assert done.returncode == 2
    assert "it exists already; name another file with --out" in done.stderr
    assert file.read_text("utf-8") == "mine"


def test_the_file_form_loses_nothing(tiny_place: Any) -> None:
    network = network_of(open_scenario(str(tiny_place.config)))
    plan = existing_plan(network)
    again = Plan.from_json(json.loads(json.dumps(plan.to_json())), location="plan.json")
    assert again == plan
    assert {name: i.program for name, i in network.intersections.items()} == again.timings
    assert network.by_operation() == {}
