"""Parts of an experiment, run on several machines, put together: every result checked before it is believed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.attempt import read_manifest, run_folder, tables_hash
from experiments.experiment_file import read_experiment
from experiments.ledger import Ledger, Row
from experiments.loading import DEFINITION, LEDGER, TABLED
from experiments.records import write_runs
from experiments.results import write_results
from experiments.runner import writing
from sim import store
from sim.errors import InputError, RunError


def merge(out: Path, parts: Sequence[Path], *, tell: Callable[[str], None], command: str = "") -> list[Row]:
    """Copy the done runs of ``parts`` into ``out`` (new, or merged into before), write the tables of the whole.

    Returns all runs now there; what no part has done is not among them.

    Raises InputError for parts of different experiments, RunError for two different results of one run.
    """
    _check_parts(parts)
    with writing(out), Ledger(out / LEDGER) as ledger:
        known = {row.id: row for row in ledger.rows() if row.state == "done"}
        for part in parts:
            with Ledger(part / LEDGER, read_only=True) as other:
                good = [
                    row.id
                    for row in other.rows()
                    if row.state == "done" and _copy(part, out, row, known, tell)
                ]
                new = ledger.take(other, good)
                if (definition := other.noted("definition")) is not None:
                    ledger.note("definition", definition)
            tell(f"{part}: {new} runs taken over")
        rows = list(ledger.rows())
        definition_file = out / DEFINITION
        if (parts[0] / DEFINITION).is_file() and not definition_file.exists():
            shutil.copyfile(parts[0] / DEFINITION, definition_file)
        if definition_file.is_file():
            scenarios = {row.place: ledger.task(row.id).scenario for row in reversed(rows)}
            found = list(scenarios.values())
            write_results(out, rows, read_experiment(definition_file), found, command=command, whole=True)
        else:
            write_runs(out, rows)
        ledger.note(TABLED, ledger.fingerprint())
    return rows


def _check_parts(parts: Sequence[Path]) -> None:
    definitions = set()
    for part in parts:
        with Ledger(part / LEDGER, read_only=True) as ledger:
            definitions.add(ledger.noted("definition"))
    if len(definitions) > 1:
        raise InputError(
            "these are parts of different experiments",
            where=", ".join(map(str, parts)),
            remedy="give every part the same experiment.toml",
        )


def _copy(part: Path, out: Path, row: Row, known: dict[str, Row], tell: Callable[[str], None]) -> bool:
    """Bring a run's folder over, if it is what its ledger says; True if it may be entered."""
    source, target = run_folder(part, row.id), run_folder(out, row.id)
    manifest = read_manifest(source)
    content = tables_hash(source) if manifest is not None else None
    if manifest is None or manifest["tripinfo_sha256"] != row.sha256 or row.content not in (None, content):
        tell(f"{source}: not as its ledger says, left out: it will be run again")
        return False
    if (mine := known.get(row.id)) is not None:
        if mine.sha256 != row.sha256:
            raise RunError(
                f"run {row.id[:16]} ({row.place}, {row.controller}, seed {row.seed}) has two results: "
                f"{mine.sha256} and, in {part}, {row.sha256}"
            )
        return False
    folder = store.folder_beside(target)
    for path in source.iterdir():
        shutil.copyfile(path, folder / path.name)
        store.sync(folder / path.name)
    if tables_hash(folder) != content:
        shutil.rmtree(folder)
        raise RunError(f"{source} was not copied whole: the disk may be full or failing")
    store.publish(folder, target)
    known[row.id] = row
    return True
