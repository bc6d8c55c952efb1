"""A request to end a command, or a program that calls denxanh, also ends the programs of SUMO that it waits for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from denxanh.sim.sumo.wheel import terminable

pytestmark = pytest.mark.skipif(os.name != "posix", reason="elsewhere a process is ended without a request")

PATIENCE = 120.0  # s to import, and to compile the queue model
STUB = '#!/bin/sh\ntouch "{folder}/$$"\nexec sleep 600\n'  # a run of SUMO that takes long

BEGIN = """
import signal, sys
from pathlib import Path
for number in (signal.SIGTERM, signal.SIGHUP):  # under nohup one of them is ignored
    signal.signal(number, signal.SIG_DFL)
from denxanh.sim.sumo import wheel
net, routes, config, stub = map(Path, sys.argv[1:])
wheel.sumo_binary = lambda name="sumo": stub
"""
COMMAND = """
from denxanh.experiments.cli.app import main
sys.argv = ["denxanh", *{words}, str(config), "--out", "out", "--jobs", "2", *{more}]
main()
"""
WAYS = {
    "denxanh optimize": COMMAND.format(words=["optimize"], more=["--no-trust"]),
    "conventional plan": COMMAND.format(words=["compare"], more=["-c", "conventional", "--seeds", "1"]),
    "bare program": 'wheel.run_program("sumo", [], folder=Path("."))',
    "evaluator": """
from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario
scenario = Scenario("tiny", net, (routes,), end=60.0)
SumoEvaluator(load_network(net), (scenario,), workers=2)([Plan({})] * 3, [Case(0, 1)])
""",
    "trial load": """
from denxanh.sim.run import trial_load
from denxanh.sim.scenario import Scenario
trial_load.sumo_binary = wheel.sumo_binary
trial_load.check_loads(Scenario("tiny", net, (routes,), end=60.0))
""",
    "saturation flow": """
from denxanh.networks.calibration import saturation_flow
from denxanh.networks.place import vehicles
saturation_flow.write_network = lambda folder: None
saturation_flow._saturated_flow = lambda *given: 1800.0
saturation_flow.measure(vehicles.types(), {"car": 1.0}, seeds=range(1, 6), jobs=2)
""",
}


def started(folder: Path) -> list[int]:
    """The programs that were started: each leaves a file with its number."""
    return [int(path.name) for path in folder.iterdir()]


def lives(pid: int) -> bool:
    """Whether a process is there; a zombie that its parent never waits for would be, too."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("way", WAYS)
def test_a_terminated_process_leaves_no_program_of_sumo(tiny_place: Any, tmp_path: Path, way: str) -> None:
    number = signal.SIGHUP if way == "evaluator" else signal.SIGTERM
    running, temporary = tmp_path / "running", tmp_path / "temporary"
    running.mkdir()
    temporary.mkdir()
    stub = tmp_path / "stub"
    stub.write_text(STUB.format(folder=running), encoding="utf-8")
    stub.chmod(0o755)
    given = [str(path) for path in (tiny_place.net, tiny_place.routes, tiny_place.config, stub)]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", BEGIN + WAYS[way], *given],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(temporary), "DENXANH_CACHE": str(tmp_path / "cache")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + PATIENCE
        while not started(running) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert started(running)
        process.send_signal(number)
        status = process.wait(PATIENCE)
        left = [pid for pid in started(running) if lives(pid)]
        assert left == []
        assert status == 128 + number
        assert list(temporary.iterdir()) == []
    finally:
        process.kill()
        process.wait()
        for pid in filter(lives, started(running)):
            os.kill(pid, signal.SIGKILL)


def test_a_handler_of_the_caller_and_an_ignored_request_stay() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    asked: list[int] = []
    try:
        signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with terminable():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGHUP)
        assert asked == [signal.SIGTERM]
    finally:
        for number, handler in zip((signal.SIGTERM, signal.SIGHUP), before, strict=True):
            signal.signal(number, handler)


def ask_twice() -> None:
    """Ask this process to end, and once more while the block ends."""
    with terminable(), terminable():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGTERM)


def test_a_further_request_does_not_cut_the_end_of_a_block_short() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as caught:
            ask_twice()
        assert caught.value.__context__ is None
        assert caught.value.code == 128 + signal.SIGTERM
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
