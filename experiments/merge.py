"""Parts of an experiment, run on several machines, put together: every result is verified first."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from denxanh.experiments.definition.experiment_file import read_experiment
from denxanh.experiments.report.result_folder import write_results
from denxanh.experiments.results.load import LEDGER, TABLED
from denxanh.experiments.results.outputs import (
    COMMAND,
    DEFINED,
    DEFINITION,
    RUNS_FILES,
    Making,
    record_outputs,
    scenarios_of,
)
from denxanh.experiments.results.run_tables import write_runs
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.proof import Record, run_fault
from denxanh.experiments.runs.run_row import RunRow, check_no_links, run_folder
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
        lost = {r.id for r in ledger.records() if run_fault(run_folder(out, r.id), r)}
        edited = ledger.damaged_rows().keys() - lost
        ledger.reset_lost(lost | edited, intact=edited)
        known = {row.id: row for row in ledger.rows() if row.done}
        for part in parts:
            with Ledger(part / LEDGER, read_only=True) as other:
                damaged = other.damaged_rows()
                for what, count in Counter(damaged.values()).items():
                    on_message(f"{part / LEDGER}: {what} ({count} runs), left out: they will be run again")
                good = [
                    row.id
                    for row in other.rows(without=damaged)
                    if row.done and _copy(part, out, row, other.record(row.id), known, on_message)
                ]
                new = ledger.import_runs(other, good)
                if (definition := other.fact(DEFINED)) is not None:
                    ledger.set_fact(DEFINED, definition)
            on_message(f"{part}: {new} runs taken over")
        ledger.set_fact(COMMAND, command)
        rows = list(ledger.rows())
        definition_file = out / DEFINITION
        if (parts[0] / DEFINITION).is_file() and not definition_file.exists():
            shutil.copyfile(parts[0] / DEFINITION, definition_file)
        if definition_file.is_file():
            found = scenarios_of(ledger, rows)
            write_results(out, rows, read_experiment(definition_file), found, command=command, whole=True)
            record_outputs(out, ledger, Making("experiment", command))
        else:
            write_runs(out, rows)
            record_outputs(out, ledger, Making("comparison", command), RUNS_FILES)
        ledger.set_fact(TABLED, ledger.fingerprint())
    return rows


def _check_parts(parts: Sequence[Path]) -> None:
    definitions = set()
    for part in parts:
        check_no_links(part)
        with Ledger(part / LEDGER, read_only=True) as ledger:
            definitions.add(ledger.fact(DEFINED))
    if len(definitions) > 1:
        raise InputError(
            "these are parts of different experiments",
            location=", ".join(map(str, parts)),
            remedy="give every part the same experiment.toml",
        )


def _of_plain_files(folder: Path) -> bool:
    """Whether a folder of a part holds files alone: a symbolic link would bring in a file from elsewhere."""
    if folder.is_symlink() or not folder.is_dir():
        return not folder.is_symlink() and not folder.exists()  # one that is missing has no manifest either
    return all(path.is_file() and not path.is_symlink() for path in folder.iterdir())


def _copy(
    part: Path,
    out: Path,
    row: RunRow,
    record: Record | None,
    known: dict[str, RunRow],
    on_message: Callable[[str], None],
) -> bool:
    """Copy a run's folder if it is as its ledger says; returns whether it may be entered."""
    source, target = run_folder(part, row.id), run_folder(out, row.id)
    if not _of_plain_files(source):
        on_message(f"{source}: it holds a folder or a symbolic link, left out: it will be run again")
        return False
    fault = run_fault(source, record or Record(row.id))
    if fault is not None:
        on_message(f"{fault}, left out: it will be run again")
        return False
    mine = known.get(row.id)
    better = mine is not None and mine.state == "limited" and row.state == "done"
    if mine is not None and not better:
        if mine.sha256 != row.sha256 and mine.state == row.state == "done":
            raise RunError(
                f"run {row.id[:16]} ({row.place}, {row.controller}, seed {row.seed}) has two results: "
                f"{mine.sha256} and, in {part}, {row.sha256}"
            )
        return False
    folder = store.folder_beside(target)
    for path in source.iterdir():
        shutil.copyfile(path, folder / path.name)
        store.sync(folder / path.name)
    if run_fault(folder, record or Record(row.id)) is not None:
        shutil.rmtree(folder)
        raise RunError(f"{source} was not copied whole: the disk may be full or failing")
    store.publish(folder, target)
    known[row.id] = row
    return True
