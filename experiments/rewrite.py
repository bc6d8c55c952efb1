"""Tables and the report of results written again from their ledger and run folders, with nothing simulated."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from denxanh.experiments.definition.experiment_file import read_experiment
from denxanh.experiments.report.comparison_report import write_comparison
from denxanh.experiments.report.page import Language, shown_first
from denxanh.experiments.report.result_folder import write_results
from denxanh.experiments.results.load import LEDGER, TABLED
from denxanh.experiments.results.outputs import (
    DEFINITION,
    FILES,
    Making,
    changed_definition,
    making_of,
    record_outputs,
)
from denxanh.experiments.results.run_scenarios import read_scenarios
from denxanh.experiments.results.run_tables import write_runs, write_summary
from denxanh.experiments.results.summary import summarise_rows
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.proof import require_tables
from denxanh.experiments.runs.run_row import RunRow, run_folder
from denxanh.experiments.runs.runner import output_lock
from denxanh.sim.errors import InputError
from denxanh.sim.run.store import replacing
from denxanh.sim.scenario import Scenario

REPORT = "report.html"


def rewrite(folder: Path) -> Path:
    """Write the tables and the report of an experiment's or a comparison's folder; returns the report's path.

    Raises InputError where no run is done, something is damaged, or an input file of the places is not on this machine.
    """
    with Ledger(folder / LEDGER, read_only=True):  # there is one
        pass
    with output_lock(folder), Ledger(folder / LEDGER) as ledger:
        ledger.require_intact()
        rows = list(ledger.rows())
        for record in ledger.records():
            require_tables(run_folder(folder, record.id), record)
        if what := changed_definition(folder, ledger):
            remedy = "run the experiment again, or put the file back"
            raise InputError(what, location=str(folder / DEFINITION), remedy=remedy)
        scenarios = read_scenarios(ledger, rows, folder)
        making = making_of(folder, ledger)
        write_outputs(folder, folder, making, rows, scenarios)
        ledger.set_fact(TABLED, ledger.fingerprint())
        record_outputs(folder, ledger, making)
    return folder / REPORT


def write_in_language(page: Path, language: Language) -> Path:
    """Write ``report-vi.html`` or ``report-en.html`` beside a report: the same page, opened in that language."""
    target = page.with_name(f"report-{language}.html")
    with replacing(target) as draft:
        draft.write_bytes(shown_first(page.read_text("utf-8"), language).encode("utf-8"))
    return target


def write_outputs(
    folder: Path,
    target: Path,
    making: Making,
    rows: Sequence[RunRow],
    scenarios: Sequence[Scenario],
    names: Collection[str] = FILES,
) -> None:
    """Write tables and report of the results in ``folder`` into ``target``.

    Of a comparison summary and report are only written if ``names`` has them.
    """
    if making.maker == "experiment":
        definition = read_experiment(folder / DEFINITION)
        write_results(target, rows, definition, scenarios, command=making.command, whole=making.whole)
        return
    write_runs(target, rows)
    if "summary.csv" in names:
        write_summary(target, summarise_rows(rows))
    if REPORT in names:
        write_comparison(target, scenarios, rows, command=making.command)
