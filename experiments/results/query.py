"""SQL over an experiment's results, by duckdb.

Views: ``runs``, ``summary``, ``vehicles``, ``intervals``, ``signals``, ``edges``, ``movements``, ``vehicle_types``. The
database is in memory and reaches no file: it gets the tables as open Arrow data sets, and its access to files, the
network and extensions is switched off and locked before the user's SQL runs.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from denxanh.experiments.results.load import TABLES, Results, TableName, load
from denxanh.experiments.results.run_tables import read_rows, summary_table
from denxanh.experiments.results.summary import summarise_rows
from denxanh.experiments.runs.run_row import RUNS, run_folder
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import QUERY_ADDRESSES, QUERY_MEMORY, QUERY_ROWS

_CONFIGURATION = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": QUERY_MEMORY,
    "temp_directory": "",  # nothing is written beside the results when memory runs out
    "python_enable_replacements": False,  # no variable of the calling program is a table
}
_READS = ("SELECT", "EXPLAIN", "MULTI")  # MULTI: what PIVOT expands to


def query(folder: Path, sql: str, *, unsafe: bool = False) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of ``sql``: one statement that reads the views.

    ``unsafe`` allows every statement of duckdb: it can then read and write any file, and use the network.

    Raises:
        InputError: duckdb refuses the SQL, it is no query, or the answer has more than QUERY_ROWS rows.
    """
    check_address_space()
    import duckdb

    with connect(load(folder), sql, unsafe=unsafe) as db:
        try:
            if not unsafe:
                _check_statement(duckdb.extract_statements(sql))
            found = db.execute(sql)
            names = [column[0] for column in found.description or []]
            rows = found.fetchmany(QUERY_ROWS + 1)
        except (duckdb.Error, MemoryError) as error:
            said = " ".join(str(error).partition("\nLINE ")[0].split()) or "out of memory"
            raise InputError(
                f"duckdb says: {said}",
                remedy="docs/results.md has the columns; --unsafe allows other files",
            ) from None
    if len(rows) > QUERY_ROWS:
        raise InputError(
            f"the answer has more than {QUERY_ROWS} rows",
            remedy="aggregate it or add LIMIT; 'denxanh export' writes whole tables",
        )
    return names, rows


def _check_statement(statements: Sequence[Any]) -> None:
    """Raise InputError unless there is one statement and it is a query."""
    if len(statements) != 1:
        raise InputError(f"{len(statements)} SQL statements are given", remedy="give one SELECT")
    try:
        kind = statements[0].type.name
    except ValueError:  # duckdb has no name for all of them
        kind = "another kind of statement"
    if kind not in _READS:
        raise InputError(
            f"the SQL statement is {kind}, which is no query",
            remedy="give one SELECT; --unsafe allows every statement of duckdb",
        )


def connect(results: Results, sql: str, *, unsafe: bool = False) -> Any:
    """A duckdb connection with the views that ``sql`` names: a million files are opened only when asked for.

    ``run``, the first 16 characters of a run's id and the name of its folder, joins the views. Unless ``unsafe``, the
    connection has no access to files, network or extensions, and its settings are locked. Raises InputError where the
    address space of this process is too small.
    """
    limited = check_address_space()
    import duckdb
    import pyarrow as pa

    configuration: dict[str, Any] = {} if unsafe else dict(_CONFIGURATION)
    if limited:  # each thread reserves addresses of its own: 70 MB
        configuration["threads"] = 1
        pa.set_cpu_count(1)
    db = duckdb.connect(":memory:", config=configuration)
    db.register("_runs", pa.table({name: pa.array(column) for name, column in results.runs.items()}))
    db.execute("CREATE VIEW runs AS SELECT substr(id, 1, 16) AS run, * FROM _runs")
    if re.search(r"\bsummary\b", sql, re.IGNORECASE):
        rows = summary_table(summarise_rows(read_rows(results.folder)))
        db.register("_summary", pa.table({name: pa.array(column) for name, column in rows.items()}))
        db.execute("CREATE VIEW summary AS SELECT * FROM _summary")
    for name in TABLES:
        if re.search(rf"\b{name}\b", sql, re.IGNORECASE) and (files := _table_files(results, name)):
            db.register(f"_{name}", _data_set(results.folder / RUNS, files))
            db.execute(f"CREATE VIEW {name} AS SELECT run, * EXCLUDE (run, _shard) FROM _{name}")
    if not unsafe:
        db.execute("SET enable_external_access = false")
        db.execute("SET lock_configuration = true")
    return db


def check_address_space() -> bool:
    """Whether the address space is limited (``ulimit -v``). Raises InputError where less than QUERY_ADDRESSES is left.

    duckdb and Arrow reserve addresses for their threads in C++ and end the process where they get none.
    """
    if sys.platform == "win32":
        return False
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return False
    left = limit - _addresses_in_use()
    if left < QUERY_ADDRESSES:
        raise InputError(
            f"the limit of virtual memory ({limit >> 20} MB) leaves {max(left, 0) >> 20} MB, and duckdb needs "
            f"{QUERY_ADDRESSES >> 20} MB to start",
            remedy=f"raise it by 'ulimit -v {(QUERY_ADDRESSES + limit - left) >> 10}', or limit the memory by a cgroup",
        )
    return True


def _addresses_in_use() -> int:
    """Bytes of address space that this process has, 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _table_files(results: Results, name: TableName) -> list[Path]:
    """The files of one table, of all runs that are complete and have it. Raises InputError for a damaged one."""
    results.require_tables([name])
    found = (run_folder(results.folder, id) / f"{name}.parquet" for id in results.complete_ids())
    return [path for path in found if path.is_file()]


def _data_set(runs: Path, files: Sequence[Path]) -> Any:
    """The files as one Arrow data set, read only when asked for; ``run`` is the name of a file's folder.

    Files are given by name, not by a pattern: folders may have any character in their names. Earlier versions wrote
    fewer columns, which are then empty.
    """
    import pyarrow as pa
    import pyarrow.dataset as arrow
    import pyarrow.parquet as pq

    folders = pa.schema([("_shard", pa.string()), ("run", pa.string())])
    try:
        schemas = [pq.read_schema(path) for path in files]
        return arrow.dataset(
            [str(path) for path in files],
            schema=pa.unify_schemas([*schemas, folders], promote_options="permissive"),
            format="parquet",
            partitioning=arrow.partitioning(folders),
            partition_base_dir=str(runs),
        )
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"the tables of the runs cannot be read ({error})",
            location=str(runs),
            remedy="'denxanh verify' names damaged files",
        ) from None
