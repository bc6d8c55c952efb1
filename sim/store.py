"""Results on disk: Parquet tables and JSON, written whole, flushed, and only then in their place."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def write_json(path: Path, data: object) -> None:
    """Write JSON that a person can read, with sorted keys, on the disk before this returns."""
    text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    sync(path)


def sync(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk; a full disk is an OSError here at the latest."""
    if path.is_dir() and os.name == "nt":  # Windows keeps no handle on folders
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folder_beside(target: Path) -> Path:
    """A new folder beside ``target``, with the rights that a folder made here would have."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent)).resolve()
    folder.chmod(0o777 & ~_umask())
    return folder


def publish(folder: Path, target: Path) -> None:
    """Move a finished folder to its place; what stood there is removed afterwards."""
    old = None
    if target.exists():
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

    return pa.string() if not values or isinstance(values[0], str) else None
