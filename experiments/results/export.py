"""Results for other programs: CSV of every table, or the runs as NetCDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from denxanh.experiments.results.load import TABLES, load
from denxanh.experiments.results.query import connect
from denxanh.sim.errors import RunError
from denxanh.sim.input.text_files import FORMULA, NUMBER
from denxanh.sim.metrics import METRICS
from denxanh.sim.run import store

UNITS = {metric.name: metric.unit for metric in METRICS} | {"wall_s": "s", "cpu_s": "s", "demand": "1"}


def export_csv(folder: Path, target: Path) -> list[Path]:
    """``runs.csv`` and the vehicles, intervals, signals and edges of all runs, each in one CSV; returns the files."""
    target.mkdir(parents=True, exist_ok=True)
    results = load(folder)
    written = []
    for name in ("runs", *TABLES):
        with connect(results, name, unsafe=True) as db:
            if not _has(db, name):  # runs of an earlier version, which had no such table
                continue
            path = target / f"{name}.csv"
            with store.replacing(path) as new:
                literal = str(new).replace("'", "''")
                _execute(db, f"COPY ({_guarded(db, name)}) TO '{literal}' (FORMAT csv, HEADER)")
            written.append(path)
    return written


def _has(db: Any, name: str) -> bool:
    return bool(db.execute("SELECT 1 FROM duckdb_views() WHERE view_name = ?", [name]).fetchone())


def _execute(db: Any, sql: str) -> None:
    """Execute ``sql``. Raises RunError for a full disk or memory, and for damaged tables."""
    import duckdb

    try:
        db.execute(sql)
    except duckdb.Error as error:
        said = " ".join(str(error).split())
        raise RunError(
            f"the export failed ({said}); make room, or let 'denxanh verify' find damage"
        ) from None


def _guarded(db: Any, table: str) -> str:
    """The SELECT of a table whose texts are written as ``csv_cell`` writes them."""
    columns = db.execute(f"DESCRIBE {table}").fetchall()
    return f"SELECT {', '.join(_cell(name, kind) for name, kind, *_ in columns)} FROM {table}"


def _cell(column: str, kind: str) -> str:
    """A column in SQL, guarded where it holds texts."""
    name = '"' + column.replace('"', '""') + '"'
    if kind != "VARCHAR":
        return name
    formula = (
        f"list_contains([{_BEGINNINGS}], ltrim({name})[1]) AND NOT regexp_full_match({name}, '{NUMBER}')"
    )
    return f"CASE WHEN {formula} THEN chr(39) || {name} ELSE {name} END AS {name}"


_BEGINNINGS = ", ".join(f"chr({ord(letter)})" for letter in FORMULA)


def export_netcdf(folder: Path, target: Path) -> Path:
    """``runs.nc`` (NetCDF 3): dimension ``run``, a variable for every column of runs.csv; texts are UTF-8 bytes."""
    from scipy.io import netcdf_file

    target.mkdir(parents=True, exist_ok=True)
    runs = load(folder).runs
    path = target / "runs.nc"
    with store.replacing(path) as new, netcdf_file(new, "w") as opened:
        file: Any = opened
        file.title = "runs of a denxanh experiment"
        file.createDimension("run", len(runs["id"]))
        for name, column in runs.items():
            _write(file, name, column)
    return path


def _write(file: Any, name: str, column: np.ndarray[Any, Any]) -> None:
    if column.dtype.kind == "f":
        variable = file.createVariable(name, "d", ("run",))
        variable[:] = column
        variable.units = UNITS.get(name, "1")
    elif column.dtype.kind == "i":
        variable = file.createVariable(name, "i", ("run",))
        variable[:] = column.astype(np.int32)  # NetCDF 3 has no wider whole numbers
    else:
        texts = [str(text).encode() for text in column]
        width = max(map(len, texts), default=1) or 1
        file.createDimension(f"{name}_length", width)
        variable = file.createVariable(name, "c", ("run", f"{name}_length"))
        for i, text in enumerate(texts):
            variable[i, :] = np.frombuffer(text.ljust(width, b"\0"), dtype="S1")
