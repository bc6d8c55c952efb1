"""A damaged folder of results: resuming names the damage and mends it, reading commands refuse to compute with it."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh import experiments
from denxanh.experiments.report import comparison_report
from denxanh.experiments.results.load import TABLES
from denxanh.experiments.runs import proof
from denxanh.experiments.runs.ledger import Ledger
from denxanh.experiments.runs.local import Local
from denxanh.experiments.runs.run_row import run_folder
from denxanh.experiments.runs.runner import reset_unproven
from denxanh.sim.errors import InputError
from denxanh.sim.run.provenance import hash_file
from denxanh.sim.run.store import MANIFEST, write_json


class Folder:
    """Results to damage."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.ledger = out / "ledger.sqlite"
        with sqlite3.connect(self.ledger) as db:
            self.ids: list[str] = [id for (id,) in db.execute("SELECT id FROM runs ORDER BY number")]
        db.close()

    def sql(self, text: str) -> None:
        with sqlite3.connect(self.ledger) as db:
            db.execute(text)
        db.close()

    def run(self, number: int = 0) -> Path:
        return run_folder(self.out, self.ids[number])

    def manifest(self, number: int = 0) -> Path:
        return self.run(number) / MANIFEST

    def vehicles(self, number: int = 0) -> Path:
        return self.run(number) / "vehicles.parquet"

    def swap(self) -> None:
        self.run(0).rename(self.out / "kept")
        self.run(1).rename(self.run(0))
        (self.out / "kept").rename(self.run(1))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path, place: float = 0.5) -> None:
    """One bit of a file."""
    content = bytearray(path.read_bytes())
    content[int(len(content) * place)] ^= 1
    path.write_bytes(content)


def instead(path: Path, make: Callable[[Path], object]) -> None:
    """Something else under the name of a file."""
    path.unlink()
    make(path)


def leave_behind(f: Folder) -> None:
    """What a killed process leaves."""
    stale = f.run().with_name(f".{f.run().name}-abc123")
    stale.mkdir()
    (stale / "vehicles.parquet").write_bytes(b"half")
    (f.out / ".runs.csv.new").write_bytes(b"half")
    (f.out / "jobs" / "old").mkdir(parents=True)
    (f.out / "experiment.new").write_text("half")
    f.sql("UPDATE runs SET state = 'running' WHERE number = 0")


def refused_by_mode(path: Path) -> str:
    """The hash of a file, for root too only where its mode lets somebody read it."""
    if not path.stat().st_mode & 0o444:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return hash_file(path)


def better_delay(f: Folder) -> None:
    """The folder agrees with itself, its metric is another."""
    data = json.loads(f.manifest().read_text("utf-8"))
    data["metrics"]["delay_s"] = 1.0
    write_json(f.manifest(), data)


