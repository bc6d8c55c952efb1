"""Verification of results: the files against the ledger, and a sample of runs repeated."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.runs.execution import execute_run, read_manifest, tables_hash
from denxanh.experiments.runs.launcher import launcher
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow, run_folder
from denxanh.experiments.runs.runner import interruptible
from denxanh.experiments.specification.identity import RESULT_VERSIONS
from denxanh.experiments.specification.run_options import Limits
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.sim.run.provenance import hash_file, versions


@dataclass(frozen=True)
class Verdict:
    """Result of a check: ``same``, ``differs`` (a fault) or ``cannot`` (be repeated), and the reason."""

    row: RunRow
    state: Literal["same", "differs", "cannot"]
    reason: str = ""


def verify(
    folder: Path, *, sample: int, seed: int, limits: Limits, on_verdict: Callable[[Verdict], None]
) -> list[Verdict]:
    """Check the files of every done run, then repeat ``sample`` of them; returns the verdicts.

    ``on_verdict`` gets every verdict: of the files faults only, of the repeated runs all.
    """
    found: list[Verdict] = []

    def note(verdict: Verdict) -> None:
        found.append(verdict)
        on_verdict(verdict)

    with Ledger(folder / LEDGER, read_only=True) as ledger:
        done = [row for row in ledger.rows() if row.done]
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
                    note(_again(row, ledger.specification(row.id), folder, Path(name), limits, starter))
            finally:
                starter.close()
    return found


def _fault(folder: Path, row: RunRow) -> str:
    """The fault of a run's files, or an empty text."""
    target = run_folder(folder, row.id)
    manifest = read_manifest(target)
    if manifest is None:
        return f"{target} holds no manifest"
    if manifest["tripinfo_sha256"] != row.sha256:
        return "the manifest's tripinfo hash is not the ledger's"
    if row.content is not None and tables_hash(target) != row.content:
        return "a table was changed after the run"
    return ""


def _again(
    row: RunRow, run: RunSpecification, folder: Path, scratch: Path, limits: Limits, starter: Any
) -> Verdict:
    manifest = read_manifest(run_folder(folder, row.id)) or {}
    changed = _changed(manifest, run)
    if changed.startswith("an input"):
        return Verdict(row, "cannot", changed)
    target = scratch / row.id[:16]
    again = replace(run, options=replace(run.options, limits=limits, keep_sumo_output=False))
    outcome = execute_run(starter, scratch / "job", target, again, stop=threading.Event())
    if outcome.manifest is None:
        return Verdict(row, "cannot", outcome.reason)
    if outcome.manifest["tripinfo_sha256"] == row.sha256:
        return Verdict(row, "same")
    if not changed and run.identity() != row.id:
        changed = "the code of denxanh or of the controller was changed since"
    return Verdict(
        row, "cannot" if changed else "differs", changed or "another tripinfo hash from the same inputs"
    )


def _changed(manifest: Mapping[str, Any], run: RunSpecification) -> str:
    """Inputs and versions that changed since the run, or an empty text."""
    known = set(manifest.get("inputs_sha256", {}).values())
    for path in run.scenario.inputs():
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
