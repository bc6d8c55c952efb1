"""Runs on this machine: each in a process of its own, with its result folder below ``out``."""

from __future__ import annotations

import shutil
import tempfile
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from experiments.attempt import (
    STANDARD_LIMITS,
    Limits,
    Outcome,
    attempt,
    read_manifest,
    run_folder,
    standing,
    sweep_run,
)
from experiments.launcher import launcher
from experiments.runner import interruptible
from experiments.task import Task
from sim.errors import InputError, RunError
from sim.run import MANIFEST


class Local:
    """Runs in processes of this machine, ``jobs`` at a time, their results below ``out``."""

    def __init__(
        self, out: Path, *, jobs: int, limits: Limits = STANDARD_LIMITS, keep_sumo_output: bool = False
    ) -> None:
        self._out = out
        self._jobs = jobs
        self._limits = limits
        self._keep = keep_sumo_output
        self._stop = threading.Event()
        self._starter = launcher()
        shutil.rmtree(out / "jobs", ignore_errors=True)

    def slots(self) -> int:
        """As many as jobs."""
        return self._jobs

    def submit(self, id: str, task: Task) -> Future[Outcome]:
        """Start a run in a thread that watches it; a daemon, so that it never holds up our own end."""
        future: Future[Outcome] = Future()

        def run() -> None:
            try:
                future.set_result(self._attempt(id, task))
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=run, name=f"run {id[:8]}", daemon=True).start()
        return future

    def standing(self, id: str) -> Outcome | None:
        """By its manifest, which is written last."""
        return standing(self._out, id)

    def stands(self, id: str) -> bool:
        """By its manifest's presence, cheaper than reading it."""
        return (run_folder(self._out, id) / MANIFEST).is_file()

    def close(self) -> None:
        """Kill what still runs."""
        self._stop.set()
        self._starter.close()
        shutil.rmtree(self._out / "jobs", ignore_errors=True)

    def _attempt(self, id: str, task: Task) -> Outcome:
        return attempt(
            self._starter,
            self._out / "jobs" / id[:16],
            run_folder(self._out, id),
            task,
            limits=self._limits,
            keep_sumo_output=self._keep,
            stop=self._stop,
        )


def run_one(task: Task, target: Path, *, limits: Limits, keep_sumo_output: bool) -> dict[str, Any]:
    """One run outside any experiment, into ``target``; returns its manifest. Raises InputError or RunError."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())) and read_manifest(target) is None:
        raise InputError(
            "this exists and is no run of denxanh", where=str(target), remedy="give another --out"
        )
    with tempfile.TemporaryDirectory(prefix="denxanh-") as name, interruptible():
        starter = launcher()
        try:
            outcome = attempt(
                starter,
                Path(name),
                target,
                task,
                limits=limits,
                keep_sumo_output=keep_sumo_output,
                stop=threading.Event(),
            )
        finally:
            starter.close()
            sweep_run(target)
    if outcome.manifest is None:
        raise (InputError if outcome.state == "refused" else RunError)(outcome.reason)
    return dict(outcome.manifest)
