"""SQL over an experiment's results, by duckdb: views ``runs``, ``vehicles``, ``intervals``, ``signals``, ``edges``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from denxanh.experiments.results.load import TABLES, Results, load
from denxanh.sim.errors import InputError


def query(folder: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of ``sql``. Raises InputError for SQL that duckdb refuses."""
    import duckdb

    with connect(load(folder), sql) as db:
        try:
            found = db.execute(sql)
            names = [column[0] for column in found.description or []]
            return names, found.fetchall()
        except duckdb.Error as error:
            raise InputError(
                f"duckdb says: {error}", remedy="see docs/experiments.md for the columns"
            ) from None


def connect(results: Results, sql: str) -> Any:
    """A duckdb connection with the views that ``sql`` names: a million files are opened only when asked for.

    ``run``, the first 16 characters of a run's id and the name of its folder, joins the views.
    """
    import duckdb
    import pyarrow as pa

    db = duckdb.connect(":memory:")
    db.register("_runs", pa.table({name: pa.array(column) for name, column in results.runs.items()}))
    db.execute("CREATE VIEW runs AS SELECT substr(id, 1, 16) AS run, * FROM _runs")
    for name in TABLES:
        if re.search(rf"\b{name}\b", sql, re.IGNORECASE):
            files = (results.folder / "runs").resolve().as_posix().replace("'", "''") + f"/*/*/{name}.parquet"
            db.execute(
                f"CREATE VIEW {name} AS SELECT regexp_extract(filename, '([0-9a-f]{{16}})[^0-9a-f]{name}', 1) AS run, "
                f"* EXCLUDE filename FROM read_parquet('{files}', filename = true, union_by_name = true) "
                "WHERE run IN (SELECT run FROM runs WHERE status = 'done')"
            )
    return db
