"""RunRow: the result of one run, as its ledger keeps it and as tables, statistics and reports read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from denxanh.sim.errors import InputError
from denxanh.sim.run.store import MANIFEST

RUNS = "runs"
JOBS = "jobs"
NAME_LENGTH = 16  # characters of a run's id in the name of its folder
_ID = re.compile(r"[0-9a-f]{64}")  # SHA-256
_NAME = re.compile(rf"[0-9a-f]{{{NAME_LENGTH}}}")
_DRAFT = re.compile(
    rf"\.[0-9a-f]{{{NAME_LENGTH}}}-(old-)?[a-z0-9_]{{8}}"
)  # as store.folder_beside names them
_OF_A_FOLDER = (
    RUNS, JOBS, "demand", ".lock", "ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite-journal",
    "experiment.toml", "experiment.new",
)  # fmt: skip
State = Literal["pending", "running", "done", "limited", "failed", "timeout", "refused"]
"""``limited``: complete, but a controller met a limit of time in both attempts: the numbers depend on the machine."""

COMPLETE: tuple[State, ...] = ("done", "limited")


@dataclass(frozen=True)
class RunRow:
    """One run: what it simulated, how it ended and what it measured."""

    place: str
    controller: str  # its label: with its parameters, and its sensing unless that is ideal
    seed: int
    state: State = "done"
    reason: str = ""  # why it failed, which limit it met, or after which limit it was repeated
    metrics: Mapping[str, float | int | None] = field(
        default_factory=dict
    )  # by the names of denxanh.sim.metrics
    folder: Path | None = None  # manifest.json and the Parquet tables; None where the run is not done
    demand: float = 1.0  # scale of the place's demand
    sensing: str = "ideal"
    id: str = ""  # RunSpecification.identity()
    number: int = 0  # order in the experiment
    attempts: int = 1
    wall_s: float | None = None
    cpu_s: float | None = None
    sha256: str | None = None  # of the tripinfo
    content: str | None = None  # SHA-256 over the tables
    manifest: str | None = None  # SHA-256 of the manifest; None in results of earlier versions

    @property
    def done(self) -> bool:
        """Whether the run is complete, so that its metrics count; those of a limited run with a warning."""
        return self.state in COMPLETE

    @property
    def place_label(self) -> str:
        """The place under its demand level."""
        return place_label(self.place, self.demand)


def place_label(place: str, demand: float) -> str:
    """A place under a demand level as tables and reports name it."""
    return place if demand == 1.0 else f"{place} × {demand:g}"


def run_folder(out: Path, id: str) -> Path:
    """The folder of a run's result below an experiment's folder. Raises InputError for what is no id."""
    check_id(id, out)
    return out / RUNS / id[:2] / id[:NAME_LENGTH]


def check_id(id: object, location: Path) -> None:
    """Raise InputError for what is no id of a run: ids of a ledger become the names of folders."""
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise InputError(
            f"{str(id)[:80]!r} is no id of a run",
            location=str(location),
            remedy="the ledger is damaged or not one of denxanh: take it from where it was made",
        )


def result_folders(out: Path) -> list[Path]:
    """The folders of runs with a manifest below an experiment's folder, whether or not a ledger knows them, sorted."""
    folders = (path for path in (out / RUNS).glob("*/*") if _NAME.fullmatch(path.name))
    return sorted(path for path in folders if (path / MANIFEST).is_file())


def left_overs(out: Path) -> list[Path]:
    """The temporary folders of killed runs below an experiment's folder, and nothing else that stands there."""
    folders = [path for path in (out / RUNS).glob("[0-9a-f][0-9a-f]") if not path.is_symlink()]
    found = (path for folder in folders for path in folder.glob(".*") if _DRAFT.fullmatch(path.name))
    return [path for path in found if path.is_dir() and not path.is_symlink()]


def job_folders(out: Path) -> list[Path]:
    """The folders of the jobs of a runner that was killed, and nothing else that stands there."""
    jobs = (out / JOBS).glob("*") if not (out / JOBS).is_symlink() else ()
    return [path for path in jobs if _NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()]


def check_no_links(out: Path) -> None:
    """Raise InputError where a part of an experiment's folder is a symbolic link: it may lead to another's files."""
    for name in _OF_A_FOLDER:
        refuse_link(out / name)
    for path in (out / RUNS).glob("[0-9a-f][0-9a-f]"):
        refuse_link(path)


def refuse_link(path: Path) -> None:
    """Raise InputError for a symbolic link in a folder of results."""
    if path.is_symlink():
        raise InputError(
            "a folder of results holds no symbolic links, but this is one",
            location=str(path),
            remedy="move what it leads to here, or give another --out",
        )
