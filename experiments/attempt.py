"""One attempt of a run, seen through: its process started, kept within its limits, its end judged."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from experiments.launcher import LOST, Launcher
from experiments.task import Task
from experiments.worker import FULL, OK, REFUSED, job
from sim.errors import RunError
from sim.run import MANIFEST

TAIL = 12  # lines of a run's log that go into its reason
POLL = 0.1  # s between looks at a run's limits
WEIGH = 1.0  # s between looks at the size of its folder, which costs a directory listing


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    wall: float = 3600.0  # s
    memory_mb: int | None = None
    disk_mb: int | None = None


STANDARD_LIMITS = Limits()

Ending = Literal["done", "failed", "timeout", "refused", "stopped", "full", "lost"]
"""``stopped``: by us; ``full``: the disk; ``lost``: the machine it ran on. These three were no attempts."""


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with a manifest and the hash of its tables, or with a reason."""

    state: Ending
    manifest: Mapping[str, Any] | None = None
    reason: str = ""
    content: str = ""


def run_folder(out: Path, id: str) -> Path:
    """Where a run's result stands."""
    return out / "runs" / id[:2] / id[:16]


def attempt(
    starter: Launcher,
    folder: Path,
    target: Path,
    task: Task,
    *,
    limits: Limits,
    keep_sumo_output: bool,
    stop: threading.Event,
) -> Outcome:
    """Run ``task`` in a process of its own, job in ``folder``, result in ``target``; never raises for the run."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.json").unlink(missing_ok=True)
        content = job(
            scenario=task.scaled(),
            controller=task.controller,
            parameters=task.parameters,
            seed=task.seed,
            backend=task.backend,
            warm_up=task.warm_up,
            sensing=task.sensing,
            events=task.events,
            safety=task.safety,
            keep_sumo_output=keep_sumo_output,
            target=target.resolve(),
            memory_mb=limits.memory_mb,
            disk_mb=limits.disk_mb,
        )
        (folder / "job.json").write_text(json.dumps(content), encoding="utf-8")
        return _watch(starter, folder, target, limits, stop)
    except OSError as error:
        state: Ending = "full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "failed"
        return Outcome(state, reason=f"the run could not be started: {error.strerror} ({error.filename})")


def _watch(starter: Launcher, folder: Path, target: Path, limits: Limits, stop: threading.Event) -> Outcome:
    try:
        process = starter.start(folder.resolve())
    except RunError as error:
        return Outcome("stopped" if stop.is_set() else "lost", reason=str(error))
    deadline = time.monotonic() + limits.wall
    weighed = time.monotonic()
    while (status := process.wait(POLL)) is None:
        now = time.monotonic()
        ending = None
        if stop.is_set():
            ending = Outcome("stopped")
        elif now > deadline:
            ending = Outcome("timeout", reason=f"it ran longer than {limits.wall:g} s and was ended")
        elif limits.disk_mb is not None and now > weighed + WEIGH:
            weighed = now
            if _size(target) > limits.disk_mb << 20:
                ending = Outcome("failed", reason=f"it wrote more than {limits.disk_mb} MB and was ended")
        if ending is not None:
            process.kill()
            sweep_run(target)
            return ending
    return _judge(status, folder, target)


def _judge(status: int, folder: Path, target: Path) -> Outcome:
    """What an exit status means, together with what the run left."""
    manifest = read_manifest(target)
    if status == OK and manifest is not None:
        shutil.rmtree(folder, ignore_errors=True)
        return Outcome("done", manifest, content=tables_hash(target))
    sweep_run(target)
    if status == LOST:
        return Outcome("lost", reason="the process that starts runs died")
    tail = _tail(target.parent / f"{target.name}.log")
    after = f"\n{tail}" if tail else ""
    told = read_json(folder / "error.json")
    if status == FULL:
        return Outcome("full", reason=told["message"] if told else "the disk is full")
    if told is not None:
        shown = "" if told["kind"] in ("input", "ControlError") else after
        return Outcome("refused" if status == REFUSED else "failed", reason=told["message"] + shown)
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        return Outcome("failed", reason=f"the run's process was killed by {name}{after}")
    return Outcome("failed", reason=f"the run's process ended with status {status} and no result{after}")


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a complete run folder, or None. It is written last, so it vouches for the rest."""
    return read_json(folder / MANIFEST)


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file, or None where there is none, or half of one."""
    try:
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return data


def standing(out: Path, id: str) -> Outcome | None:
    """The outcome of a run whose complete folder stands below ``out``, or None."""
    folder = run_folder(out, id)
    manifest = read_manifest(folder)
    return None if manifest is None else Outcome("done", manifest, content=tables_hash(folder))


def tables_hash(folder: Path) -> str:
    """SHA-256 over a run's tables, name and content in order of name: equal runs have equal tables."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.parquet")):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def sweep_run(target: Path) -> None:
    """Remove the temporary folders that a killed run left."""
    for left in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _size(target: Path) -> int:
    """Bytes that a run has written so far."""
    total = 0
    for folder in target.parent.glob(f".{target.name}-*"):
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
    return "\n".join(lines[-TAIL:])
