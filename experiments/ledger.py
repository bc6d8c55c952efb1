"""The ledger: which runs an experiment has, how far each is, how often it was tried and why it failed.

One sqlite file in WAL mode, written by one process at a time; it survives a kill at any moment.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sim.errors import InputError

State = Literal["pending", "running", "done", "failed", "timeout", "refused"]
VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY,         -- Task.identity()
    number INTEGER NOT NULL,     -- order in the experiment
    place TEXT NOT NULL,
    demand REAL NOT NULL,
    controller TEXT NOT NULL,
    seed INTEGER NOT NULL,
    task TEXT NOT NULL,          -- JSON, enough to run it again
    state TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    wall_s REAL,
    cpu_s REAL,
    sha256 TEXT,                 -- of the tripinfo
    metrics TEXT                 -- JSON
);
CREATE INDEX IF NOT EXISTS runs_state ON runs (state, number);
"""


@dataclass(frozen=True)
class Row:
    """One run as the ledger knows it."""

    id: str
    number: int
    place: str
    demand: float
    controller: str
    seed: int
    state: State
    attempts: int
    reason: str
    wall_s: float | None
    cpu_s: float | None
    sha256: str | None
    metrics: Mapping[str, float | int | None]


class Ledger:
    """An open ledger; use as a context."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=60.0)
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(
                "PRAGMA synchronous=NORMAL"
            )  # with WAL a kill loses nothing; a power cut the last rows
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise InputError(
                f"this is not a ledger ({error})", where=str(path), remedy="give another --out"
            ) from None
        self._db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?)", (str(VERSION),))

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def add(self, rows: Iterable[tuple[str, int, str, float, str, int, str]]) -> None:
        """Enter runs (id, number, place, demand, controller, seed, task JSON); known ids stay as they are."""
        with self._transaction():
            self._db.executemany(
                "INSERT INTO runs (id, number, place, demand, controller, seed, task) VALUES (?,?,?,?,?,?,?) "
                "ON CONFLICT (id) DO UPDATE SET number = excluded.number",
                rows,
            )

    def reopen(self) -> int:
        """Put runs that a killed runner left as running back to pending; returns how many."""
        return self._db.execute("UPDATE runs SET state = 'pending' WHERE state = 'running'").rowcount

    def retry_failed(self) -> int:
        """Let failed and timed-out runs be tried again; returns how many."""
        return self._db.execute(
            "UPDATE runs SET state = 'pending', attempts = 0 WHERE state IN ('failed', 'timeout', 'refused')"
        ).rowcount

    def start(self, id: str) -> None:
        """A run begins an attempt."""
        self._db.execute("UPDATE runs SET state = 'running', attempts = attempts + 1 WHERE id = ?", (id,))

    def back(self, id: str) -> None:
        """A run was stopped by us: it was no attempt."""
        self._db.execute("UPDATE runs SET state = 'pending', attempts = attempts - 1 WHERE id = ?", (id,))

    def finish(self, id: str, manifest: Mapping[str, Any]) -> None:
        """A run is done and believed."""
        self._db.execute(
            "UPDATE runs SET state = 'done', reason = '', wall_s = ?, cpu_s = ?, sha256 = ?, metrics = ? WHERE id = ?",
            (
                manifest["wall_s"],
                manifest["cpu_s"],
                manifest["tripinfo_sha256"],
                json.dumps(manifest["metrics"]),
                id,
            ),
        )

    def fail(self, id: str, state: State, reason: str) -> None:
        """A run failed for good (or goes back to pending for its second try)."""
        self._db.execute("UPDATE runs SET state = ?, reason = ? WHERE id = ?", (state, reason, id))

    def pending(self, limit: int) -> list[tuple[str, str]]:
        """The next runs to do: (id, task JSON)."""
        return list(
            self._db.execute(
                "SELECT id, task FROM runs WHERE state = 'pending' ORDER BY number LIMIT ?", (limit,)
            )
        )

    def counts(self) -> dict[str, int]:
        """Number of runs by state."""
        return dict(self._db.execute("SELECT state, count(*) FROM runs GROUP BY state"))

    def rows(self) -> Iterator[Row]:
        """All runs in order."""
        for row in self._db.execute(
            "SELECT id, number, place, demand, controller, seed, state, attempts, reason, wall_s, cpu_s, sha256, "
            "metrics FROM runs ORDER BY number"
        ):
            yield Row(*row[:-1], json.loads(row[-1]) if row[-1] else {})

    def task(self, id: str) -> str:
        """A run's task as JSON."""
        found = self._db.execute("SELECT task FROM runs WHERE id = ?", (id,)).fetchone()
        if found is None:
            raise KeyError(id)
        return str(found[0])

    def note(self, key: str, value: object) -> None:
        """Keep a fact about the whole experiment."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def noted(self, key: str) -> Any:
        """A fact kept by ``note``, or None."""
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else json.loads(found[0])

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db
