"""Runs what is missing in a ledger: side by side, each run in its own process, believed only with proof.

May be killed at any moment and started again. A run is done when its folder stands complete in its place and
the ledger says so; a folder that was finished just before a kill is found again and not run twice.
"""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock, Timeout

from experiments.launcher import Launcher, launcher
from experiments.ledger import Ledger, State
from experiments.task import Task
from experiments.worker import OK, REFUSED, job
from sim.errors import InputError, RunError
from sim.run import MANIFEST
from sim.scenario import Scenario

TRIES = 2  # one retry: a fault that strikes twice is not chance (Nextflow's default)
TAIL = 12  # lines of a run's log that go into its reason


@dataclass(frozen=True)
class Limits:
    """What one run may use."""

    wall: float = 3600.0  # s
    memory_mb: int | None = None
    disk_mb: int | None = None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended: with a manifest, or with a state and its reason."""

    state: State
    manifest: Mapping[str, Any] | None = None
    reason: str = ""


def task_json(task: Task) -> str:
    """A task as text, enough to run it again."""
    return json.dumps(
        {
            "place": task.place,
            "scenario": task.scenario.to_json(),
            "controller": task.controller,
            "parameters": dict(task.parameters),
            "seed": task.seed,
            "demand": task.demand,
            "backend": task.backend,
            "warm_up": task.warm_up,
        },
        sort_keys=True,
    )


def task_from_json(text: str) -> Task:
    """The inverse of ``task_json``."""
    data = json.loads(text)
    data["scenario"] = Scenario.from_json(data["scenario"])
    return Task(**data)


def enter(ledger: Ledger, tasks: Iterable[Task]) -> list[str]:
    """Enter tasks into the ledger; returns their ids in order, each once."""
    rows: dict[str, tuple[str, int, str, float, str, int, str]] = {}
    for number, task in enumerate(tasks):
        id = task.identity()
        rows.setdefault(id, (id, number, task.place, task.demand, task.label, task.seed, task_json(task)))
    ledger.add(rows.values())
    return list(rows)


def run_folder(out: Path, id: str) -> Path:
    """Where a run's result stands."""
    return out / "runs" / id[:2] / id[:16]


def run_missing(
    out: Path,
    ledger: Ledger,
    *,
    jobs: int,
    limits: Limits = Limits(),
    keep_sumo_output: bool = False,
    progress: Callable[[str, Outcome], None] = lambda id, outcome: None,
    wanted: Callable[[str], bool] = lambda id: True,
) -> None:
    """Run every pending run of the ledger (of those ``wanted``), ``jobs`` at a time.

    KeyboardInterrupt (Ctrl-C, or SIGTERM) ends the runs that are going, within seconds, and is raised again;
    the ledger then says pending for them.
    """
    with _alone(out), _terminate_as_interrupt():
        ledger.reopen()
        _sweep(out)
        starter = launcher()
        stop = threading.Event()
        attempts: dict[str, int] = {}
        try:
            with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="run") as pool:
                going: dict[Future[Outcome], str] = {}
                try:
                    queue = _queue(ledger, wanted, attempts)
                    while True:
                        while len(going) < jobs and (item := next(queue, None)) is not None:
                            id, text = item
                            ledger.start(id)
                            attempts[id] = attempts.get(id, 0) + 1
                            task = task_from_json(text)
                            future = pool.submit(
                                _attempt, starter, out, id, task, limits, keep_sumo_output, stop
                            )
                            going[future] = id
                        if not going:
                            break
                        for future in wait(going, return_when=FIRST_COMPLETED).done:
                            id = going.pop(future)
                            _settle(ledger, id, future.result(), attempts[id], progress)
                finally:
                    stop.set()
                    for future, id in going.items():
                        outcome = future.result()
                        if outcome.state == "done":
                            _settle(ledger, id, outcome, attempts[id], progress)
                        else:
                            ledger.back(id)
        finally:
            starter.close()
            shutil.rmtree(out / "jobs", ignore_errors=True)


def _queue(
    ledger: Ledger, wanted: Callable[[str], bool], attempts: Mapping[str, int]
) -> Iterator[tuple[str, str]]:
    """Pending runs in order; those that go back to pending for a second try come at the end."""
    while True:
        found = [row for row in ledger.pending(1000) if wanted(row[0]) and attempts.get(row[0], 0) < TRIES]
        if not found:
            return
        yield from found


def _settle(
    ledger: Ledger, id: str, outcome: Outcome, attempts: int, progress: Callable[[str, Outcome], None]
) -> None:
    if outcome.manifest is not None:
        ledger.finish(id, outcome.manifest)
    elif outcome.state == "failed" and attempts < TRIES:
        ledger.fail(id, "pending", outcome.reason)
        return
    else:
        ledger.fail(id, outcome.state, outcome.reason)
    progress(id, outcome)


