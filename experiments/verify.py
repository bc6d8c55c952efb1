"""Trust in results, checked: what lies on the disk against the ledger, and a sample of runs done again."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from experiments.attempt import Limits, attempt, read_manifest, run_folder, tables_hash
from experiments.launcher import launcher
from experiments.ledger import Ledger, Row
from experiments.loading import LEDGER
from experiments.runner import interruptible
from experiments.task import RESULT_VERSIONS, Task
from sim.run import hash_file, versions


@dataclass(frozen=True)
class Verdict:
    """``same``, or ``differs`` (a fault), or ``cannot`` be repeated, and why."""

    row: Row
    state: Literal["same", "differs", "cannot"]
    reason: str = ""


def verify(
    folder: Path, *, sample: int, seed: int, limits: Limits, tell: Callable[[Verdict], None]
) -> list[Verdict]:
    """Check the files of every done run, then run ``sample`` of them again; returns what was found.

    Of the files only faults are told, of the repeated runs everything.
    """
    found: list[Verdict] = []

    def note(verdict: Verdict) -> None:
        found.append(verdict)
        tell(verdict)

    with Ledger(folder / LEDGER, read_only=True) as ledger:
        done = [row for row in ledger.rows() if row.state == "done"]
        whole = []
        for row in done:
            fault = _fault(folder, row)
            if fault:
                note(Verdict(row, "differs", fault))
            else:
                whole.append(row)
        picks = np.random.default_rng(seed).permutation(len(whole))[:sample]
        with tempfile.TemporaryDirectory(prefix="denxanh-verify-") as name, interruptible():
            starter = launcher()
            try:
                for pick in sorted(picks.tolist()):
                    row = whole[pick]
                    note(_again(row, ledger.task(row.id), folder, Path(name), limits, starter))
            finally:
                starter.close()
    return found


def _fault(folder: Path, row: Row) -> str:
    """What is wrong with a run's files, or nothing."""
    target = run_folder(folder, row.id)
    manifest = read_manifest(target)
    if manifest is None:
        return f"{target} holds no manifest"
    if manifest["tripinfo_sha256"] != row.sha256:
        return "the manifest's tripinfo hash is not the ledger's"
    if row.content is not None and tables_hash(target) != row.content:
        return "a table was changed after the run"
    return ""


def _again(row: Row, task: Task, folder: Path, scratch: Path, limits: Limits, starter: Any) -> Verdict:
    manifest = read_manifest(run_folder(folder, row.id)) or {}
    changed = _changed(manifest, task)
    if changed.startswith("an input"):
        return Verdict(row, "cannot", changed)
    target = scratch / row.id[:16]
    outcome = attempt(
        starter,
        scratch / "job",
        target,
        task,
        limits=limits,
        keep_sumo_output=False,
        stop=threading.Event(),
    )
    if outcome.manifest is None:
        return Verdict(row, "cannot", outcome.reason)
    if outcome.manifest["tripinfo_sha256"] == row.sha256:
        return Verdict(row, "same")
    if not changed and task.identity() != row.id:
        changed = "the code of denxanh or of the controller was changed since"
    return Verdict(
        row, "cannot" if changed else "differs", changed or "another tripinfo hash from the same inputs"
    )


def _changed(manifest: Mapping[str, Any], task: Task) -> str:
    """What is no longer as it was when the run was done, or nothing."""
    known = set(manifest.get("inputs_sha256", {}).values())
    for path in task.scenario.inputs():
        if not path.is_file():
            return f"an input is gone: {path}"
        if known and hash_file(path) not in known:
            return f"an input was changed: {path}"
    now, then = versions(), manifest.get("versions", {})
    return ", ".join(
        f"{name} was {then.get(name)} and is {now[name]}"
        for name in RESULT_VERSIONS
        if then.get(name) != now[name]
    )
