"""The sqlite file of a ledger: opened, brought up to date and checked, and what is said of locks, disks and damage."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from denxanh.experiments.runs.ledger_checksums import RECORDED, SPECIFIED
from denxanh.experiments.runs.proof import UNREADABLE
from denxanh.experiments.runs.run_row import check_id
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.run.store import name_aside

VERSION = 3
WAIT = 5.0  # s for another process to let go of the ledger; one that writes holds it for some ms
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS scenarios (id TEXT PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY,         -- RunSpecification.identity()
    number INTEGER NOT NULL,     -- order in the experiment; -1: no run of it any more
    place TEXT NOT NULL,
    demand REAL NOT NULL,
    controller TEXT NOT NULL,
    seed INTEGER NOT NULL,
    task TEXT NOT NULL,          -- JSON of the RunSpecification, without its scenario
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    wall_s REAL,
    cpu_s REAL,
    sha256 TEXT,                 -- of the tripinfo
    metrics TEXT,                -- JSON
    content TEXT,                -- SHA-256 over the run's tables
    scenario TEXT,               -- id in scenarios; NULL in rows of version 1, whose task contains it
    manifest TEXT,               -- SHA-256 of the manifest; NULL in rows of versions 1 and 2, like the two below
    specified TEXT,              -- checksum of the columns that the specification determines
    recorded TEXT                -- checksum of the columns that the result determines
);
CREATE INDEX IF NOT EXISTS runs_state ON runs (state, number);
"""
_FROM_1 = """
ALTER TABLE runs ADD COLUMN content TEXT;
ALTER TABLE runs ADD COLUMN scenario TEXT;
"""
_FROM_2 = """
ALTER TABLE runs ADD COLUMN manifest TEXT;
ALTER TABLE runs ADD COLUMN specified TEXT;
ALTER TABLE runs ADD COLUMN recorded TEXT;
"""


class DamagedLedger(InputError):
    """The file is no ledger, or not one as denxanh wrote it."""

    def __init__(self, what: str, path: Path) -> None:
        super().__init__(
            what, location=str(path), remedy="run the experiment again, which makes a new one from the runs"
        )


def open_ledger(path: Path, *, read_only: bool) -> tuple[sqlite3.Connection, int]:
    """The open file, and the version of its tables; one that is not ``read_only`` is made or brought up to date.

    Raises InputError for a file that cannot be opened or is no ledger, RunError for one that is locked or has no room.
    """
    db = _open(path, read_only)
    try:
        db.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
        if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise DamagedLedger(f"the ledger is damaged ({found})", path)
        version = _read_version(db, path) if read_only else _prepare(db, path)
        _check_columns(db, version, path)
        _check_ids(db, path)
    except sqlite3.DatabaseError as error:
        db.close()
        if "full" in str(error):
            raise RunError(f"{path}: {error}; make room and start again") from None
        if _is_locked(error):
            raise _locked(path) from None
        if isinstance(error, sqlite3.OperationalError) and _unusable(error):
            raise InputError(
                f"the ledger cannot be opened ({error})",
                location=str(path),
                remedy="check the rights of the file, or give another --out",
            ) from None
        raise DamagedLedger(f"this is not a ledger ({error})", path) from None
    except InputError:
        db.close()
        raise
    return db, version


def read_fact(db: sqlite3.Connection, key: str) -> Any:
    """A fact about the whole experiment, or None."""
    found = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if found is None else json.loads(found[0])


def _prepare(db: sqlite3.Connection, path: Path) -> int:
    """Make a new ledger, or bring an old one up to date; returns its version."""
    # with WAL and NORMAL a kill loses nothing, a power cut only the last rows, whose folders are found again
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    known = db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
    if known and (version := _read_version(db, path)) < VERSION:
        changes = (_FROM_1 if version == 1 else "") + _FROM_2
        db.executescript(
            f"BEGIN IMMEDIATE;{changes}UPDATE meta SET value = '{VERSION}' WHERE key = 'version';COMMIT;"
        )
    db.executescript(_SCHEMA)
    db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?)", (str(VERSION),))
    return _read_version(db, path)


