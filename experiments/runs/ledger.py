"""The ledger: the runs of an experiment, the state of each, its attempts and the reason of a failure.

One sqlite file in WAL mode, written by one process at a time; it survives a kill at any moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from denxanh.experiments.runs.ledger_checksums import SPECIFIED, changed_rows, checksum, members, resealed
from denxanh.experiments.runs.ledger_file import DamagedLedger, open_ledger, read_fact
from denxanh.experiments.runs.proof import UNREADABLE, Record
from denxanh.experiments.runs.relocation import located, stored_scenario, stored_task
from denxanh.experiments.runs.run_row import COMPLETE, RunRow, State, run_folder
from denxanh.experiments.specification.run_specification import RunSpecification, pack, unpack
from denxanh.sim.errors import InputError
from denxanh.sim.run.store import json_bytes

_REJECTED = "rejected"  # in place of the checksum of a result: the folder of a pending run was rejected
_UNLIKE = (*UNREADABLE, KeyError, TypeError, AttributeError)  # of a text that is no specification or scenario
MEMBERS = "members"  # fact: checksum of the ids of the experiment's runs
_IS_COMPLETE = "state IN ('{}')".format("', '".join(COMPLETE))
_MEAN = f"SELECT {{0}}, avg(wall_s) FROM runs WHERE {_IS_COMPLETE} GROUP BY {{0}}"


class Ledger:
    """An open ledger; use as a context. ``read_only`` ones may be of an earlier version and stay as they are."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        if read_only and not path.is_file():
            raise InputError("no ledger found", location=str(path), remedy="give the folder of an experiment")
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._db, self._version = open_ledger(path, read_only=read_only)
        self._path = path
        self._folder = path.parent
        self.proven: set[str] = set()  # done runs whose files were checked or written since it was opened

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def enter(self, runs: Iterable[tuple[int, str, RunSpecification]]) -> None:
        """Make these (number, identity, specification) the experiment's runs; known results are kept.

        Runs that do not belong to it any more keep their results, under the number -1.
        """
        entries: list[tuple[Any, ...]] = []
        scenarios: dict[str, str] = {}
        here = self._folder.resolve()
        for number, id, run in runs:
            text, scenario, content = pack(run)
            if scenario not in scenarios:
                scenarios[scenario] = stored_scenario(content, here)
            described = (
                id,
                run.place,
                float(run.demand),
                run.label,
                run.seed,
                stored_task(text),
                scenario,
            )
            entries.append((number, *described, checksum(described)))
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("UPDATE runs SET number = -1")
            self._db.executemany("INSERT OR REPLACE INTO scenarios VALUES (?, ?)", scenarios.items())
            self._db.executemany(
                f"INSERT INTO runs (number, {SPECIFIED}, specified) "
                "VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET number = excluded.number, "
                "place = excluded.place, demand = excluded.demand, controller = excluded.controller, "
                "seed = excluded.seed, task = excluded.task, scenario = excluded.scenario, "
                "specified = excluded.specified",
                entries,
            )
            self.set_fact(MEMBERS, members(self._db))

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
            more += ", manifest, specified, recorded" if other._version >= 3 else ", NULL, NULL, NULL"
            self._db.executemany(
                f"INSERT INTO runs ({names}, content, scenario, manifest, specified, recorded) "
                f"VALUES ({','.join('?' * 19)}) "
                "ON CONFLICT (id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, "
                "reason = excluded.reason, wall_s = excluded.wall_s, cpu_s = excluded.cpu_s, sha256 = excluded.sha256, "
                "metrics = excluded.metrics, content = excluded.content, manifest = excluded.manifest, "
                "recorded = excluded.recorded WHERE runs.state <> 'done' "
                "AND (runs.state <> 'limited' OR excluded.state = 'done')",
                (
                    other._located_row(
                        other._db.execute(f"SELECT {names}{more} FROM runs WHERE id = ?", (id,)).fetchone()
                    )
                    for id in ids
                ),
            )
            new = self._db.total_changes - before
            self.set_fact(MEMBERS, members(self._db))
            return new

    def reset_running(self) -> int:
        """Set runs that a killed runner left as running to pending; returns how many."""
        return self._db.execute("UPDATE runs SET state = 'pending' WHERE state = 'running'").rowcount

    def reset_lost(self, ids: Iterable[str], *, intact: Collection[str] = ()) -> None:
        """Set runs whose row or result is rejected to pending, and forget the result.

        The folders of those in ``intact`` may be entered again; the others are run again (see ``is_rejected``).
        """
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "UPDATE runs SET state = 'pending', attempts = 0, reason = '', wall_s = NULL, cpu_s = NULL, "
                "sha256 = NULL, metrics = NULL, content = NULL, manifest = NULL, recorded = ? WHERE id = ?",
                ((None if id in intact else _REJECTED, id) for id in ids),
            )

    def is_rejected(self, id: str) -> bool:
        """Whether the folder of a pending run was rejected, even if it is complete in itself."""
        found = self._db.execute("SELECT 1 FROM runs WHERE id = ? AND recorded = ?", (id, _REJECTED))
        return found.fetchone() is not None

    def retry_failed(self) -> int:
        """Set failed, timed-out, refused and limited runs to pending; returns how many."""
        return self._db.execute(
            "UPDATE runs SET state = 'pending', attempts = 0 "
            "WHERE state IN ('failed', 'timeout', 'refused', 'limited') AND number >= 0"
        ).rowcount

    def start(self, id: str) -> None:
        """Record that an attempt of a run begins."""
        self._db.execute("UPDATE runs SET state = 'running', attempts = attempts + 1 WHERE id = ?", (id,))

    def return_to_pending(self, id: str) -> None:
        """Set a run that was stopped to pending; this does not count as an attempt."""
        self._db.execute("UPDATE runs SET state = 'pending', attempts = attempts - 1 WHERE id = ?", (id,))

    def count_attempts(self, id: str, more: int) -> None:
        """Record that a run took ``more`` attempts than the one that ``start`` counted."""
        self._db.execute("UPDATE runs SET attempts = attempts + ? WHERE id = ?", (more, id))

    def finish(self, id: str, manifest: Mapping[str, Any], content: str) -> None:
        """Record the results of a complete run, ``limited`` where a controller met a limit of time."""
        result = (
            *end_of(manifest),
            _real(manifest["wall_s"]),
            _real(manifest["cpu_s"]),
            manifest["tripinfo_sha256"],
            json.dumps(manifest["metrics"]),
            content,
            hashlib.sha256(json_bytes(manifest)).hexdigest(),
        )
        self._record(id, result)
        self.proven.add(id)

    def fail(self, id: str, state: State, reason: str) -> None:
        """Record why a run failed; ``state`` is pending where it is tried again."""
        self._record(id, (state, reason, None, None, None, None, None, None))

    def _record(self, id: str, result: tuple[Any, ...]) -> None:
        self._db.execute(
            "UPDATE runs SET state = ?, reason = ?, wall_s = ?, cpu_s = ?, sha256 = ?, metrics = ?, content = ?, "
            "manifest = ?, recorded = ?, attempts = max(attempts, 1) WHERE id = ?",
            (*result, checksum((id, *result)), id),
        )

    def records(self) -> Iterator[Record]:
        """What is recorded of every complete run of the experiment, in order."""
        for fields in self._db.execute(
            f"SELECT {self._record_columns()} FROM runs WHERE {_IS_COMPLETE} AND number >= 0 ORDER BY number"
        ):
            yield Record(*fields)

    def record(self, id: str) -> Record | None:
        """What is recorded of a run, or None if it is not complete."""
        found = self._db.execute(
            f"SELECT {self._record_columns()} FROM runs WHERE {_IS_COMPLETE} AND id = ?", (id,)
        ).fetchone()
        return None if found is None else Record(*found)

    def known_ids(self) -> set[str]:
        """The ids of all runs, also of those that do not belong to the experiment any more."""
        return {id for (id,) in self._db.execute("SELECT id FROM runs")}

    def _record_columns(self) -> str:
        content = "content" if self._version >= 2 else "NULL"
        manifest = "manifest" if self._version >= 3 else "NULL"
        return f"id, sha256, metrics, {content}, {manifest}"

    def description(self, id: str) -> str:
        """Place, controller and seed of a run as the ledger has them, for messages."""
        found = self._db.execute("SELECT place, controller, seed FROM runs WHERE id = ?", (id,)).fetchone()
        return f"run {id[:16]}" if found is None else "{}, {}, seed {}".format(*found)

    def damaged_rows(self) -> dict[str, str]:
        """What was changed outside of denxanh in the rows of the experiment, by the id of the run."""
        return changed_rows(self._db, sealed=self._version >= 3)

    def lacks_rows(self) -> bool:
        """Whether rows were removed or added outside of denxanh."""
        recorded = self.fact(MEMBERS)
        return recorded is not None and recorded != members(self._db)

    def require_intact(self) -> None:
        """Raise InputError if rows were changed, removed or added outside of denxanh."""
        for id, what in self.damaged_rows().items():
            raise DamagedLedger(f"{what} (run {id[:16]})", self._path)
        if self.lacks_rows():
            raise DamagedLedger("rows of the ledger were removed or added", self._path)

    def pending(self, after: int, limit: int) -> list[tuple[int, str, RunSpecification]]:
        """The next pending runs beyond number ``after``: (number, id, specification)."""
        rows = self._db.execute(
            "SELECT number, runs.id, task, coalesce(json, '') FROM runs LEFT JOIN scenarios "
            "ON scenarios.id = runs.scenario WHERE state = 'pending' AND number > ? ORDER BY number LIMIT ?",
            (after, limit),
        )
        return [(number, id, self._unpacked(id, text, scenario)) for number, id, text, scenario in rows]

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

    def rows(self, *, without: Collection[str] = ()) -> Iterator[RunRow]:
        """All runs of the experiment in order, but those of the ids ``without``."""
        content_of = "content" if self._version >= 2 else "NULL"
        manifest_of = "manifest" if self._version >= 3 else "NULL"
        sensing_of = (  # earlier versions had no other than ideal
            "CASE WHEN json_valid(task) THEN coalesce(json_extract(task, '$.sensing'), 'ideal') ELSE '' END"
        )
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
            manifest,
            sensing,
        ) in self._db.execute(
            "SELECT id, number, place, demand, controller, seed, state, attempts, reason, wall_s, cpu_s, sha256, "
            f"metrics, {content_of}, {manifest_of}, {sensing_of} FROM runs WHERE number >= 0 ORDER BY number"
        ):
            if id in without:
                continue
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
                metrics=self._metrics(id, metrics),
                content=content,
                manifest=manifest,
                sensing=sensing,
                folder=run_folder(self._folder, id) if state in COMPLETE else None,
            )

    def _metrics(self, id: str, text: str | None) -> dict[str, Any]:
        try:
            found = json.loads(text) if text else {}
        except UNREADABLE:
            found = None
        if not isinstance(found, dict):
            raise DamagedLedger(f"the ledger's row was changed after the run (run {id[:16]})", self._path)
        return found

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
        return self._unpacked(id, *found)

    def _unpacked(self, id: str, task: str, scenario: str) -> RunSpecification:
        try:
            return unpack(*located(task, scenario, self._folder.resolve()))
        except _UNLIKE:
            raise DamagedLedger(
                f"the ledger's description of the run cannot be read (run {id[:16]})", self._path
            ) from None

    def label(self, id: str) -> str:
        """A run's controller with its parameters and sensing, as the tables name it; "" for an unknown id."""
        found = self._db.execute("SELECT controller FROM runs WHERE id = ?", (id,)).fetchone()
        return str(found[0]) if found else ""

    def set_fact(self, key: str, value: object) -> None:
        """Store a fact about the whole experiment."""
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def fact(self, key: str) -> Any:
        """A fact stored by ``set_fact``, or None."""
        return read_fact(self._db, key)

    def _all_scenarios(self) -> list[tuple[str, str]]:
        """With absolute paths; without those that cannot be read."""
        if self._version < 2:
            return []
        folder = self._folder.resolve()
        found = []
        for id, text in self._db.execute("SELECT id, json FROM scenarios"):
            with suppress(*_UNLIKE):
                found.append((id, located('{"scenario": ""}', text, folder)[1]))
        return found

    def _located_row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """A row as ``import_runs`` reads it, with absolute paths in its task."""
        id, number, place, demand, controller, seed, task, *result = row
        *result, scenario, manifest, specified, recorded = result
        described = (id, place, demand, controller, seed, task, scenario)
        new = located(task, "", self._folder.resolve())[0]
        seal = resealed(described, specified, new)
        return (
            id, number, place, demand, controller, seed, new, *result, scenario, manifest, seal, recorded,
        )  # fmt: skip


def end_of(manifest: Mapping[str, Any]) -> tuple[State, str]:
    """State and reason of a complete run, ``limited`` where a controller met a limit of time."""
    limits, repeated = "; ".join(manifest.get("limits_met", ())), manifest.get("repeated_after", "")
    if limits:
        return "limited", limits
    return "done", f"repeated after a limit: {repeated}" if repeated else ""


def _real(value: float | None) -> float | None:
    """A number as SQLite keeps it in a REAL column."""
    return None if value is None else float(value)
