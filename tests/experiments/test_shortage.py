"""A locked ledger, a full disk and a lack of memory end within seconds, in a sentence that is true."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

import denxanh as dx
from denxanh.experiments.cli import app as command_line
from denxanh.experiments.results import export
from denxanh.experiments.runs import ledger_file
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.ledger_file import write_error
from denxanh.experiments.specification.run_options import Limits
from denxanh.sim.errors import RunError

RESULTS = Path(__file__).parent / "results_v1"


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of results whose ledger another process holds."""
    monkeypatch.setattr(ledger_file, "WAIT", 0.05)
    folder = Path(shutil.copytree(RESULTS, tmp_path / "results"))
    other = sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")
    yield folder
    other.close()


@pytest.mark.parametrize("read_only", [True, False])
def test_a_locked_ledger(read_only: bool, locked: Path) -> None:
    with pytest.raises(RunError, match="another process has locked the ledger"):
        Ledger(locked / "ledger.sqlite", read_only=read_only)


@pytest.mark.parametrize("command", [("query", "SELECT 1"), ("table",), ("verify",), ("export", "--csv")])
def test_a_command_on_a_locked_ledger(command: tuple[str, ...], locked: Path) -> None:
    name, *more = command
    done = CliRunner().invoke(command_line.app, [name, str(locked), *more])
    assert isinstance(done.exception, RunError)
    assert "another process has locked the ledger" in str(done.exception)


def test_a_ledger_is_waited_for_for_seconds() -> None:
    assert ledger_file.WAIT <= 10.0


@pytest.mark.parametrize(
    ("said", "true"),
    [("database is locked", "locked by another process"), ("database or disk is full", "make room")],
)
def test_why_a_ledger_cannot_be_written(said: str, true: str) -> None:
    assert true in str(write_error(sqlite3.OperationalError(said), "results"))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MemoryError(), "memory that this process may use is not enough"),
        (ImportError("x.so: failed to map segment from shared object"), "memory that this process may use"),
        (ImportError("No module named 'numpy'"), "cannot be loaded (No module named 'numpy')"),
        (sqlite3.OperationalError("database is locked"), "locked by another process"),
        (sqlite3.OperationalError("database or disk is full"), "make room"),
        (OSError(28, "No space left on device", "results"), "No space left on device"),
    ],
    ids=str,
)
def test_the_command_line_ends_in_a_sentence(
    error: BaseException, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(command_line, "program", lambda name: fail)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 2
    printed = capsys.readouterr().err
    assert sentence in printed
    assert printed.count("\n") == 1


def test_an_export_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def execute(self, sql: str) -> None:
            raise duckdb.IOException("Could not write file: No space left on device")

    with pytest.raises(RunError, match=r"No space left on device.*make room"):
        export._execute(Full(), "COPY")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_a_run_that_needs_more_memory_than_it_may(tiny_place: Any, tmp_path: Path) -> None:
    """The process of the run meets its limit; the command line says so and nothing is left."""
    with pytest.raises(RunError) as caught:
        dx.run(tiny_place.config, "program", out=tmp_path / "out", limits=Limits(60.0, memory_mb=64))
    assert "64 MB" in str(caught.value)
    assert not (tmp_path / "out").exists()


QUERY = """
import resource, sys
from pathlib import Path
from denxanh.experiments.results.query import query
from denxanh.sim.errors import InputError
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]) << 20, resource.RLIM_INFINITY))
try:
    print(query(Path(sys.argv[1]), "SELECT count(*) FROM vehicles")[1][0][0] > 0)
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
@pytest.mark.parametrize(("limit", "said"), [(600, "raise it by 'ulimit -v"), (4900, "True")])
def test_a_query_in_a_small_address_space(limit: int, said: str) -> None:
    """duckdb ended the process by a segmentation fault, at any limit below 2.6 GB."""
    command = [sys.executable, "-c", QUERY, str(RESULTS), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert done.stdout.count("\n") == 1
