"""Controllers and engines that hang, crash or hoard: each run ends labelled, its neighbours untouched."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from denxanh.experiments.runs.ledger import Ledger

FAULTS = {
    "raise": ("done", ""),  # the supervisor shows the fixed plan to the end, and counts it
    "allocate": ("done", ""),
    "sleep": ("done", ""),
    "spin": ("done", ""),
    "exit": ("failed", "ended with status 0 and no result"),
    "segfault": ("failed", "killed by SIGSEGV"),
    "stop": ("timeout", "longer than 12 s"),
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
        if row.state == "timeout" and state == "done":  # the wall limit came before the supervisor's budget
            assert "fault=s" in label, label
            continue
        assert (row.state, reason in row.reason) == (state, True), f"{label}: {row.state}: {row.reason}"
        assert row.attempts == (2 if state == "failed" else 1)
        if state == "done":
            assert (row.metrics["fallbacks"] or 0) > 0, f"{label}: nothing tells that the controller failed"


def test_a_sumo_that_hangs_is_ended_with_its_run(campaign: Callable[..., Any], tiny_place: Any) -> None:
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
    began = time.monotonic()
    started.kill(frozen, signal.SIGSTOP)
    while frozen in started.others():
        time.sleep(0.02)
        assert time.monotonic() - began <= LIMIT + 2.0
    assert started.process.wait(60) == 1
    assert started.left(2.0) == []
    assert [state for state, _, _ in one.results().values()] == ["timeout"]


def _name(pid: int) -> str:
    from pathlib import Path

    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
