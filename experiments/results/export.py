"""Results for other programs: CSV of every table, or the runs as NetCDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from denxanh.experiments.results.load import TABLES, load
from denxanh.experiments.results.query import connect
from denxanh.experiments.results.run_tables import replacing
from denxanh.sim.metrics import METRICS

UNITS = {metric.name: metric.unit for metric in METRICS} | {"wall_s": "s", "cpu_s": "s", "demand": "1"}


def export_csv(folder: Path, target: Path) -> list[Path]:
    """``runs.csv`` and the vehicles, intervals, signals and edges of all runs, each in one CSV; returns the files."""
    target.mkdir(parents=True, exist_ok=True)
    results = load(folder)
    written = []
    for name in ("runs", *TABLES):
        if name == "runs" or any((folder / "runs").glob(f"*/*/{name}.parquet")):
            path = target / f"{name}.csv"
            with replacing(path) as new, connect(results, name) as db:
                db.execute(
                    f"COPY (SELECT * FROM {name}) TO '{str(new).replace(chr(39), chr(39) * 2)}' (HEADER)"
                )
            written.append(path)
    return written


def export_netcdf(folder: Path, target: Path) -> Path:
    """``runs.nc`` (NetCDF 3): dimension ``run``, a variable for every column of runs.csv; texts are UTF-8 bytes."""
    from scipy.io import netcdf_file

    target.mkdir(parents=True, exist_ok=True)
    runs = load(folder).runs
    path = target / "runs.nc"
    with replacing(path) as new, netcdf_file(new, "w") as opened:
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
