"""Results on disk: Parquet tables and JSON files; a folder of results is published once it is complete."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError

LOG = "sumo.log"  # what SUMO prints
MANIFEST = "manifest.json"  # written last: a folder with it is a complete run

Table = Mapping[str, NDArray[Any] | Sequence[Any]]


def write_table(path: Path, columns: Table) -> None:
    """Write columns of equal length as Parquet (zstd); text columns stay text when empty."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        name: pa.array(column)
        if isinstance(column, np.ndarray)
        else pa.array(list(column), type=_type(column))
        for name, column in columns.items()
    }
    pq.write_table(pa.table(arrays), path, compression="zstd")
    sync(path)


def read_table(path: Path, columns: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read a Parquet table as arrays by column name."""
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read(columns=list(columns) if columns else None)
    return {name: table.column(name).to_numpy(zero_copy_only=False) for name in table.column_names}


def json_bytes(data: object) -> bytes:
    """Indented JSON with sorted keys: equal data, equal bytes."""
    text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


def write_json(path: Path, data: object) -> None:
    """Write data as ``json_bytes``, and flush it to the disk."""
    path.write_bytes(json_bytes(data))
    sync(path)


class replacing:
    """Write beside, then take the place of the old file, or of a link in its place, at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f".{path.name}.new")

    def __enter__(self) -> Path:
        self._new.unlink(missing_ok=True)  # it may be a symbolic link in a folder of somebody else
        return self._new

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            sync(self._new)
            self._new.replace(self._path)
        else:
            self._new.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk. Raises OSError for a full disk."""
    if path.is_dir() and os.name == "nt":  # Windows keeps no handle on folders
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folder_beside(target: Path) -> Path:
    """A new temporary folder beside ``target``, with the permissions of an ordinary new folder."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent)).resolve()
    folder.chmod(0o777 & ~_umask())
    return folder


def drafts(target: Path) -> list[Path]:
    """The temporary folders of ``folder_beside`` and ``publish`` for a target, and nothing else that stands there."""
    ours = re.compile(rf"\.{re.escape(target.name)}-(old-)?[a-z0-9_]{{8}}")
    beside = target.parent.iterdir() if target.parent.is_dir() else ()
    return [path for path in beside if ours.fullmatch(path.name) and path.is_dir() and not path.is_symlink()]


def is_result(folder: Path) -> bool:
    """Whether a folder may be replaced by a result: it holds a manifest, or nothing but files that a run writes."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    return read_manifest(folder) is not None or all(
        _OF_A_RUN.fullmatch(path.name) and path.is_file() and not path.is_symlink()
        for path in folder.iterdir()
    )


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a complete run folder, or None. It is written last: where it is, the run is complete."""
    found = read_json(folder / MANIFEST)
    return found if found is not None and found.keys() >= _KEYS else None


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file, or None where there is none, or half of one."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


_KEYS = {"tripinfo_sha256", "wall_s", "cpu_s", "metrics"}  # of every manifest
_OF_A_RUN = re.compile(
    r"manifest\.json|(vehicles|intervals|signals|edges|movements)\.parquet|run\.sumocfg|sumo\.log|"
    r"net(\.[\w-]+){0,3}|(routes|event)-\d+(\.[\w-]+){0,3}|"
    r"(tripinfo|statistic|edges(-\d+)?|emissions(-\d+)?|signals|loops)\.xml|"
    r"(measures|signals|programs|additional-\d+)\.add\.xml|additional-\d+-\d+\.xml"
)


def name_aside(path: Path) -> Path:
    """A name beside ``path`` that nothing has yet, for what is kept although it is damaged."""
    number = 1
    while os.path.lexists(aside := path.with_name(f"{path.name}.damaged-{number}")):
        number += 1
    return aside


def publish(folder: Path, target: Path) -> None:
    """Move a complete folder to ``target``; an older result there is removed afterwards.

    Raises InputError where something else stands there.
    """
    old = None
    if target.is_symlink() or target.exists():
        if not is_result(target):
            raise InputError(
                "this exists and is no run of denxanh",
                location=str(target),
                remedy="move it away, or give another --out",
            )
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent))
        target.rename(old / "was")
    folder.rename(target)
    sync(target.parent)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _type(values: Sequence[Any]) -> Any:
    import pyarrow as pa

    known = [value for value in values if value is not None]
    if not known:
        return pa.float64() if len(values) else pa.string()
    return pa.string() if isinstance(known[0], str) else None