def _attempt(
    starter: Launcher,
    out: Path,
    id: str,
    task: Task,
    limits: Limits,
    keep_sumo_output: bool,
    stop: threading.Event,
) -> Outcome:
    target = run_folder(out, id)
    if (manifest := read_manifest(target)) is not None:  # finished just before a kill
        return Outcome("done", manifest)
    folder = out / "jobs" / id[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return _run_job(starter, folder, target, task, limits, keep_sumo_output, stop)


def _run_job(
    starter: Launcher,
    folder: Path,
    target: Path,
    task: Task,
    limits: Limits,
    keep_sumo_output: bool,
    stop: threading.Event,
) -> Outcome:
    """Start a run's process and see it through, within its limits."""
    (folder / "error.json").unlink(missing_ok=True)
    content = job(
        scenario=task.scaled(),
        controller=task.controller,
        parameters=task.parameters,
        seed=task.seed,
        backend=task.backend,
        warm_up=task.warm_up,
        keep_sumo_output=keep_sumo_output,
        target=target.resolve(),
        memory_mb=limits.memory_mb,
        disk_mb=limits.disk_mb,
    )
    (folder / "job.json").write_text(json.dumps(content), encoding="utf-8")
    process = starter.start(folder.resolve())
    deadline = time.monotonic() + limits.wall
    while (status := process.wait(0.1)) is None:
        if stop.is_set():
            process.kill()
            return Outcome("pending", reason="stopped")
        if time.monotonic() > deadline:
            process.kill()
            _sweep_run(target)
            return Outcome("timeout", reason=f"it ran longer than {limits.wall:g} s and was ended")
    return _judge(status, folder, target)


def _judge(status: int, folder: Path, target: Path) -> Outcome:
    """What an exit status means, together with what the run left."""
    manifest = read_manifest(target)
    if status == OK and manifest is not None:
        shutil.rmtree(folder, ignore_errors=True)
        return Outcome("done", manifest)
    _sweep_run(target)
    tail = _tail(target.parent / f"{target.name}.log")
    error = folder / "error.json"
    if error.exists():
        data = json.loads(error.read_text("utf-8"))
        shown = f"\n{tail}" if tail and data["kind"] not in ("input", "ControlError") else ""
        return Outcome("refused" if status == REFUSED else "failed", reason=data["message"] + shown)
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        return Outcome(
            "failed", reason=f"the run's process was killed by {name}" + (f"\n{tail}" if tail else "")
        )
    return Outcome(
        "failed",
        reason=f"the run's process ended with status {status} and no result" + (f"\n{tail}" if tail else ""),
    )


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a complete run folder, or None. It is written last, so it vouches for the rest."""
    try:
        data: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return data


def _tail(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    log.unlink(missing_ok=True)
    return "\n".join(lines[-TAIL:])


def _sweep_run(target: Path) -> None:
    """Remove the temporary folders that a killed run left."""
    for left in target.parent.glob(f".{target.name}-*"):
        shutil.rmtree(left, ignore_errors=True)


def _sweep(out: Path) -> None:
    """Remove what a killed runner left: temporary folders and old jobs."""
    for left in (out / "runs").glob("*/.*"):
        shutil.rmtree(left, ignore_errors=True)
    shutil.rmtree(out / "jobs", ignore_errors=True)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Only one runner may write into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / ".lock")
    try:
        lock.acquire(timeout=5.0)  # a killed runner's processes end within this
    except Timeout:
        raise InputError(
            "another denxanh is writing here", where=str(out), remedy="wait for it or give another --out"
        ) from None
    except OSError as error:
        raise InputError(
            f"nothing can be written here ({error.strerror})", where=str(out), remedy="give another --out"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _terminate_as_interrupt() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C while runs are going; only the main thread may say so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run_one(task: Task, target: Path, *, limits: Limits, keep_sumo_output: bool) -> dict[str, Any]:
    """One run outside any experiment, into ``target``; returns its manifest. Raises InputError or RunError."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())) and read_manifest(target) is None:
        raise InputError(
            "this exists and is no run of denxanh", where=str(target), remedy="give another --out"
        )
    with tempfile.TemporaryDirectory(prefix="denxanh-") as name, _terminate_as_interrupt():
        starter = launcher()
        stop = threading.Event()
        try:
            outcome = _run_job(starter, Path(name), target, task, limits, keep_sumo_output, stop)
        finally:
            starter.close()
            _sweep_run(target)
    if outcome.manifest is None:
        raise (InputError if outcome.state == "refused" else RunError)(outcome.reason)
    return dict(outcome.manifest)