NOTHING = r"^$"
ROW = "1 row is made again from the folders of the runs: "
AGAIN = "1 run is done again: "
DAMAGES: dict[str, tuple[Callable[[Folder], object], str]] = {
    "table cut off": (lambda f: cut(f.vehicles()), AGAIN + "the file is cut off"),
    "table empty": (lambda f: f.vehicles().write_bytes(b""), AGAIN + "the file is empty"),
    "table missing": (lambda f: f.vehicles().unlink(), AGAIN + "the file is missing"),
    "table longer": (
        lambda f: f.vehicles().write_bytes(f.vehicles().read_bytes() + b"x"), AGAIN + "the file is longer",
    ),
    "bit flipped": (lambda f: flip(f.vehicles()), AGAIN + "the content of the file was changed"),
    "bits flipped in three runs": (
        lambda f: [flip(f.vehicles(n)) for n in range(3)], "3 runs are done again: the content of the file",
    ),
    "table of another run": (lambda f: shutil.copy(f.vehicles(1), f.vehicles(0)), AGAIN + "the (file|content)"),
    "a folder as table": (lambda f: instead(f.vehicles(), Path.mkdir), AGAIN + "this is not a file"),
    "a pipe as table": (lambda f: instead(f.vehicles(), os.mkfifo), AGAIN + "this is not a file"),
    "a dangling link": (
        lambda f: instead(f.vehicles(), lambda path: path.symlink_to("nowhere")), AGAIN + "the file is missing",
    ),
    "no access": (lambda f: f.vehicles().chmod(0), AGAIN + "the file cannot be read"),
    "a table more": (
        lambda f: (f.run() / "vehicles (copy).parquet").write_bytes(b"x"), AGAIN + "this table was not written",
    ),
    "manifest cut off": (lambda f: cut(f.manifest()), AGAIN + "this is not JSON"),
    "manifest empty": (lambda f: f.manifest().write_bytes(b""), AGAIN + "the file is empty"),
    "manifest missing": (lambda f: f.manifest().unlink(), AGAIN + "the file is missing"),
    "manifest a list": (lambda f: f.manifest().write_text("[]"), AGAIN + "this is not the manifest"),
    "manifest deep": (lambda f: f.manifest().write_text("[" * 100000), AGAIN + "this is not JSON"),
    "manifest in UTF-16": (
        lambda f: f.manifest().write_text(f.manifest().read_text("utf-8"), encoding="utf-16"),
        AGAIN + "this is not JSON in UTF-8",
    ),
    "manifest of another run": (
        lambda f: shutil.copy(f.manifest(1), f.manifest(0)), AGAIN + "this is the manifest of another run",
    ),
    "manifest's digit": (
        lambda f: f.manifest().write_text(f.manifest().read_text("utf-8").replace('"seed": 1', '"seed": 3')),
        AGAIN + "the manifest was changed",
    ),
    "manifest's metric": (better_delay, AGAIN + "the manifest was changed"),
    "folder missing": (lambda f: shutil.rmtree(f.run()), AGAIN + "the folder of the run is missing"),
    "a file as folder": (
        lambda f: (shutil.rmtree(f.run()), f.run().write_text("x")), AGAIN + "this is not the folder of a run",
    ),
    "all folders missing": (
        lambda f: shutil.rmtree(f.out / "runs"), "4 runs are done again: the folder of the run is missing",
    ),
    "folders swapped": (Folder.swap, "2 runs are done again: this is the manifest of another run"),
    "rows removed": (lambda f: f.sql("DELETE FROM runs WHERE number > 1"), "rows were removed or added"),
    "row edited": (lambda f: f.sql("UPDATE runs SET wall_s = 0 WHERE number = 1"), ROW + "the ledger's row"),
    "metrics no JSON": (lambda f: f.sql("UPDATE runs SET metrics = '{' WHERE number = 1"), ROW + "the ledger's row"),
    "metrics gone": (lambda f: f.sql("UPDATE runs SET metrics = NULL"), "4 rows are made again from the folders"),
    "text no UTF-8": (
        lambda f: f.sql("UPDATE runs SET sha256 = CAST(x'ff41' AS TEXT) WHERE number = 1"), ROW + "the ledger's row",
    ),
    "unknown state": (lambda f: f.sql("UPDATE runs SET state = 'fine' WHERE number = 1"), ROW + "the ledger has"),
    "done called failed": (
        lambda f: f.sql("UPDATE runs SET state = 'failed' WHERE number = 1"), ROW + "the ledger's row",
    ),
    "seed edited": (lambda f: f.sql("UPDATE runs SET seed = 77"), "description of the run was changed in 4 rows"),
    "task edited": (lambda f: f.sql("UPDATE runs SET task = '{'"), "description of the run was changed in 4 rows"),
    "scenario edited": (lambda f: f.sql("UPDATE scenarios SET json = '{}'"), NOTHING),
    "row doubled": (
        lambda f: f.sql(
            "INSERT INTO runs SELECT iif(id LIKE 'f%', 'e', 'f') || substr(id, 2), 4, place, demand, controller, 3, "
            "task, state, attempts, reason, wall_s, cpu_s, sha256, metrics, content, scenario, manifest, specified, "
            "recorded FROM runs WHERE number = 0"
        ),
        "rows were removed or added",
    ),
    "ledger cut off": (lambda f: cut(f.ledger), "it is kept as ledger.sqlite.damaged-1 and a new one is made"),
    "ledger of zeros": (lambda f: f.ledger.write_bytes(b"\0" * 20000), "it is kept as ledger.sqlite.damaged-1"),
    "ledger a text": (lambda f: f.ledger.write_text("{}" * 999, encoding="utf-16"), "kept as ledger.sqlite.damaged-1"),
    "ledger empty": (lambda f: f.ledger.write_bytes(b""), "the ledger is missing or empty"),
    "ledger missing": (lambda f: f.ledger.unlink(), "the ledger is missing or empty"),
    "ledger without runs": (lambda f: f.sql("DROP TABLE runs"), "rows were removed or added"),
    "ledger without a column": (
        lambda f: f.sql("ALTER TABLE runs RENAME COLUMN sha256 TO other"), "has no sha256; it is kept",
    ),
    "ledger of no version": (lambda f: f.sql("UPDATE meta SET value = 'x' WHERE key = 'version'"), "it is kept as"),
    "left-overs of a kill": (leave_behind, NOTHING),
    "tables damaged": (
        lambda f: [cut(f.out / name) for name in ("runs.csv", "runs.parquet", "summary.csv", "statistics.json")],
        NOTHING,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DAMAGES)
def test_resuming_names_and_mends(
    kind: str, small_experiment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison_report, "write_comparison", lambda *_, **__: None)
    monkeypatch.setattr(proof, "hash_file", refused_by_mode)
    out = small_experiment.copy(tmp_path)
    damage, expected = DAMAGES[kind]
    damage(Folder(out))
    told = [line for line in small_experiment.resume(out) if " runs, " not in line]
    assert re.search(expected, "\n".join(told)), told
    assert len(told) == (0 if expected == NOTHING else 1)
    for name in ("runs.csv", "summary.csv", "statistics.json"):
        assert (out / name).read_bytes() == (small_experiment.folder / "out" / name).read_bytes(), name
    with Ledger(out / "ledger.sqlite") as ledger:
        reset_unproven(ledger, Local(out, jobs=1), told.append)
        assert ledger.counts() == {"done": 4}
        assert len(experiments.load(out).table("vehicles")["id"]) > 0


READERS = (
    ("query", "SELECT count(*) FROM {table}"),
    ("export", "--csv"),
)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
def test_readers_name_a_damaged_table(
    table: str,
    damage: Callable[[Path], object],
    small_experiment: Any,
    tmp_path: Path,
    here: Callable[..., Any],
) -> None:
    out = small_experiment.copy(tmp_path)
    path = Folder(out).run(2) / f"{table}.parquet"
    damage(path)
    for command, argument in READERS:
        ended = here(command, out, argument.format(table=table))
        assert ended.status == 2
        assert str(path) in ended.stderr
    with pytest.raises(InputError, match=re.escape(str(path))):
        experiments.load(out).table(table)
    assert here("query", out, "SELECT count(*) FROM runs").status == 0


LEDGERS: dict[str, Callable[[Folder], object]] = {
    "row edited": lambda f: f.sql("UPDATE runs SET metrics = replace(metrics, '1', '2') WHERE number = 1"),
    "metrics no JSON": lambda f: f.sql("UPDATE runs SET metrics = '{' WHERE number = 1"),
    "label edited": lambda f: f.sql("UPDATE runs SET controller = 'webster' WHERE number = 1"),
    "row removed": lambda f: f.sql("DELETE FROM runs WHERE number = 1"),
    "cut off": lambda f: cut(f.ledger),
    "a text": lambda f: f.ledger.write_text("no ledger at all " * 99),
}


@pytest.mark.parametrize("kind", LEDGERS)
def test_readers_name_a_damaged_ledger(
    kind: str, small_experiment: Any, tmp_path: Path, here: Callable[..., Any]
) -> None:
    out = small_experiment.copy(tmp_path)
    LEDGERS[kind](Folder(out))
    for command in (["query", "SELECT 1 FROM runs"], ["table"], ["export", "--netcdf"]):
        ended = here(command[0], out, *command[1:])
        assert ended.status == 2, ended
        assert "ledger.sqlite" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_readers_name_other_damaged_files(small_experiment: Any, tmp_path: Path) -> None:
    out = small_experiment.copy(tmp_path)
    results = experiments.load(out)
    flip(out / "statistics.json")
    with pytest.raises(InputError, match=r"statistics\.json: the file was changed"):
        results.statistics()
    cut(Folder(out).manifest(1))
    with pytest.raises(InputError, match=r"manifest\.json: this is not JSON"):
        results.manifest(Folder(out).ids[1])
    flip(out / "runs.parquet")
    with pytest.raises(InputError, match=r"runs\.parquet: the file was changed"):
        experiments.load(out)
