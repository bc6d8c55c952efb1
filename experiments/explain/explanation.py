"""The explanation of one decision of a stored run, which is simulated again up to that time in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from denxanh.sim.errors import InputError, RunError
from denxanh.sim.run.repetition import StoredRun
from denxanh.sim.run.store import read_table
from denxanh.sim.sumo.wheel import child_program, sumo_environment
from denxanh.sim.text_values import did_you_mean

REFUSED = 2
"""Exit status of the process that repeats a run if the input is at fault."""


def explain(run: StoredRun, signal: str, time: float, *, timeout: float = 3600.0) -> dict[str, Any]:
    """What was seen at ``signal`` at the last question up to ``time`` (s, the scenario's clock), the answer, and why.

    Raises InputError for a run that cannot be explained, an unknown signal and a time outside the run, RunError where
    the repetition is not the same run.
    """
    check_request(run, signal, time)
    with tempfile.TemporaryDirectory(prefix="denxanh-explain-") as name:
        scratch = Path(name).resolve()
        job = {
            "folder": str(run.folder.resolve()),
            "scenario": run.scenario.to_json(),
            "signal": signal,
            "time": time,
            "answer": str(scratch / "answer.json"),
            "work": str(scratch / "run"),
        }
        (scratch / "run").mkdir()
        (scratch / "job.json").write_text(json.dumps(job), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "denxanh.experiments.explain.repeated_run",
            str(scratch / "job.json"),
        ]
        try:
            with child_program(
                command, env=sumo_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            ) as process:
                errors = process.communicate(timeout=timeout)[1]
        except subprocess.TimeoutExpired:
            raise RunError(f"the repetition of the run took longer than {timeout:g} s") from None
        answer = scratch / "answer.json"
        if process.returncode != 0 or not answer.is_file():
            said = errors.strip().splitlines()
            raise (InputError if process.returncode == REFUSED else RunError)(
                said[-1] if said else f"the repetition ended with status {process.returncode}"
            )
        return dict(json.loads(answer.read_text("utf-8")))


def check_request(run: StoredRun, signal: str, time: float) -> None:
    """Raise InputError unless the run has decisions of a strategy of denxanh at ``signal`` and ``time``."""
    manifest, location = run.manifest, str(run.folder)
    begin, end = run.scenario.begin, run.scenario.end
    if not begin <= time < end:
        raise InputError(
            f"{time:g} s is not within the run",
            location=location,
            remedy=f"give a time from {begin:g} s to before {end:g} s",
        )
    signals = sorted(set(read_table(run.folder / "signals.parquet", ("signal",))["signal"]))
    if signal not in signals:
        raise InputError(
            f"there is no signal {signal!r}", location=location, remedy=did_you_mean(signal, signals)
        )
    if any(event.get("kind") != "fallback" for event in manifest["events"]):
        raise InputError(
            "runs with events cannot be explained", location=location, remedy="choose a run without them"
        )
