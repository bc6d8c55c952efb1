"""Queries read the results and nothing else; folders may have any name; no CSV holds a formula."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from typer.testing import CliRunner

from denxanh.experiments.cli import printing
from denxanh.experiments.cli.app import app
from denxanh.experiments.results import export
from denxanh.experiments.results.export import export_csv
from denxanh.experiments.results.load import Results, load
from denxanh.experiments.results.pivot import as_csv, markdown, pivot
from denxanh.experiments.results.query import connect, query
from denxanh.experiments.results.run_tables import read_rows, runs_table, write_runs
from denxanh.experiments.runs.run_row import RunRow
from denxanh.networks.importing.import_report import ImportNotes, ImportReport
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import same

RESULTS = Path(__file__).parent / "results_v1"
SECRET = "a secret of another folder"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(RESULTS, tmp_path_factory.mktemp("query") / "results"))


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with files of others, which must be as they were."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.csv").write_text(f"x\n{SECRET}\n")
    duckdb.sql(f"SELECT '{SECRET}' AS x").write_parquet(str(tmp_path / "secret.parquet"))
    with duckdb.connect(str(tmp_path / "secret.db")) as db:
        db.execute(f"CREATE TABLE t AS SELECT '{SECRET}' AS x")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*")}
    yield tmp_path
    assert {path: path.read_bytes() for path in tmp_path.rglob("*")} == before


STATEMENTS = """
COPY runs TO 'out.csv'
COPY (SELECT 1) TO 'out.parquet' (FORMAT parquet)
COPY runs FROM 'secret.csv'
EXPORT DATABASE 'out'
IMPORT DATABASE 'out'
ATTACH 'secret.db' AS other
ATTACH 'out.db' AS other
ATTACH ':memory:' AS other
DETACH memory
USE memory
INSTALL httpfs
LOAD httpfs
FORCE INSTALL sqlite
UPDATE EXTENSIONS
SELECT * FROM read_text('secret.csv')
SELECT * FROM read_blob('secret.csv')
SELECT * FROM read_csv('secret.csv')
SELECT * FROM read_csv_auto(['secret.csv'])
SELECT * FROM read_parquet('secret.parquet')
SELECT * FROM parquet_scan('secret.parquet')
SELECT * FROM parquet_metadata('secret.parquet')
SELECT * FROM parquet_schema('/etc/passwd')
SELECT * FROM read_json('secret.csv')
SELECT * FROM sniff_csv('secret.csv')
SELECT * FROM glob('*')
SELECT * FROM 'secret.csv'
SELECT * FROM 'secret.parquet'
SELECT * FROM '/etc/passwd'
SELECT * FROM read_csv('https://example.com/x.csv')
SELECT * FROM read_parquet('s3://bucket/x.parquet')
SELECT * FROM query('COPY runs TO ''out.csv''')
WITH x AS (SELECT * FROM read_text('secret.csv')) SELECT * FROM runs, x
EXPLAIN ANALYZE COPY runs TO 'out.csv'
EXPLAIN ANALYZE SELECT * FROM read_text('secret.csv')
PRAGMA database_list
PRAGMA enable_profiling
PRAGMA profiling_output='out.json'
SET enable_external_access = true
SET memory_limit = '1TB'
SET temp_directory = 'out'
SET lock_configuration = false
RESET enable_external_access
SET home_directory = '.'
CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')
CREATE PERSISTENT SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')
CREATE TABLE t AS SELECT * FROM read_csv('secret.csv')
CREATE MACRO f() AS TABLE SELECT * FROM read_text('secret.csv')
DROP VIEW runs
CALL pragma_version()
CHECKPOINT
VACUUM
SELECT 1; COPY runs TO 'out.csv'
SELECT 1; SET enable_external_access = true; SELECT * FROM 'secret.csv'
SELECT * FROM RESULTS_OF_PYTHON
SELECT list(range) FROM range(10_000_000_000)
SELECT repeat('a', 10_000_000_000)
SELECT * FROM range(1_000_000_000_000)
SELECT getenv('HOME')
SELECT * FROM no_such_table
SELECT

