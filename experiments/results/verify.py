"""Verification of results: files against the ledger, metrics against the tables, and a sample of runs repeated."""

from __future__ import annotations

import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.results.moved_inputs import is_label, is_scenario, without_places
from denxanh.experiments.results.outputs import DEFINITION, changed_definition
from denxanh.experiments.runs.execution import execute_run
from denxanh.experiments.runs.launcher import interruptible, launcher
from denxanh.experiments.runs.ledger import Ledger, end_of
from denxanh.experiments.runs.proof import Record, combined_hash, run_fault
from denxanh.experiments.runs.run_row import NAME_LENGTH, RunRow, result_folders, run_folder
from denxanh.experiments.specification.identity import RESULT_VERSIONS, code_hash
from denxanh.experiments.specification.run_options import AUTO, Limits
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.experiments.specification.sources import content_hash
from denxanh.sim.demand.equivalents import Equivalent, read_equivalents
from denxanh.sim.errors import DenxanhError
from denxanh.sim.run.provenance import versions
from denxanh.sim.run.recomputation import metric_faults
from denxanh.sim.run.store import MANIFEST, read_manifest
from denxanh.sim.sumo.run_input import TRIPINFO
from denxanh.sim.sumo.tripinfo import read_trips

State = Literal["same", "differs", "cannot"]
_UNREPEATED = frozenset(
    (
        "wall_s",
        "cpu_s",
        "files",
        "versions",
        "code_sha256",
        "id",
        "schema",
        "sumo_command",
        "limits_met",
        "repeated_after",
    )
)
"""Keys of a manifest that the same run may have otherwise elsewhere: times, limits, paths, what is compared apart."""


@dataclass(frozen=True)
class Verdict:
    """Result of a check: ``same``, ``differs`` (a fault) or ``cannot`` (be repeated), and the reason.

    ``subject`` names the run, by place, controller and seed, or the file.
    """

    subject: str
    state: State
    reason: str = ""


def verify(
    folder: Path, *, sample: int, seed: int, limits: Limits, on_verdict: Callable[[Verdict], None]
) -> list[Verdict]:
    """Check the ledger, the files and the metrics of every run, then repeat ``sample`` runs; returns the verdicts.

    ``on_verdict`` gets every verdict: faults, and of the repeated runs all.
    """
    found: list[Verdict] = []

    def note(verdict: Verdict) -> None:
        found.append(verdict)
        on_verdict(verdict)

    with Ledger(folder / LEDGER, read_only=True) as ledger:
        damaged = ledger.damaged_rows()
        for id, what in damaged.items():
            note(Verdict(ledger.description(id), "differs", f"{folder / LEDGER}: {what}"))
        for verdict in _of_the_experiment(folder, ledger):
            note(verdict)
        checks = _Checks(folder, ledger)
        whole = []
        for row in ledger.rows(without=damaged):
            faults = list(checks.faults(row))
            for fault in faults:
                note(Verdict(_name(row), "differs", fault))
            if row.done and not faults:
                whole.append(row)
        for reason, count in checks.unknown.items():
            note(Verdict(f"{count} runs", "cannot", f"they cannot be compared with their ids: {reason}"))
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


def _name(row: RunRow) -> str:
    return f"{row.place}, {row.controller}, seed {row.seed}"


def _of_the_experiment(folder: Path, ledger: Ledger) -> Iterator[Verdict]:
    """Faults of the experiment file and of the set of runs."""
    if what := changed_definition(folder, ledger):
        yield Verdict(str(folder / DEFINITION), "differs", what)
    if ledger.lacks_rows():
        yield Verdict(str(folder / LEDGER), "differs", "rows of the ledger were removed or added")
    known = {id[:NAME_LENGTH] for id in ledger.known_ids()}
    for found in result_folders(folder):
        if found.name not in known:
            data = read_manifest(found) or {}
            what = f"{data.get('place')}, {data.get('controller')}, seed {data.get('seed')}"
            yield Verdict(str(found), "differs", f"the ledger does not have this run ({what})")


