"""Results for a notebook: ``experiments.load(DIR)`` gives the runs as arrays by column name, and each run's tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.results.outputs import require_output
from denxanh.experiments.results.run_tables import runs_table
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.proof import Record, require_tables
from denxanh.experiments.runs.run_row import COMPLETE, run_folder
from denxanh.sim.errors import InputError
from denxanh.sim.run import store
from denxanh.sim.run.store import read_manifest

LEDGER = "ledger.sqlite"
TABLED = "tabled"  # fact in the ledger: the fingerprint that runs.parquet was made from
TableName = Literal["vehicles", "intervals", "signals", "edges", "movements", "vehicle_types"]
TABLES: tuple[TableName, ...] = ("vehicles", "intervals", "signals", "edges", "movements", "vehicle_types")
Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Results:
    """An experiment's results. ``runs``: arrays (runs,) by column name, in the order of runs.csv."""

    folder: Path
    runs: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.runs["id"])

    def where(self, **values: Any) -> Results:
        """The runs with these values, as ``where(controller="program", seed=3)``. InputError for no such column."""
        kept = np.ones(len(self), dtype=np.bool_)
        for name, value in values.items():
            if name not in self.runs:
                raise InputError(f"there is no column {name!r}", remedy=f"there are: {', '.join(self.runs)}")
            kept &= self.runs[name] == value
        return Results(self.folder, {name: column[kept] for name, column in self.runs.items()})

    def table(self, name: TableName, columns: Sequence[str] | None = None) -> Columns:
        """A table of all these runs that are done, one below the other.

        The first column, ``run``, is the begin of the run's id; the others are those of the run's Parquet
        file (docs/results.md). Raises InputError for an unknown name.
        """
        if name not in TABLES:
            raise InputError(f"there is no table {name!r}", remedy=f"there are: {', '.join(TABLES)}")
        parts: list[Columns] = []
        complete = self.complete_ids()
        self.require_tables([name], complete)
        for id in complete:
            path = run_folder(self.folder, id) / f"{name}.parquet"
            if not path.is_file():
                raise InputError(
                    f"the run has no table {name!r}: an earlier version made it",
                    location=str(path.parent),
                    remedy="run it again",
                )
            part = store.read_table(path, columns)
            length = len(next(iter(part.values())))
            parts.append({"run": np.full(length, id[:16]), **part})
        if not parts:
            raise InputError(
                "none of these runs is done", location=str(self.folder), remedy="run the experiment"
            )
        return {column: np.concatenate([part[column] for part in parts]) for column in parts[0]}

    def manifest(self, id: str) -> dict[str, Any]:
        """The manifest of a run. Raises InputError for a run that is not done."""
        target = run_folder(self.folder, id)
        with Ledger(self.folder / LEDGER, read_only=True) as ledger:
            record = ledger.record(id)
        if record is not None:
            require_tables(target, record, ())
        found = read_manifest(target) if record is not None else None
        if found is None:
            raise InputError(
                f"run {id[:16]} has no result", location=str(self.folder), remedy="run the experiment"
            )
        return found

    def statistics(self) -> dict[str, Any]:
        """The content of statistics.json. Raises InputError where it is missing."""
        path = self.folder / "statistics.json"
        if not path.is_file():
            raise InputError(
                "there are no statistics yet", location=str(path), remedy="finish the experiment"
            )
        with Ledger(self.folder / LEDGER, read_only=True) as ledger:
            require_output(self.folder, ledger, path.name)
        data: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return data

    def complete_ids(self) -> list[str]:
        """The ids of the runs that are done or limited, in order."""
        pairs = zip(self.runs["id"], self.runs["status"], strict=True)
        return [id for id, status in pairs if status in COMPLETE]

    def require_tables(self, names: Collection[TableName], ids: Iterable[str] | None = None) -> None:
        """Raise InputError, which names the file, unless these tables of complete runs are as they were written."""
        ids = list(self.complete_ids() if ids is None else ids)
        if not ids:
            return
        files = [f"{name}.parquet" for name in names]
        with Ledger(self.folder / LEDGER, read_only=True) as ledger:
            for id in ids:
                record = ledger.record(id) or Record(id)
                require_tables(run_folder(self.folder, id), record, files)


def load(folder: str | Path) -> Results:
    """The results in an experiment's folder, of this or an earlier version; nothing is written.

    Raises InputError where there are none, or where the ledger or runs.parquet was changed since they were written.
    """
    path = Path(folder)
    with Ledger(path / LEDGER, read_only=True) as ledger:
        ledger.require_intact()
        tabled = path / "runs.parquet"
        if tabled.is_file() and ledger.fact(TABLED) == ledger.fingerprint():
            require_output(path, ledger, tabled.name)
            return Results(path, store.read_table(tabled))
        table = runs_table(list(ledger.rows()))
    return Results(path, {name: _array(column) for name, column in table.items()})


def _array(column: Any) -> NDArray[Any]:
    return column if isinstance(column, np.ndarray) else np.array(column, dtype=object)
