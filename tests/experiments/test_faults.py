"""Controllers and engines that hang, crash or hoard: each run ends labelled, its neighbours untouched."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.experiments.runs.execution import read_manifest
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import run_folder

FAULTS = {
    "raise": ("done", ""),  # the supervisor shows the fixed plan to the end, and counts it
    "allocate": ("done", ""),
    "sleep": ("timeout", "twice: it ran longer than 12 s"),  # before the supervisor ends it after 60 s
    "spin": ("limited", "it took more than 5 s of CPU time"),
    "exit": ("failed", "ended with status 0 and no result"),
    "segfault": ("failed", "killed by SIGSEGV"),
    "stop": ("timeout", "twice: it ran longer than 12 s"),
}
MOMENTS = [(3,), pytest.param(tuple(range(1, 30)), marks=pytest.mark.slow)]
LIMIT = 12.0


@pytest.mark.parametrize("moments", MOMENTS)
def test_a_faulty_controller_spoils_its_own_run_only(
    campaign: Callable[..., Any], tiny_place: Any, moments: tuple[int, ...]
) -> None:
    one = campaign()
    entries = ", ".join(
        f'{{name = "faulty", fault = "{fault}", at = {at}}}' for fault in FAULTS for at in moments
    )
    one.write(
        f'places = ["{tiny_place.config}"]\ncontrollers = ["program", {entries}, "max-pressure"]\nseeds = 1\n'
        f"limits = {{wall = {LIMIT}, memory_mb = 1500}}\n"
    )
    status, printed = one.finish(seconds=3000)
    assert status == 1, printed
    assert one.started[-1].left(2.0) == []
    with Ledger(one.out / "ledger.sqlite", read_only=True) as ledger:
        rows = {row.controller: row for row in ledger.rows()}
    assert rows.pop("program").state == "done"
    assert rows.pop("max-pressure").state == "done"
    assert len(rows) == len(FAULTS) * len(moments)
    for label, row in rows.items():
        state, reason = FAULTS[label.split("fault=")[1].split(",")[0]]
        if row.state == "timeout" and state == "limited":  # on a busy machine the run's limit comes first
            assert row.attempts == 2
            continue
        assert (row.state, reason in row.reason) == (state, True), f"{label}: {row.state}: {row.reason}"
        assert row.attempts == (1 if state == "done" else 2)
        if row.done:
            assert (row.metrics["fallbacks"] or 0) > 0, f"{label}: nothing tells that the controller failed"


def test_a_sumo_that_hangs_is_ended_and_its_run_is_repeated(
    campaign: Callable[..., Any], tiny_place: Any
) -> None:
    one = campaign()
    one.write(
        f'places = ["{tiny_place.config}"]\ncontrollers = ["max-pressure"]\nseeds = 1\nbackend = "traci"\n'
        f"end = 290\nlimits = {{wall = {LIMIT}}}\n"
    )
    started = one.start()
    frozen = None
    while frozen is None:
        assert started.process.poll() is None, started.log.read_text()
        frozen = next((pid for pid in started.others() if _name(pid) == "sumo"), None)
        time.sleep(0.01)
    started.kill(frozen, signal.SIGSTOP)
    while frozen in started.others():
        time.sleep(0.02)
        assert started.process.poll() is None, started.log.read_text()
    assert started.process.wait(120) == 0
    assert started.left(2.0) == []
    with Ledger(one.out / "ledger.sqlite", read_only=True) as ledger:
        (row,) = ledger.rows()
    assert (row.state, row.attempts) == ("done", 2)
    assert row.reason == f"repeated after a limit: it ran longer than {LIMIT:g} s and was ended"
    manifest = read_manifest(run_folder(one.out, row.id))
    assert manifest is not None
    assert manifest["limits_met"] == []
    assert "longer than" in manifest["repeated_after"]


def _name(pid: int) -> str:
    from pathlib import Path

    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
