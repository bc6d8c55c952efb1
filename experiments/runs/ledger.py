"""The ledger: the runs of an experiment, the state of each, its attempts and the reason of a failure.

One sqlite file in WAL mode, written by one process at a time; it survives a kill at any moment.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from denxanh.experiments.runs.run_row import RunRow, State, run_folder
from denxanh.experiments.specification.run_specification import RunSpecification, pack, unpack
from denxanh.sim.errors import InputError, RunError

VERSION = 2
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
    scenario TEXT                -- id in scenarios; NULL in rows of version 1, whose task contains it
);
CREATE INDEX IF NOT EXISTS runs_state ON runs (state, number);
"""
_FROM_1 = """
ALTER TABLE runs ADD COLUMN content TEXT;
ALTER TABLE runs ADD COLUMN scenario TEXT;
UPDATE meta SET value = '2' WHERE key = 'version';
"""
_MEAN = "SELECT {0}, avg(wall_s) FROM runs WHERE state = 'done' GROUP BY {0}"


class Ledger:
    """An open ledger; use as a context. ``read_only`` ones may be of an earlier version and stay as they are."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        if read_only and not path.is_file():
            raise InputError("no ledger found", location=str(path), remedy="give the folder of an experiment")
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db = _open(path, read_only)
        self._folder = path.parent
        try:
            if read_only:
                self._version = self._read_version(path)
            else:
                self._prepare(path)
        except sqlite3.DatabaseError as error:
            self._db.close()
            if "full" in str(error):
                raise RunError(f"{path}: {error}; make room and start again") from None
            raise InputError(
                f"this is not a ledger ({error})", location=str(path), remedy="give another --out"
            ) from None
        except InputError:
            self._db.close()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def enter(self, runs: Iterable[tuple[int, str, RunSpecification]]) -> None:
        """Make these (number, identity, specification) the experiment's runs; known results are kept.

        Runs that do not belong to it any more keep their results, under the number -1.
        """
        entries, scenarios = [], {}
        for number, id, run in runs:
            text, scenario, content = pack(run)
            scenarios[scenario] = content
            entries.append((id, number, run.place, run.demand, run.label, run.seed, text, scenario))
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("UPDATE runs SET number = -1")
            self._db.executemany("INSERT OR IGNORE INTO scenarios VALUES (?, ?)", scenarios.items())
            self._db.executemany(
                "INSERT INTO runs (id, number, place, demand, controller, seed, task, scenario) "
                "VALUES (?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET number = excluded.number, "
                "place = excluded.place, demand = excluded.demand, controller = excluded.controller, "
                "task = excluded.task, scenario = excluded.scenario",
                entries,
            )

    def import_runs(self, other: Ledger, ids: Iterable[str]) -> int:
        """Import done runs of another ledger; returns how many were new."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO scenarios VALUES (?, ?)", other._all_scenarios())
            before = self._db.total_changes
            names = (
                "id, number, place, demand, controller, seed, task, state, attempts, reason, wall_s, cpu_s, "
                "sha256, metrics"
            )
            more = ", content, scenario" if other._version >= 2 else ", NULL, NULL"
            self._db.executemany(
                f"INSERT INTO runs ({names}, content, scenario) VALUES ({','.join('?' * 16)}) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, "
                "reason = '', wall_s = excluded.wall_s, cpu_s = excluded.cpu_s, sha256 = excluded.sha256, "
                "metrics = excluded.metrics, content = excluded.content WHERE runs.state <> 'done'",
                (
                    other._db.execute(f"SELECT {names}{more} FROM runs WHERE id = ?", (id,)).fetchone()
                    for id in ids
                ),
            )
            return self._db.total_changes - before

    def reset_running(self) -> int:
        """Set runs that a killed runner left as running to pending; returns how many."""
        return self._db.execute("UPDATE runs SET state = 'pending' WHERE state = 'running'").rowcount

    def reset_lost(self, ids: Iterable[str]) -> None:
        """Set runs whose result is missing to pending."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("UPDATE runs SET state = 'pending' WHERE id = ?", ((id,) for id in ids))

    def retry_failed(self) -> int:
        """Set failed, timed-out and refused runs to pending; returns how many."""
        return self._db.execute(
            "UPDATE runs SET state = 'pending', attempts = 0 WHERE state IN ('failed', 'timeout', 'refused') "
            "AND number >= 0"
        ).rowcount

    def start(self, id: str) -> None:
        """Record that an attempt of a run begins."""
        self._db.execute("UPDATE runs SET state = 'running', attempts = attempts + 1 WHERE id = ?", (id,))

    def return_to_pending(self, id: str) -> None:
        """Set a run that was stopped to pending; this does not count as an attempt."""
        self._db.execute("UPDATE runs SET state = 'pending', attempts = attempts - 1 WHERE id = ?", (id,))

    def finish(self, id: str, manifest: Mapping[str, Any], content: str) -> None:
        """Record the results of a complete run."""
        self._db.execute(
            "UPDATE runs SET state = 'done', reason = '', wall_s = ?, cpu_s = ?, sha256 = ?, metrics = ?, "
            "content = ? WHERE id = ?",
            (
                manifest["wall_s"],
                manifest["cpu_s"],
                manifest["tripinfo_sha256"],
                json.dumps(manifest["metrics"]),
                content,
                id,
            ),
        )

    def fail(self, id: str, state: State, reason: str) -> None:
        """Record why a run failed; ``state`` is pending where it is tried again."""
        self._db.execute("UPDATE runs SET state = ?, reason = ? WHERE id = ?", (state, reason, id))

    def pending(self, after: int, limit: int) -> list[tuple[int, str, RunSpecification]]:
        """The next pending runs beyond number ``after``: (number, id, specification)."""
        rows = self._db.execute(
            "SELECT number, runs.id, task, coalesce(json, '') FROM runs LEFT JOIN scenarios "
            "ON scenarios.id = runs.scenario WHERE state = 'pending' AND number > ? ORDER BY number LIMIT ?",
            (after, limit),
        )
        return [(number, id, unpack(text, scenario)) for number, id, text, scenario in rows]

    def ids(self, state: State) -> list[str]:
        """The ids of all runs in a state, in order."""
        found = self._db.execute(
            "SELECT id FROM runs WHERE state = ? AND number >= 0 ORDER BY number", (state,)
        )
        return [id for (id,) in found]

    def counts(self) -> dict[str, int]:
        """Number of runs by state."""
        return dict(self._db.execute("SELECT state, count(*) FROM runs WHERE number >= 0 GROUP BY state"))

    def seconds_left(self) -> float | None:
        """Estimated wall-clock seconds of one process for all pending runs; None before the first is done.

        A run is expected to take as long as done ones of its place, demand and controller; else of its place.
        """
        parts = "place, demand, controller"
        fine = {(p, d, c): s for p, d, c, s in self._db.execute(_MEAN.format(parts))}
        coarse = dict(self._db.execute(_MEAN.format("place")))
        if not coarse:
            return None
        anywhere = sum(coarse.values()) / len(coarse)
        left = self._db.execute(
            f"SELECT {parts}, count(*) FROM runs WHERE state IN ('pending', 'running') AND number >= 0 GROUP BY {parts}"
        )
        return float(sum(n * fine.get((p, d, c), coarse.get(p, anywhere)) for p, d, c, n in left))

    def rows(self) -> Iterator[RunRow]:
        """All runs of the experiment in order."""
        content_of = "content" if self._version >= 2 else "NULL"
        sensing_of = "coalesce(json_extract(task, '$.sensing'), 'ideal')"  # earlier versions had no other
        for (
            id,
            number,
            place,
            demand,
            controller,
            seed,
            state,
            attempts,
            reason,
            wall_s,
            cpu_s,
            sha256,
            metrics,
            content,
            sensing,
        ) in self._db.execute(
            "SELECT id, number, place, demand, controller, seed, state, attempts, reason, wall_s, cpu_s, sha256, "
            f"metrics, {content_of}, {sensing_of} FROM runs WHERE number >= 0 ORDER BY number"
        ):
            yield RunRow(
                id=id,
                number=number,
                place=place,
                demand=demand,
                controller=controller,
                seed=seed,
                state=state,
                attempts=attempts,
                reason=reason,
                wall_s=wall_s,
                cpu_s=cpu_s,
                sha256=sha256,
                metrics=json.loads(metrics) if metrics else {},
                content=content,
                sensing=sensing,
                folder=run_folder(self._folder, id) if state == "done" else None,
            )

    def fingerprint(self) -> str:
        """Text that changes whenever a table made from the rows would."""
        found = self._db.execute(
            "SELECT state, count(*), sum(number), sum(attempts), total(wall_s) FROM runs WHERE number >= 0 "
            "GROUP BY state ORDER BY state"
        )
        return json.dumps(found.fetchall())

    def specification(self, id: str) -> RunSpecification:
        """The specification of a run. KeyError for an unknown id."""
        join = "LEFT JOIN scenarios ON scenarios.id = runs.scenario" if self._version >= 2 else ""
        scenario = "coalesce(json, '')" if self._version >= 2 else "''"
        found = self._db.execute(
            f"SELECT task, {scenario} FROM runs {join} WHERE runs.id = ?", (id,)
        ).fetchone()
        if found is None:
            raise KeyError(id)
        return unpack(*found)

    def set_fact(self, key: str, value: object) -> None:
        """Store a fact about the whole experiment."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def fact(self, key: str) -> Any:
        """A fact stored by ``set_fact``, or None."""
        found = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else json.loads(found[0])

    def _all_scenarios(self) -> list[tuple[str, str]]:
        return list(self._db.execute("SELECT id, json FROM scenarios")) if self._version >= 2 else []

    def _read_version(self, path: Path) -> int:
        version = int(self.fact("version") or 0)
        if version > VERSION:
            raise InputError(
                f"a newer denxanh wrote this ledger (version {version}, this one reads {VERSION})",
                location=str(path),
                remedy="install the newer one",
            )
        return version

    def _prepare(self, path: Path) -> None:
        """Make a new ledger, or bring an old one up to date."""
        # with WAL and NORMAL a kill loses nothing, a power cut only the last rows, whose folders are found again
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        known = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        if known and self._read_version(path) == 1:
            self._db.executescript(
                f"BEGIN IMMEDIATE;{_FROM_1}UPDATE meta SET value = '2' WHERE key = 'version';COMMIT;"
            )
        self._db.executescript(_SCHEMA)
        self._db.execute("INSERT OR IGNORE INTO meta VALUES ('version', ?)", (str(VERSION),))
        self._version = self._read_version(path)


def _open(path: Path, read_only: bool) -> sqlite3.Connection:
    if not read_only:
        return sqlite3.connect(path, isolation_level=None, timeout=60.0)
    uri = path.resolve().as_uri()
    for way in ("?mode=ro", "?mode=ro&immutable=1"):  # WAL writes beside the file unless it is immutable
        db = sqlite3.connect(uri + way, uri=True, isolation_level=None, timeout=60.0)
        try:
            db.execute("SELECT 1 FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            db.close()
            continue
        except sqlite3.DatabaseError:
            return db  # not a database: the caller reports it
        return db
    raise InputError(
        "the ledger cannot be opened", location=str(path), remedy="check the rights of its folder"
    )
