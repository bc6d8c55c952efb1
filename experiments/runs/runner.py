"""Runs the pending runs of a ledger side by side; a result counts only when it is complete.

May be killed at any moment and started again. A run is done when its folder stands complete in its place and
the ledger says so; a folder that was finished just before a kill is found again and not run twice. Where the
runs are executed (processes of this machine, a cluster) is up to the executor.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from denxanh.experiments.runs.execution import Outcome
from denxanh.experiments.runs.launcher import interruptible
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.ledger_checksums import DESCRIPTION
from denxanh.experiments.runs.ledger_file import DamagedLedger, set_damaged_aside, write_error
from denxanh.experiments.runs.proof import Fault, Record
from denxanh.experiments.runs.run_row import RUNS, check_no_links, left_overs, result_folders, run_folder
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.run.store import is_result, name_aside

TRIES = 2  # one retry: a fault that strikes twice is not chance (Nextflow's default)
LOSSES = 5  # machines a run may lose under it before the run itself is suspected
WAIT = 1.0  # s between two looks at the running runs
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

    def fault(self, record: Record) -> Fault | None:
        """Why the result of a done run is rejected, or None."""
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
    on_message: Callable[[str], None] = lambda text: None,
    on_wait: Callable[[], None] = lambda: None,
) -> None:
    """Run every pending run of the ledger; call it inside ``output_lock(out)``. Closes the executor.

    ``on_wait`` is called at least every WAIT s. What it raises ends the running runs, as Ctrl-C does.

    Done runs whose result is damaged are run again; ``on_message`` gets a line for each kind of damage.

    KeyboardInterrupt (Ctrl-C, or SIGTERM) ends the running runs within seconds and is raised again;
    the ledger then has them as pending. RunError when the disk is full: nothing is lost, start again.
    """
    try:
        ledger.reset_running()
        reset_unproven(ledger, executor, on_message)
    except BaseException:
        executor.close()
        raise
    _Campaign(out, ledger, executor, on_progress, on_wait).run()


def reset_unproven(ledger: Ledger, executor: Executor, on_message: Callable[[str], None]) -> None:
    """Set the ended runs that their row, folder, manifest and tables do not prove to pending.

    ``on_message`` gets a line for each kind of damage, with the number of runs and the first file.
    """
    rows = ledger.damaged_rows()
    kinds: dict[str, list[str]] = {}
    whole: Counter[str] = Counter()
    intact: set[str] = set()
    for id, what in rows.items():
        found = executor.completed(id)
        if found is None or found.limits_met:  # these are run again, see _Campaign._start
            kinds.setdefault(what, []).append("ledger.sqlite")
        else:
            whole[what] += 1
            intact.add(id)
    faulty = list(rows)
    for record in ledger.records():
        if record.id in ledger.proven or record.id in rows:
            continue
        fault = executor.fault(record)
        if fault is None:
            ledger.proven.add(record.id)
        else:
            faulty.append(record.id)
            kinds.setdefault(fault.kind, []).append(str(fault.file))
    ledger.reset_lost(faulty, intact=intact)
    for kind, count in whole.items():
        on_message(f"{_counted(count, 'row')} made again from the folders of the runs: {kind}")
    for kind, files in kinds.items():
        more = ", …" if len(set(files)) > 1 else ""
        on_message(f"{_counted(len(files), 'run')} done again: {kind} ({files[0]}{more})")


def _counted(number: int, noun: str) -> str:
    return f"1 {noun} is" if number == 1 else f"{number} {noun}s are"


@contextmanager
def open_ledger(path: Path, on_message: Callable[[str], None]) -> Iterator[Ledger]:
    """Open the ledger of an output folder to write; a damaged one is set aside and made anew from the runs.

    ``on_message`` gets a line for each kind of damage.
    """
    lost = not (path.is_file() and path.stat().st_size)
    if lost and result_folders(path.parent):
        on_message(f"{path}: the ledger is missing or empty; a new one is made from the runs")
    try:
        ledger = Ledger(path)
    except DamagedLedger as error:
        if not (path.parent / RUNS).is_dir():
            raise
        aside = set_damaged_aside(path)
        on_message(f"{path}: {error.what}; it is kept as {aside.name} and a new one is made from the runs")
        ledger = Ledger(path)
    with ledger:
        described = [id for id, what in ledger.damaged_rows().items() if what == DESCRIPTION]
        if described:
            on_message(f"{path}: {DESCRIPTION} in {len(described)} rows; they are written again")
        if ledger.lacks_rows():
            on_message(f"{path}: rows were removed or added outside of denxanh; they are made again")
        yield ledger


class _Campaign:
    """One session of running the pending runs."""

    def __init__(
        self,
        out: Path,
        ledger: Ledger,
        executor: Executor,
        on_progress: Callable[[str, Outcome], None],
        on_wait: Callable[[], None] = lambda: None,
    ) -> None:
        self._out = out
        self._ledger = ledger
        self._executor = executor
        self._on_progress = on_progress
        self._on_wait = on_wait
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
                self._on_wait()
                for future in wait(self._running, timeout=WAIT, return_when=FIRST_COMPLETED).done:
                    self._record(self._running.pop(future), future.result())
        except sqlite3.OperationalError as error:
            raise write_error(error, f"{self._out} ({_free(self._out)})") from None
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
        found = None if self._ledger.is_rejected(id) else self._executor.completed(id)
        if found is not None and not found.limits_met:  # finished just before a kill
            self._record(id, found)
            return
        target = run_folder(self._out, id)
        if os.path.lexists(target) and not is_result(target):
            target.rename(name_aside(target))
        self._ledger.start(id)
        self._tasks[id] = run
        self._running[self._executor.submit(id, run)] = id

    def _record(self, id: str, outcome: Outcome) -> None:
        run = self._tasks.pop(id, None)
        if outcome.attempts > 1 and outcome.state not in ("stopped", "full", "lost"):
            self._ledger.count_attempts(id, outcome.attempts - 1)
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
        self._on_progress(id, replace(outcome, label=self._ledger.label(id)))

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
        for left in left_overs(out):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Lock a folder, so that only one runner writes into it. Raises InputError."""
    check_no_links(out)
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


def _free(out: Path) -> str:
    return f"{shutil.disk_usage(out).free} bytes are free at {out}"
