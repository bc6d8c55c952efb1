"""Runs the pending runs of a ledger side by side; a result counts only when it is complete.

May be killed at any moment and started again. A run is done when its folder stands complete in its place and
the ledger says so; a folder that was finished just before a kill is found again and not run twice. Where the
runs are executed (processes of this machine, a cluster) is up to the executor.
"""

from __future__ import annotations

import shutil
import signal
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from filelock import FileLock, Timeout

from denxanh.experiments.runs.execution import Outcome
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.sim.errors import InputError, RunError

TRIES = 2  # one retry: a fault that strikes twice is not chance (Nextflow's default)
LOSSES = 5  # machines a run may lose under it before the run itself is suspected
PAGE = 1000  # runs read from the ledger at once


class Executor(Protocol):
    """Where runs happen."""

    def slots(self) -> int:
        """The number of runs that may be submitted at once."""
        ...

    def submit(self, id: str, run: RunSpecification) -> Future[Outcome]:
        """Start a run; its result folder is in place when the outcome says done."""
        ...

    def completed(self, id: str) -> Outcome | None:
        """The outcome of a run whose complete result is already in place, or None."""
        ...

    def is_complete(self, id: str) -> bool:
        """Whether the result of a done run is still in place."""
        ...

    def close(self) -> None:
        """Stop the running runs; every future ends within seconds."""
        ...


def enter(ledger: Ledger, runs: Iterable[RunSpecification], *, shard: tuple[int, int] = (1, 1)) -> list[str]:
    """Make ``runs`` (every n-th of them from the i-th on, for shard (i, n)) the ledger's; returns their ids."""
    part, parts = shard
    rows: dict[str, tuple[int, str, RunSpecification]] = {}
    for number, run in enumerate(runs):
        if number % parts == part - 1:
            id = run.identity()
            rows.setdefault(id, (number, id, run))
    ledger.enter(rows.values())
    return list(rows)


def run_missing(
    out: Path,
    ledger: Ledger,
    executor: Executor,
    *,
    on_progress: Callable[[str, Outcome], None] = lambda id, outcome: None,
) -> None:
    """Run every pending run of the ledger; call it inside ``output_lock(out)``. Closes the executor.

    KeyboardInterrupt (Ctrl-C, or SIGTERM) ends the running runs within seconds and is raised again;
    the ledger then has them as pending. RunError when the disk is full: nothing is lost, start again.
    """
    ledger.reset_running()
    ledger.reset_lost([id for id in ledger.ids("done") if not executor.is_complete(id)])
    _Campaign(out, ledger, executor, on_progress).run()


class _Campaign:
    """One session of running the pending runs."""

    def __init__(
        self, out: Path, ledger: Ledger, executor: Executor, on_progress: Callable[[str, Outcome], None]
    ) -> None:
        self._out = out
        self._ledger = ledger
        self._executor = executor
        self._on_progress = on_progress
        self._running: dict[Future[Outcome], str] = {}
        self._tries: dict[str, int] = {}
        self._losses: dict[str, int] = {}
        self._retries: deque[tuple[str, RunSpecification]] = deque()
        self._tasks: dict[str, RunSpecification] = {}

    def run(self) -> None:
        """Until nothing is pending."""
        queue = self._queue()
        try:
            while True:
                slots = self._executor.slots()
                while len(self._running) < slots and (item := self._next(queue)) is not None:
                    self._start(*item)
                if not self._running:
                    if slots > 0:
                        return
                    time.sleep(0.5)  # a cluster without workers may yet get some
                    continue
                for future in wait(self._running, timeout=5.0, return_when=FIRST_COMPLETED).done:
                    self._record(self._running.pop(future), future.result())
        except sqlite3.OperationalError as error:
            raise RunError(
                f"{self._out}: the ledger cannot be written ({error}; {_free(self._out)}); "
                "nothing done is lost: make room and start again"
            ) from None
        finally:
            self._executor.close()
            self._finish()

    def _next(self, queue: Iterator[tuple[str, RunSpecification]]) -> tuple[str, RunSpecification] | None:
        """The next run: those not tried yet come before retries."""
        return next(queue, None) or (self._retries.popleft() if self._retries else None)

    def _queue(self) -> Iterator[tuple[str, RunSpecification]]:
        """Pending runs in order."""
        after = -1
        while page := self._ledger.pending(after, PAGE):
            after = page[-1][0]
            yield from ((id, run) for _, id, run in page)

    def _start(self, id: str, run: RunSpecification) -> None:
        if (found := self._executor.completed(id)) is not None:  # finished just before a kill
            self._record(id, found)
            return
        self._ledger.start(id)
        self._tasks[id] = run
        self._running[self._executor.submit(id, run)] = id

    def _record(self, id: str, outcome: Outcome) -> None:
        run = self._tasks.pop(id, None)
        match outcome.state:
            case "done":
                assert outcome.manifest is not None
                self._ledger.finish(id, outcome.manifest, outcome.content)
            case "stopped":
                self._ledger.return_to_pending(id)
                return
            case "full":
                self._ledger.return_to_pending(id)
                raise RunError(
                    f"{outcome.reason} ({_free(self._out)}); nothing done is lost: make room and start again"
                )
            case "lost":
                self._losses[id] = self._losses.get(id, 0) + 1
                if run is not None and self._losses[id] < LOSSES:
                    self._ledger.return_to_pending(id)
                    self._retries.append((id, run))
                    return
                self._ledger.fail(id, "failed", outcome.reason)
            case "failed":
                self._tries[id] = self._tries.get(id, 0) + 1
                if run is not None and self._tries[id] < TRIES:
                    self._ledger.fail(id, "pending", outcome.reason)
                    self._retries.append((id, run))
                    return
                self._ledger.fail(id, "failed", outcome.reason)
            case _:
                self._ledger.fail(id, outcome.state, outcome.reason)
        self._on_progress(id, outcome)

    def _finish(self) -> None:
        """Record the runs that finished while the executor closed; set the others to pending."""
        wait(self._running, timeout=3.0)
        for future, id in self._running.items():
            outcome = future.result() if future.done() and future.exception() is None else Outcome("stopped")
            try:
                if outcome.manifest is not None:
                    self._ledger.finish(id, outcome.manifest, outcome.content)
                else:
                    self._ledger.return_to_pending(id)
            except sqlite3.OperationalError:  # a full disk: the next start reopens it
                return


@contextmanager
def output_lock(out: Path) -> Iterator[None]:
    """Lock an output folder, remove the left-overs of a killed runner, and treat SIGTERM as Ctrl-C."""
    with _locked(out), interruptible():
        for left in (out / "runs").glob("*/.*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Lock a folder, so that only one runner writes into it. Raises InputError."""
    lock = FileLock(out / ".lock")
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=5.0)  # a killed runner's processes end within this
    except Timeout:
        raise InputError(
            "another denxanh is writing here", location=str(out), remedy="wait for it or give another --out"
        ) from None
    except OSError as error:
        raise InputError(
            f"nothing can be written here ({error.strerror})", location=str(out), remedy="give another --out"
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def interruptible() -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C; of no effect outside the main thread, which alone may set signal handlers."""
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


def _free(out: Path) -> str:
    return f"{shutil.disk_usage(out).free} bytes are free at {out}"