def _read_version(db: sqlite3.Connection, path: Path) -> int:
    try:
        version = int(read_fact(db, "version"))
    except (*UNREADABLE, TypeError):
        version = 0
    if version > VERSION:
        raise InputError(
            f"a newer denxanh wrote this ledger (version {version}, this one reads {VERSION})",
            location=str(path),
            remedy="install the newer one",
        )
    if version < 1:
        raise DamagedLedger("the ledger does not tell its version", path)
    return version


def _check_ids(db: sqlite3.Connection, path: Path) -> None:
    """Raise InputError for a run whose id is none: ids become names of folders."""
    wrong = db.execute(
        "SELECT id FROM runs WHERE typeof(id) <> 'text' OR length(id) <> 64 OR id GLOB '*[^0-9a-f]*' LIMIT 1"
    ).fetchone()
    if wrong is not None:
        check_id(wrong[0], path)


def _check_columns(db: sqlite3.Connection, version: int, path: Path) -> None:
    needed = {name.strip() for names in (SPECIFIED, RECORDED) for name in names.split(",")}
    needed |= {"number", "attempts", "specified", "recorded"}
    found = {name for _, name, *_ in db.execute("PRAGMA table_info(runs)")}
    newer = {1: ("content", "scenario", "manifest", "specified", "recorded"),
             2: ("manifest", "specified", "recorded")}  # fmt: skip
    missing = needed - found - set(newer.get(version, ()))
    if missing:
        raise DamagedLedger(f"the ledger has no {', '.join(sorted(missing))}", path)


def write_error(error: sqlite3.OperationalError, location: str) -> RunError:
    """The error for a ledger that could not be written: locked, or else (full disk, no rights) as sqlite says."""
    if _is_locked(error):
        return RunError(
            f"{location}: the ledger is locked by another process; nothing done is lost: end it and start again"
        )
    return RunError(
        f"{location}: the ledger cannot be written ({error}); nothing done is lost: make room and start again"
    )


def set_damaged_aside(path: Path) -> Path:
    """Rename a damaged ledger, so that a new one can be made from the runs; returns its new name."""
    aside = name_aside(path)
    for ending in ("-wal", "-shm"):  # of the damaged file; a new one must not read them
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(aside.with_name(aside.name + ending))
    path.rename(aside)
    return aside


def _is_locked(error: sqlite3.Error) -> bool:
    return "locked" in str(error) or "busy" in str(error)


def _locked(path: Path) -> RunError:
    return RunError(
        f"{path}: another process has locked the ledger for more than {WAIT:g} s; end it and start again"
    )


def _unusable(error: sqlite3.OperationalError) -> bool:
    return any(word in str(error) for word in ("unable to open", "readonly", "disk I/O"))


def _open(path: Path, read_only: bool) -> sqlite3.Connection:
    if not read_only:
        try:
            return sqlite3.connect(path, isolation_level=None, timeout=WAIT)
        except sqlite3.OperationalError as error:
            raise InputError(
                f"the ledger cannot be opened ({error})", location=str(path), remedy="give another --out"
            ) from None
    uri = path.resolve().as_uri()
    for way in ("?mode=ro", "?mode=ro&immutable=1"):  # WAL writes beside the file unless it is immutable
        db = sqlite3.connect(uri + way, uri=True, isolation_level=None, timeout=WAIT)
        try:
            db.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            db.close()
            if _is_locked(error):
                raise _locked(path) from None
            continue
        except sqlite3.DatabaseError:
            return db  # not a database: the caller reports it
        return db
    raise InputError(
        "the ledger cannot be opened", location=str(path), remedy="check the rights of its folder"
    )