class _Checks:
    """Checks of single runs; what many runs share is read once."""

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        self._folder = folder
        self._ledger = ledger
        self._shared: dict[str, Any] = {}
        self._equivalents: dict[tuple[Path, ...], Mapping[str, Equivalent] | None] = {}
        self.unknown: Counter[str] = Counter()  # runs by why their id cannot be computed

    def faults(self, row: RunRow) -> Iterator[str]:
        """What differs in a run: its files, its description and its metrics; the files' fault stands alone."""
        target = run_folder(self._folder, row.id)
        if not row.done:
            ended = row.state in ("failed", "timeout", "refused")
            if ended and run_fault(target, Record(row.id)) is None and not _limits(read_manifest(target)):
                yield f"{self._folder / LEDGER}: the state is {row.state}, but {target} holds a complete result"
            return
        record = self._ledger.record(row.id)
        assert record is not None
        fault = run_fault(target, record)
        if fault is not None:
            yield str(fault)
            return
        manifest = read_manifest(target) or {}
        try:
            run = self._specification(row.id)
            yield from self._described(row, run, manifest, target)
            yield from self._measured(run, manifest, target)
            kept = target / TRIPINFO
            if kept.is_file() and read_trips(kept)[1] != row.sha256:
                yield f"{kept}: the trips are not those of the ledger's hash"
        except DenxanhError as error:
            yield str(error)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, OSError) as error:
            yield f"{target}: manifest or tables are not those of a run ({type(error).__name__}: {error})"

    def _specification(self, id: str) -> RunSpecification:
        """The specification of a run, with the scenario and options that runs share as one object."""
        run = self._ledger.specification(id)
        scenario = self._shared.setdefault(repr(run.scenario), run.scenario)
        options = self._shared.setdefault(repr(run.options), run.options)
        return replace(run, scenario=scenario, options=options)

    def _described(
        self, row: RunRow, run: RunSpecification, manifest: Mapping[str, Any], target: Path
    ) -> Iterator[str]:
        """The ledger's row and the manifest against the specification, and that against the id."""
        for name, have, want, same in (
            ("place", row.place, run.place, row.place == run.place),
            ("demand", row.demand, run.demand, row.demand == run.demand),
            ("controller", row.controller, run.label, is_label(row.controller, run)),
            ("seed", row.seed, run.seed, row.seed == run.seed),
        ):
            if not same:
                yield f"{self._folder / LEDGER}: {name} is {have!r}, its specification says {want!r}"
        state, reason = end_of(manifest)
        if row.state != state:
            yield f"{self._folder / LEDGER}: the state is {row.state}, by the manifest it is {state}"
        elif "limits_met" in manifest and row.reason != reason:
            yield f"{self._folder / LEDGER}: the reason is {row.reason!r}, by the manifest it is {reason!r}"
        for name, same in (
            ("seed", manifest["seed"] == run.seed),
            ("backend", manifest["backend"] == run.options.backend),
            ("warm_up_s", run.options.warm_up in (AUTO, manifest["warm_up_s"])),
            ("movements", run.options.movements == ("on" if manifest.get("movements", True) else "off")),
            ("flush_s", run.options.flush in (AUTO, manifest.get("flush_s", 0.0))),
            ("scenario", is_scenario(manifest, run.simulated().to_json())),
        ):
            if not same:
                yield f"{target / MANIFEST}: {name} is not that of the run's specification"
        if not run.given and manifest["controller"] != run.controller:
            yield f"{target / MANIFEST}: controller is {manifest['controller']!r}, not {run.controller!r}"
        try:
            identity = run.identity()
        except (DenxanhError, OSError) as error:
            self.unknown[str(error)] += 1
            return
        if identity != row.id:
            changed = _changed(manifest, run)
            if changed or run.given:
                self.unknown[changed or "the controller was given as an object"] += 1
            else:
                yield f"{self._folder / LEDGER}: the run's specification does not give its id {row.id[:16]}"

    def _measured(self, run: RunSpecification, manifest: Mapping[str, Any], target: Path) -> Iterator[str]:
        for fault in metric_faults(target, manifest, self._equivalents_of(run, manifest, target)):
            if manifest.get("code_sha256") == code_hash():
                yield f"{target}: {fault}"
            else:
                self.unknown["the code of denxanh was changed since"] += 1
                return

    def _equivalents_of(
        self, run: RunSpecification, manifest: Mapping[str, Any], target: Path
    ) -> Mapping[str, Equivalent] | None:
        """Equivalents of the vehicle types of a run, None where its files are not as they were."""
        files = (*run.scenario.additional, *run.scenario.routes)
        if files not in self._equivalents:
            intact = not _changed_input(manifest, run)
            self._equivalents[files] = read_equivalents(files) if intact else None
        shared = self._equivalents[files]
        added = sorted(target.glob("event-*.rou.xml"))
        return shared if shared is None or not added else {**shared, **read_equivalents(added)}


