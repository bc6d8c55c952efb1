"""Runs on this machine: each in a process of its own, with its result folder below ``out``."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from denxanh.experiments.runs.execution import (
    Outcome,
    clean_up,
    completed_outcome,
    execute_run,
)
from denxanh.experiments.runs.launcher import Launcher, interruptible, launcher
from denxanh.experiments.runs.proof import Fault, Record, run_fault
from denxanh.experiments.runs.run_row import JOBS, job_folders, run_folder
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.run.store import read_manifest


class Local:
    """Runs in processes of this machine, ``jobs`` at a time, their results below ``out``."""

    def __init__(self, out: Path, *, jobs: int) -> None:
        self._out = out
        self._jobs = jobs
        self._stop = threading.Event()
        self._starter = launcher()
        self._remove_jobs()

    def slots(self) -> int:
        """The number of jobs."""
        return self._jobs

    def submit(self, id: str, run: RunSpecification) -> Future[Outcome]:
        """Start a run and watch it in a daemon thread, which does not delay the end of this process."""
        future: Future[Outcome] = Future()

        def watch() -> None:
            try:
                future.set_result(self._execute(id, run))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=watch, name=f"run {id[:8]}", daemon=True).start()
        return future

    def completed(self, id: str) -> Outcome | None:
        """From its manifest, which is written last."""
        return completed_outcome(self._out, id)

    def fault(self, record: Record) -> Fault | None:
        """From its folder."""
        return run_fault(run_folder(self._out, record.id), record)

    def close(self) -> None:
        """Kill the running processes."""
        self._stop.set()
        self._starter.close()
        self._remove_jobs()

    def _remove_jobs(self) -> None:
        for folder in job_folders(self._out):
            shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(OSError):  # something of somebody else's stands in it, or it is not there
            (self._out / JOBS).rmdir()

    def _execute(self, id: str, run: RunSpecification) -> Outcome:
        return execute_run(
            self._starter,
            self._out / JOBS / run_folder(self._out, id).name,
            run_folder(self._out, id),
            run,
            stop=self._stop,
            id=id,
        )


def run_one(run: RunSpecification, target: Path, *, starter: Launcher | None = None) -> dict[str, Any]:
    """One run outside any experiment, into ``target``; returns its manifest. Raises InputError or RunError.

    ``starter`` starts its process and is closed afterwards; None: a fork server or a new interpreter.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())) and read_manifest(target) is None:
        raise InputError(
            "this exists and is no run of denxanh", location=str(target), remedy="give another --out"
        )
    with tempfile.TemporaryDirectory(prefix="denxanh-") as name, interruptible():
        starter = starter or launcher(preload=False)
        try:
            outcome = execute_run(starter, Path(name), target, run, stop=threading.Event(), id=run.identity())
        finally:
            starter.close()
            clean_up(target)
    if outcome.manifest is None:
        raise (InputError if outcome.state == "refused" else RunError)(outcome.reason)
    return dict(outcome.manifest)
