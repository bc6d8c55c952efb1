"""Parts of an experiment, run on several machines, put together: every result is verified first."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from denxanh.experiments.definition.experiment_file import read_experiment
from denxanh.experiments.report.result_folder import write_results
from denxanh.experiments.results.load import DEFINITION, LEDGER, TABLED
from denxanh.experiments.results.run_tables import write_runs
from denxanh.experiments.runs.execution import read_manifest, tables_hash
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow, run_folder
from denxanh.experiments.runs.runner import output_lock
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.run import store


def merge(
    out: Path, parts: Sequence[Path], *, on_message: Callable[[str], None], command: str = ""
) -> list[RunRow]:
    """Copy the done runs of ``parts`` into ``out`` (new, or merged into before), write the tables of the whole.

    Returns all runs now there; runs that no part has done are not among them.

    Raises InputError for parts of different experiments, RunError for two different results of one run.
    """
    _check_parts(parts)
    with output_lock(out), Ledger(out / LEDGER) as ledger:
        known = {row.id: row for row in ledger.rows() if row.done}
        for part in parts:
            with Ledger(part / LEDGER, read_only=True) as other:
                good = [
                    row.id for row in other.rows() if row.done and _copy(part, out, row, known, on_message)
                ]
                new = ledger.import_runs(other, good)
                if (definition := other.fact("definition")) is not None:
                    ledger.set_fact("definition", definition)
            on_message(f"{part}: {new} runs taken over")
        rows = list(ledger.rows())
        definition_file = out / DEFINITION
        if (parts[0] / DEFINITION).is_file() and not definition_file.exists():
            shutil.copyfile(parts[0] / DEFINITION, definition_file)
        if definition_file.is_file():
            scenarios = {row.place: ledger.specification(row.id).scenario for row in reversed(rows)}
            found = list(scenarios.values())
            write_results(out, rows, read_experiment(definition_file), found, command=command, whole=True)
        else:
            write_runs(out, rows)
        ledger.set_fact(TABLED, ledger.fingerprint())
    return rows


def _check_parts(parts: Sequence[Path]) -> None:
    definitions = set()
    for part in parts:
        with Ledger(part / LEDGER, read_only=True) as ledger:
            definitions.add(ledger.fact("definition"))
    if len(definitions) > 1:
        raise InputError(
            "these are parts of different experiments",
            location=", ".join(map(str, parts)),
            remedy="give every part the same experiment.toml",
        )


def _copy(
    part: Path, out: Path, row: RunRow, known: dict[str, RunRow], on_message: Callable[[str], None]
) -> bool:
    """Copy a run's folder if it is as its ledger says; returns whether it may be entered."""
    source, target = run_folder(part, row.id), run_folder(out, row.id)
    manifest = read_manifest(source)
    content = tables_hash(source) if manifest is not None else None
    if manifest is None or manifest["tripinfo_sha256"] != row.sha256 or row.content not in (None, content):
        on_message(f"{source}: not as its ledger says, left out: it will be run again")
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
