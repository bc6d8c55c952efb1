"""The scenarios of stored results, from their ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from denxanh.experiments.results.outputs import scenarios_of
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario


def read_scenarios(ledger: Ledger, rows: Sequence[RunRow], folder: Path) -> list[Scenario]:
    """The scenario of each place, in the order of ``rows``.

    Raises InputError where no run is done, or an input file of the places is not on this machine.
    """
    if not any(row.done for row in rows):
        raise InputError("no run is done", location=str(folder), remedy="run the experiment first")
    scenarios = scenarios_of(ledger, rows)
    for scenario in scenarios:
        for path in scenario.inputs():
            if not path.is_file():
                raise InputError(
                    f"the input file {str(path)!r} is not on this machine",
                    location=str(folder),
                    remedy="use 'denxanh pack' where it is, to bring results and inputs here",
                )
    return scenarios
