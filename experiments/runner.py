"""Runs what is missing in a ledger, side by side, and believes a result only with proof.

May be killed at any moment and started again. A run is done when its folder stands complete in its place and
the ledger says so; a folder that was finished just before a kill is found again and not run twice. Where the
runs happen (processes here, a cluster) is the executor's affair.
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

from experiments.attempt import Limits, Outcome, run_folder
from experiments.ledger import Ledger
from experiments.task import Task
from sim.errors import InputError, RunError

__all__ = ["Executor", "Limits", "Outcome", "enter", "interruptible", "run_folder", "run_missing", "writing"]

TRIES = 2  # one retry: a fault that strikes twice is not chance (Nextflow's default)
LOSSES = 5  # machines a run may lose under it before the run itself is suspected
PAGE = 1000  # runs read from the ledger at once


class Executor(Protocol):
    """Where runs happen."""

    def slots(self) -> int:
        """How many runs to hand over at once."""
        ...

    def submit(self, id: str, task: Task) -> Future[Outcome]:
        """Start a run; its result folder is in place when the outcome says done."""
        ...

    def standing(self, id: str) -> Outcome | None:
        """The outcome of a run whose complete result is already there, or None."""
        ...

    def stands(self, id: str) -> bool:
        """Whether the result of a run that was done is still there."""
        ...

    def close(self) -> None:
        """Stop what is going; every future ends within seconds."""
        ...


def enter(ledger: Ledger, tasks: Iterable[Task], *, shard: tuple[int, int] = (1, 1)) -> list[str]:
    """Make ``tasks`` (every n-th of them from the i-th on, for shard (i, n)) the ledger's; returns their ids."""
    part, parts = shard
    rows: dict[str, tuple[int, str, Task]] = {}
    for number, task in enumerate(tasks):
        if number % parts == part - 1:
            id = task.identity()
            rows.setdefault(id, (number, id, task))
    ledger.enter(rows.values())
    return list(rows)


def run_missing(
    out: Path,
    ledger: Ledger,
    executor: Executor,
    *,
    progress: Callable[[str, Outcome], None] = lambda id, outcome: None,
) -> None:
    """Run every pending run of the ledger; to be called inside ``writing(out)``. Closes the executor.

    KeyboardInterrupt (Ctrl-C, or SIGTERM) ends the runs that are going, within seconds, and is raised again;
    the ledger then says pending for them. RunError when the disk is full: nothing is lost, start again.
    """
    ledger.reopen()
    ledger.lose([id for id in ledger.ids("done") if not executor.stands(id)])
    _Campaign(out, ledger, executor, progress).run()


class _Campaign:
    """One session of running what is missing."""

    def __init__(
        self, out: Path, ledger: Ledger, executor: Executor, progress: Callable[[str, Outcome], None]
    ) -> None:
        self._out = out
        self._ledger = ledger
        self._executor = executor
        self._progress = progress
        self._going: dict[Future[Outcome], str] = {}
        self._tries: dict[str, int] = {}
        self._losses: dict[str, int] = {}
        self._again: deque[tuple[str, Task]] = deque()
        self._tasks: dict[str, Task] = {}

    def run(self) -> None:
        """Until nothing is pending."""
        queue = self._queue()
        try:
            while True:
                slots = self._executor.slots()
                while len(self._going) < slots and (item := self._next(queue)) is not None:
                    self._start(*item)
                if not self._going:
                    if slots > 0:
                        return
                    time.sleep(0.5)  # a cluster without workers may yet get some
                    continue
                for future in wait(self._going, timeout=5.0, return_when=FIRST_COMPLETED).done:
                    self._settle(self._going.pop(future), future.result())
        except sqlite3.OperationalError as error:
            raise RunError(
                f"{self._out}: the ledger cannot be written ({error}; {_free(self._out)}); "
                "nothing done is lost: make room and start again"
            ) from None
        finally:
            self._executor.close()
            self._leave()

    def _next(self, queue: Iterator[tuple[str, Task]]) -> tuple[str, Task] | None:
        """What is tried again comes after all that was not tried yet."""
        return next(queue, None) or (self._again.popleft() if self._again else None)

    def _queue(self) -> Iterator[tuple[str, Task]]:
        """Pending runs in order."""
        after = -1
        while page := self._ledger.pending(after, PAGE):
            after = page[-1][0]
            yield from ((id, task) for _, id, task in page)

    def _start(self, id: str, task: Task) -> None:
        if (found := self._executor.standing(id)) is not None:  # finished just before a kill
            self._settle(id, found)
            return
        self._ledger.start(id)
        self._tasks[id] = task
        self._going[self._executor.submit(id, task)] = id

    def _settle(self, id: str, outcome: Outcome) -> None:
        task = self._tasks.pop(id, None)
        match outcome.state:
            case "done":
                assert outcome.manifest is not None
                self._ledger.finish(id, outcome.manifest, outcome.content)
            case "stopped":
                self._ledger.back(id)
                return
            case "full":
                self._ledger.back(id)
                raise RunError(
                    f"{outcome.reason} ({_free(self._out)}); nothing done is lost: make room and start again"
                )
            case "lost":
                self._losses[id] = self._losses.get(id, 0) + 1
                if task is not None and self._losses[id] < LOSSES:
                    self._ledger.back(id)
                    self._again.append((id, task))
                    return
                self._ledger.fail(id, "failed", outcome.reason)
            case "failed":
                self._tries[id] = self._tries.get(id, 0) + 1
                if task is not None and self._tries[id] < TRIES:
                    self._ledger.fail(id, "pending", outcome.reason)
                    self._again.append((id, task))
                    return
                self._ledger.fail(id, "failed", outcome.reason)
            case _:
                self._ledger.fail(id, outcome.state, outcome.reason)
        self._progress(id, outcome)

    def _leave(self) -> None:
        """After the end of the executor: what it still finished counts, the rest goes back."""
        wait(self._going, timeout=3.0)
        for future, id in self._going.items():
            outcome = future.result() if future.done() and future.exception() is None else Outcome("stopped")
            try:
                if outcome.manifest is not None:
                    self._ledger.finish(id, outcome.manifest, outcome.content)
                else:
                    self._ledger.back(id)
            except sqlite3.OperationalError:  # a full disk: the next start reopens it
                return


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Hold a folder for ourselves, clean up what a killed runner left, and take SIGTERM as Ctrl-C."""
    with _alone(out), interruptible():
        for left in (out / "runs").glob("*/.*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Only one runner may write into a folder."""
    lock = FileLock(out / ".lock")
    try:
        out.mkdir(parents=True, exist_ok=True)
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
def interruptible() -> Iterator[None]:
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


def _free(out: Path) -> str:
    return f"{shutil.disk_usage(out).free} bytes are free at {out}"
