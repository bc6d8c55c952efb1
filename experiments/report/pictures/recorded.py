"""Recordings of the runs of a comparison: which runs are simulated again for pictures, and which are too large."""

from __future__ import annotations

from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.run_row import RunRow
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.run.recording import Recording, record_run
from denxanh.sim.run.repetition import StoredRun, open_run
from denxanh.sim.run.store import read_table

MOST_VEHICLE_SECONDS = 6e6
"""A larger run is not simulated again for a page: an hour of 31 signals has about 4 million vehicle-seconds."""


def stored_run(row: RunRow) -> StoredRun:
    """The run in its folder, with its input files where the ledger of the results has them.

    Raises InputError where the run or its inputs are gone or changed.
    """
    if row.folder is None:
        raise InputError(
            "the run was kept without its folder", location=row.controller, remedy="run the experiment again"
        )
    root = row.folder.parents[2] if len(row.folder.parents) > 2 else row.folder
    if not (root / LEDGER).is_file():
        return open_run(row.folder)
    with Ledger(root / LEDGER, read_only=True) as ledger:
        return open_run(row.folder, ledger.specification(row.id).scenario)


def recording_of(row: RunRow, network: Network) -> Recording:
    """The run simulated again. Raises InputError or RunError where that is not possible."""
    return record_run(stored_run(row), network)


def check_size(row: RunRow) -> None:
    """Raise InputError for a run that is too large to be simulated again for a page."""
    if row.folder is None:
        return
    table = read_table(row.folder / "vehicles.parquet", ["duration_s"])
    seconds = float(table["duration_s"][table["duration_s"] > 0].sum())
    if seconds > MOST_VEHICLE_SECONDS:
        raise InputError(
            f"the run has {seconds / 1e6:.1f} million vehicle-seconds; a page takes {MOST_VEHICLE_SECONDS / 1e6:g}",
            location=str(row.folder),
            remedy="draw them one by one with 'denxanh plot'",
        )
