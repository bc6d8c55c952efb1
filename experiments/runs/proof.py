"""Proof of a run's result: its folder, manifest and tables against what the ledger recorded of them."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from denxanh.sim.errors import InputError
from denxanh.sim.run.provenance import hash_file
from denxanh.sim.run.store import MANIFEST

UNREADABLE = (ValueError, RecursionError)  # of json.loads, for text that is no JSON or nested too deeply


@dataclass(frozen=True)
class Record:
    """What a ledger records of a done run; None for what is not known."""

    id: str
    sha256: str | None = None  # of the tripinfo
    metrics: str | None = None  # JSON
    content: str | None = None  # SHA-256 over the tables
    manifest: str | None = None  # SHA-256 of the manifest; None in results of earlier versions


@dataclass(frozen=True)
class Fault:
    """Why a result is rejected: the kind, which is the same for many runs, and the file."""

    kind: str
    file: Path

    def __str__(self) -> str:
        return f"{self.file}: {self.kind}"


class _Faulty(Exception):
    """Carries a fault out of the checks."""

    def __init__(self, kind: str, file: Path) -> None:
        super().__init__(kind)
        self.fault = Fault(kind, file)


def run_fault(folder: Path, record: Record, tables: Collection[str] | None = None) -> Fault | None:
    """The first fault of a run's folder against its record, or None.

    ``tables`` limits the check to the manifest and these files. A record of an id alone, of a run that no ledger has
    as done, is only satisfied by a manifest that names the id and the hash of every file.
    """
    try:
        _check(folder, record, tables)
    except _Faulty as found:
        return found.fault
    return None


def require_tables(folder: Path, record: Record, tables: Collection[str] | None = None) -> None:
    """Raise InputError unless these tables of a run, by default all its files, are as they were written."""
    fault = run_fault(folder, record, tables)
    if fault is not None:
        raise InputError(
            fault.kind, location=str(fault.file), remedy="run the experiment again, which does this run again"
        )


def tables_hash(folder: Path) -> str:
    """SHA-256 over a run's tables, name and content in order of name: equal runs have equal tables."""
    return combined_hash({path.name: hash_file(path) for path in folder.glob("*.parquet")})


def combined_hash(tables: Mapping[str, str]) -> str:
    """SHA-256 over the names of tables and the SHA-256 of each, in order of name."""
    digest = hashlib.sha256()
    for name in sorted(tables):
        digest.update(name.encode() + b"\0" + bytes.fromhex(tables[name]))
    return digest.hexdigest()


def _check(folder: Path, record: Record, tables: Collection[str] | None) -> None:
    path = folder / MANIFEST
    if not folder.is_dir():
        here = os.path.lexists(folder)
        raise _Faulty(
            "this is not the folder of a run" if here else "the folder of the run is missing", folder
        )
    content = _read(path)
    manifest = _parsed(content, path)
    if manifest.get("id") not in (record.id, None):
        raise _Faulty("this is the manifest of another run", path)
    if record.manifest is not None and hashlib.sha256(content).hexdigest() != record.manifest:
        raise _Faulty("the manifest was changed after the run", path)
    if record.sha256 is not None and manifest.get("tripinfo_sha256") != record.sha256:
        raise _Faulty("the manifest's hash of the trips is not the ledger's", path)
    if record.metrics is not None and manifest.get("metrics") != _metrics(record.metrics):
        raise _Faulty("the manifest's metrics are not the ledger's", path)
    if "files" not in manifest:  # of an earlier version
        if record.sha256 is None or record.manifest is not None or "id" in manifest:
            raise _Faulty("the manifest does not record the hashes of the run's files", path)
        if record.content is not None and tables_hash(folder) != record.content:
            raise _Faulty("a table was changed after the run", folder)
        return
    if "id" not in manifest:
        raise _Faulty("the manifest does not name its run", path)
    _check_files(folder, path, manifest["files"], record, tables)


def _check_files(
    folder: Path, path: Path, files: Any, record: Record, tables: Collection[str] | None
) -> None:
    """The files of a run against the sizes and hashes that its manifest records."""
    known: dict[str, str] = {}
    try:
        for name, entry in files.items():
            if not name or Path(name).name != name or "\0" in name:
                raise _Faulty(f"the manifest names a file outside of the run's folder ({name!r})", path)
            known[name] = entry["sha256"]
            if tables is None or name in tables:
                _check_file(folder / name, entry["bytes"], entry["sha256"])
        content = combined_hash({name: hash for name, hash in known.items() if name.endswith(".parquet")})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _Faulty("the manifest's list of files cannot be read", path) from None
    for name in tables or ():
        if name not in known:
            raise _Faulty("the table is not in the manifest's list of files", folder / name)
    if record.content is not None and content != record.content:
        raise _Faulty("the manifest's hashes of the tables are not the ledger's", path)
    if tables is None:
        for found in sorted(folder.glob("*.parquet")):
            if found.name not in known:
                raise _Faulty("this table was not written by the run", found)


def _check_file(path: Path, size: int, sha256: str) -> None:
    found = _stat(path)
    if found.st_size != size:
        raise _Faulty(
            "the file is empty" if not found.st_size
            else "the file is cut off" if found.st_size < size
            else "the file is longer than the run wrote it",
            path,
        )  # fmt: skip
    try:
        if hash_file(path) != sha256:
            raise _Faulty("the content of the file was changed after the run", path)
    except OSError as error:
        raise _Faulty(f"the file cannot be read ({error.strerror})", path) from None


def _stat(path: Path) -> Any:
    try:
        found = path.stat()
    except OSError as error:
        kind = "the file is missing" if isinstance(error, FileNotFoundError) else f"{error.strerror}"
        raise _Faulty(kind, path) from None
    if not stat.S_ISREG(found.st_mode):
        raise _Faulty("this is not a file", path)
    return found


def _read(path: Path) -> bytes:
    _stat(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise _Faulty(f"the file cannot be read ({error.strerror})", path) from None


def _parsed(content: bytes, path: Path) -> dict[str, Any]:
    try:
        data = json.loads(content.decode("utf-8"))
    except UNREADABLE:
        raise _Faulty("the file is empty" if not content else "this is not JSON in UTF-8", path) from None
    if not isinstance(data, dict):
        raise _Faulty("this is not the manifest of a run", path)
    return data


def _metrics(text: str) -> Any:
    try:
        return json.loads(text)
    except UNREADABLE:
        return None