;
"""
RESULTS_OF_PYTHON = {"x": np.zeros(1)}  # a variable of the calling program is no table


@pytest.mark.parametrize("sql", STATEMENTS.strip("\n").split("\n"))
def test_a_statement_that_reads_or_writes_anything_else(sql: str, folder: Path, outside: Path) -> None:
    with pytest.raises(InputError) as caught:
        query(folder, sql)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM runs",
        "FROM runs SELECT controller, avg(delay_s) GROUP BY ALL",
        "WITH v AS (SELECT run, time_loss_s FROM vehicles) SELECT run, avg(time_loss_s) FROM v GROUP BY run",
        "SELECT r.controller, max(i.queue_mean_veh) FROM runs r JOIN intervals i USING (run) GROUP BY ALL",
        "PIVOT (SELECT controller, seed, delay_s FROM runs) ON controller USING avg(delay_s)",
        "DESCRIBE vehicles",
        "SUMMARIZE runs",
        "SHOW TABLES",
        "EXPLAIN SELECT * FROM runs",
        "VALUES (1)",
    ],
)
def test_a_query(sql: str, folder: Path) -> None:
    try:
        names, rows = query(folder, sql)
    except InputError as error:
        pytest.fail(str(error))
    assert names
    assert rows


def test_unsafe_is_all_of_duckdb(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    query(folder, f"COPY runs TO '{target}'", unsafe=True)
    assert target.is_file()
    done = CliRunner().invoke(app, ["query", "--unsafe", str(folder), f"SELECT * FROM '{target}'"])
    assert done.exit_code == 0
    refused = CliRunner().invoke(app, ["query", str(folder), f"SELECT * FROM read_csv('{target}')"])
    assert isinstance(refused.exception, InputError)


def test_a_connection_has_no_way_to_files_even_without_the_check_of_statements(
    folder: Path, outside: Path
) -> None:
    with connect(load(folder), "") as db:
        for sql in (
            "COPY runs TO 'out.csv'",
            "ATTACH 'secret.db'",
            "SET enable_external_access = true",
            "LOAD httpfs",
        ):
            with pytest.raises(duckdb.Error):
                db.execute(sql)


NAMES = """a* a? a[1] a[!b] {a,b} it's a"b a%20b a;b ** ăđ a--b $HOME s3:x""".split()


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_any_name(name: str, folder: Path, tmp_path: Path) -> None:
    """A second folder beside it, which a pattern would match too, must not be counted."""
    other, place = tmp_path / "a1", tmp_path / name
    for target in (other, place, tmp_path / "ab"):
        shutil.copytree(folder, target)
    tables = ("runs", "vehicles", "intervals", "signals", "edges")
    counts = "SELECT " + ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    assert query(place, counts) == query(folder, counts)
    names = {path.name for path in export_csv(place, place / "export")}
    assert names == {"runs.csv", "vehicles.csv", "intervals.csv", "signals.csv", "edges.csv"}
    exported = (place / "export" / "vehicles.csv").read_text("utf-8").splitlines()
    assert len(exported) - 1 == query(folder, "SELECT count(*) FROM vehicles")[1][0][0]
    rows = read_rows(place)
    assert markdown(pivot(rows, "delay_s")) == markdown(pivot(read_rows(folder), "delay_s"))
    write_runs(place, rows)
    assert len(load(place)) == len(load(folder))


FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-E0", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "=HYPERLINK(0)"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_csv_holds_a_formula(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = RunRow(
        id="0" * 64, number=0, place=text, demand=1.0, controller=text, seed=1, state="done", reason=text,
        metrics={"delay_s": -2.5},
    )  # fmt: skip
    write_runs(tmp_path, [row])
    printing.print_table([text, "n"], [(text, -2.5)])
    results = Results(
        tmp_path,
        {
            k: np.array(v, dtype=None if isinstance(v, np.ndarray) else object)
            for k, v in runs_table([replace(row, state="failed")]).items()  # without tables
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export, "load", lambda folder: results)
        export_csv(tmp_path, tmp_path / "export")
    written = {
        "runs": (tmp_path / "runs.csv").read_text("utf-8"),
        "export": (tmp_path / "export" / "runs.csv").read_text("utf-8"),
        "table": as_csv(pivot([row], "delay_s")),
        "query": capsys.readouterr().out,
    }
    for name, content in written.items():
        cells = [cell for line in csv.reader(io.StringIO(content, newline="")) for cell in line]
        assert not [
            c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r", "＝")) and c != "-2.5"
        ], name
        assert "-2.5" in cells, name
        assert any(c.startswith("'") or c == text.strip() for c in cells), name


def test_the_page_of_an_import_loads_nothing() -> None:
    page = ImportReport("<script>", "a", same(""), 0, 0, 0.0, same(""), 0, ImportNotes()).html()
    assert "Content-Security-Policy" in page
    assert "default-src &#39;none&#39;" in page
    assert "unsafe-inline" not in page


def test_the_summary_is_a_view_with_the_gains(folder: Path) -> None:
    names, rows = query(
        folder, "SELECT * FROM summary WHERE metric = 'delay_s' AND NOT isnan(gain_existing) ORDER BY ALL"
    )
    assert names[4:8] == [
        "gain_conventional",
        "gain_conventional_low",
        "gain_conventional_high",
        "gain_existing",
    ]
    assert rows
    means = {
        row[2]: row[names.index("mean")]
        for row in query(folder, "SELECT * FROM summary WHERE metric = 'delay_s'")[1]
    }
    for row in rows:
        assert row[names.index("gain_existing")] == pytest.approx(means["program"] - means[row[2]])
