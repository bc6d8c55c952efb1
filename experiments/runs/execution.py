"""Execution of one run in its own process: start, limits, and the outcome from its exit status and files."""

from __future__ import annotations

import errno
import json
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from denxanh.experiments.runs.launcher import LOST, Launcher
from denxanh.experiments.runs.proof import Record, run_fault, tables_hash
from denxanh.experiments.runs.run_row import run_folder
from denxanh.experiments.runs.worker import FULL, LATE, OK, REFUSED, job
from denxanh.experiments.specification.run_options import Limits
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.sim.errors import RunError
from denxanh.sim.run import store
from denxanh.sim.run.store import read_json, read_manifest
from denxanh.sim.time_limit import Countdown

LOG_TAIL = 12  # lines of a run's log in its reason
POLL = 0.1  # s between checks of a run's limits
SIZE_INTERVAL = 1.0  # s between measurements of its folder's size, each a directory listing


OutcomeState = Literal["done", "failed", "timeout", "refused", "stopped", "full", "lost"]
"""``stopped``: by us; ``full``: the disk; ``lost``: the machine it ran on. These three do not count as attempts."""


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run: a manifest and the hash of its tables, or a reason."""

    state: OutcomeState
    manifest: Mapping[str, Any] | None = None
    reason: str = ""
    content: str = ""
    label: str = ""  # of the controller, with its parameters and sensing, as tables name it
    attempts: int = 1

    @property
    def limits_met(self) -> str:
        """The limits of time that a complete run met in both attempts, as one text; its numbers depend on them."""
        return "; ".join(self.manifest.get("limits_met", ())) if self.manifest is not None else ""


def execute_run(
    starter: Launcher,
    folder: Path,
    target: Path,
    run: RunSpecification,
    *,
    stop: threading.Event,
    id: str = "",
) -> Outcome:
    """Execute ``run`` in a process of its own, job in ``folder``, result in ``target``; never raises for the run.

    ``id`` is its identity, which the manifest records. A run that meets a limit of time is repeated once: what meets
    one on a busy machine need not meet it again.
    """
    first = _attempt(starter, folder, target, run, stop, id)
    if first.state != "timeout" or stop.is_set():
        return first
    second = _attempt(starter, folder, target, run, stop, id, repeated_after=first.reason)
    if second.state == "timeout":
        return replace(second, reason=f"twice: {second.reason}", attempts=2)
    return replace(second, attempts=2)


def _attempt(
    starter: Launcher,
    folder: Path,
    target: Path,
    run: RunSpecification,
    stop: threading.Event,
    id: str,
    repeated_after: str = "",
) -> Outcome:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.json").unlink(missing_ok=True)
        content = job(run, target.resolve(), id, repeated_after)
        (folder / "job.json").write_text(json.dumps(content), encoding="utf-8")
        return _watch(starter, folder, target, run.options.limits, stop)
    except OSError as error:
        state: OutcomeState = "full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "failed"
        return Outcome(state, reason=f"the run could not be started: {error.strerror} ({error.filename})")


def _watch(starter: Launcher, folder: Path, target: Path, limits: Limits, stop: threading.Event) -> Outcome:
    try:
        process = starter.start(folder.resolve())
    except RunError as error:
        return Outcome("stopped" if stop.is_set() else "lost", reason=str(error))
    countdown = Countdown(limits.wall)
    measured = time.monotonic()
    while (status := process.wait(POLL)) is None:
        now = time.monotonic()
        outcome = None
        if stop.is_set():
            outcome = Outcome("stopped")
        elif countdown.expired():
            outcome = Outcome("timeout", reason=f"it ran longer than {limits.wall:g} s and was ended")
        elif limits.disk_mb is not None and now > measured + SIZE_INTERVAL:
            measured = now
            if _size(target) > limits.disk_mb << 20:
                outcome = Outcome("failed", reason=f"it wrote more than {limits.disk_mb} MB and was ended")
        if outcome is not None:
            process.kill()
            clean_up(target)
            return outcome
    return _outcome(status, folder, target)


def _outcome(status: int, folder: Path, target: Path) -> Outcome:
    """The outcome from an exit status and the files of the run."""
    manifest = read_manifest(target)
    if status == OK and manifest is not None:
        shutil.rmtree(folder, ignore_errors=True)
        return Outcome("done", manifest, content=tables_hash(target))
    clean_up(target)
    if status == LOST:
        return Outcome("lost", reason="the process that starts runs died")
    tail = _tail(target.parent / f"{target.name}.log")
    after = f"\n{tail}" if tail else ""
    reported = read_json(folder / "error.json")
    if status == FULL:
        return Outcome("full", reason=reported["message"] if reported else "the disk is full")
    if status == LATE and reported is not None:
        return Outcome("timeout", reason=reported["message"])
    if reported is not None:
        log = "" if reported["kind"] in ("input", "ControlError") else after
        return Outcome("refused" if status == REFUSED else "failed", reason=reported["message"] + log)
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        why = " (the system does so when memory is short)" if name == "SIGKILL" else ""
        return Outcome("failed", reason=f"the run's process was killed by {name}{why}{after}")
    return Outcome("failed", reason=f"the run's process ended with status {status} and no result{after}")


def completed_outcome(out: Path, id: str) -> Outcome | None:
    """The outcome of a run whose complete and intact folder is below ``out``, or None."""
    folder = run_folder(out, id)
    if run_fault(folder, Record(id)) is not None:
        return None
    manifest = read_manifest(folder)
    return None if manifest is None else Outcome("done", manifest, content=tables_hash(folder))


def clean_up(target: Path) -> None:
    """Remove the temporary folders that a killed run left."""
    for left in store.drafts(target):
        shutil.rmtree(left, ignore_errors=True)


def _size(target: Path) -> int:
    """Bytes that a run has written so far."""
    total = 0
    for folder in store.drafts(target):
        for path in folder.glob("*"):
            try:
                total += path.stat().st_size
            except OSError:  # just renamed or removed
                continue
    return total


def _tail(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    log.unlink(missing_ok=True)
    return "\n".join(lines[-LOG_TAIL:])
