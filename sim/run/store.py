"""Results on disk: Parquet tables and JSON files; a folder of results is published once it is complete."""

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


def write_json(path: Path, data: object) -> None:
    """Write indented JSON with sorted keys, and flush it to the disk."""
    text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")
    sync(path)


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


def publish(folder: Path, target: Path) -> None:
    """Move a complete folder to ``target``; an older folder there is removed afterwards."""
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