def _again(
    row: RunRow, run: RunSpecification, folder: Path, scratch: Path, limits: Limits, starter: Any
) -> Verdict:
    """Repeat a run and compare trips, tables, metrics and manifest."""
    before = read_manifest(run_folder(folder, row.id)) or {}
    name = _name(row)
    changed = _changed(before, run)
    if changed.startswith("an input"):
        return Verdict(name, "cannot", changed)
    target = scratch / row.id[:16]
    options = replace(run.options, limits=limits, keep_sumo_output=False)
    again = replace(run, options=options)
    outcome = execute_run(starter, scratch / "job", target, again, stop=threading.Event(), id=row.id)
    if outcome.manifest is None:
        return Verdict(name, "cannot", outcome.reason)
    where = run_folder(folder, row.id)
    tables = [path.name for path in where.glob("*.parquet")]
    differing = _differing(row, before, outcome.manifest, tables)
    if not differing:
        return Verdict(name, "same")
    if not changed and run.identity() != row.id:
        changed = "the code of denxanh or of the controller was changed since"
    if met := _limits(before) or outcome.limits_met:
        changed = f"a limit of time was met, so the numbers depend on the machine ({met})"
    return Verdict(
        name,
        "cannot" if changed else "differs",
        changed or f"{where}: repeated, it gives another {differing}",
    )


def _limits(manifest: Mapping[str, Any] | None) -> str:
    """The limits of time that a run met in both attempts, as one text."""
    return "; ".join((manifest or {}).get("limits_met", ()))


def _differing(
    row: RunRow, before: Mapping[str, Any], after: Mapping[str, Any], tables: Collection[str]
) -> str:
    """What a repeated run has otherwise, or an empty text. ``tables`` are those of the run itself."""
    if after["tripinfo_sha256"] != row.sha256:
        return "tripinfo hash from the same inputs"
    new = {name: after["files"][name]["sha256"] for name in tables if name in after["files"]}
    then = before.get("files", {})
    others = [name for name in sorted(tables) if name in then and then[name]["sha256"] != new.get(name)]
    if others or (row.content is not None and combined_hash(new) != row.content):
        return " and ".join(others) or "content of the tables"
    metrics = [name for name, value in after["metrics"].items() if row.metrics.get(name) != value]
    if metrics:
        return f"value of {', '.join(metrics)}"
    keys = (before.keys() | after.keys()) - _UNREPEATED if "files" in before else ()
    before, after = without_places(before), without_places(after)
    return ", ".join(f"{MANIFEST} ({key})" for key in sorted(keys) if before.get(key) != after.get(key))


def _changed_input(manifest: Mapping[str, Any], run: RunSpecification) -> str:
    known = set(manifest.get("inputs_sha256", {}).values())
    for path in run.scenario.inputs():
        if not path.is_file():
            return f"an input is gone: {path}"
        if known and content_hash(path) not in known:
            return f"an input was changed: {path}"
    return ""


def _changed(manifest: Mapping[str, Any], run: RunSpecification) -> str:
    """Inputs, versions and code that changed since the run, or an empty text."""
    changed = _changed_input(manifest, run)
    if changed:
        return changed
    now, then = versions(), manifest.get("versions", {})
    changed = ", ".join(
        f"{name} was {then.get(name)} and is {now[name]}"
        for name in RESULT_VERSIONS
        if then.get(name) != now[name]
    )
    if not changed and manifest.get("code_sha256") != code_hash():
        changed = "the code of denxanh was changed since"
    return changed
