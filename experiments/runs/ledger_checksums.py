"""Checksums of the rows of a ledger: they show what was changed outside of denxanh.

They show damage, not the forger who computes them too (see denxanh.experiments.results.verify).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from denxanh.experiments.runs.run_row import COMPLETE

SPECIFIED = "id, place, demand, controller, seed, task, scenario"
"""The columns that a run's specification determines; the checksum over them is in ``specified``."""
TASK = 5  # place of the task in SPECIFIED
RECORDED = "id, state, reason, wall_s, cpu_s, sha256, metrics, content, manifest"
"""The columns that a run's result determines; the checksum over them is in ``recorded``."""
ENDED = (*COMPLETE, "failed", "timeout", "refused")
STATES = ("pending", "running", *ENDED)
DESCRIPTION = "the ledger's description of the run was changed"


def checksum(fields: Sequence[Any]) -> str:
    """SHA-256 over the values of columns."""
    text = json.dumps(fields, ensure_ascii=False, default=repr)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def changed_rows(db: sqlite3.Connection, *, sealed: bool) -> dict[str, str]:
    """What was changed in the rows of an experiment, by the id of the run: an unknown state, a wrong checksum.

    ``sealed``: the rows have checksums; those of earlier versions have none.
    """
    states = ", ".join(f"'{state}'" for state in STATES)
    found = {
        str(id): f"the ledger has the unknown state {state!r}"
        for id, state in db.execute(
            f"SELECT id, state FROM runs WHERE number >= 0 AND state NOT IN ({states})"
        )
    }
    if not sealed:
        return found
    for *described, seal in db.execute(
        f"SELECT {SPECIFIED}, specified FROM runs WHERE number >= 0 AND specified IS NOT NULL"
    ):
        if checksum(described) != seal:
            found[str(described[0])] = DESCRIPTION
    ended = ", ".join(f"'{state}'" for state in ENDED)
    for *result, seal in db.execute(
        f"SELECT {RECORDED}, recorded FROM runs WHERE number >= 0 AND state IN ({ended}) "
        "AND (recorded IS NOT NULL OR manifest IS NOT NULL)"
    ):
        if checksum(result) != seal:
            found[str(result[0])] = "the ledger's row was changed after the run"
    return found


def members(db: sqlite3.Connection) -> str:
    """The checksum of the ids of an experiment's runs."""
    ids = db.execute("SELECT id FROM runs WHERE number >= 0 ORDER BY id")
    return checksum([id for (id,) in ids])


def resealed(described: Sequence[Any], specified: str | None, task: str) -> str | None:
    """The checksum of a row's description with another task; one that does not fit stays as it is."""
    if specified is None or checksum(described) != specified:
        return specified
    return checksum([*described[:TASK], task, *described[TASK + 1 :]])


def change_tasks(db: sqlite3.Connection, change: Callable[[str], str]) -> None:
    """Change the task of every run in a copy of a ledger; a checksum that fits still fits, no other does."""
    for *described, specified in db.execute(f"SELECT {SPECIFIED}, specified FROM runs").fetchall():
        new = change(described[TASK])
        seal = resealed(described, specified, new)
        db.execute("UPDATE runs SET task = ?, specified = ? WHERE id = ?", (new, seal, described[0]))
