"""Packed files (gzip, bzip2): what they may unpack to, so that a small file cannot fill the memory or the time."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import IO, cast

from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import UNPACKED_FREE, UNPACKED_RATIO


def unpacked_limit(path: Path) -> int:
    """Bytes that a packed file may unpack to."""
    return max(UNPACKED_FREE, UNPACKED_RATIO * path.stat().st_size)


def too_packed(
    path: Path, kind: str, ratio: int = UNPACKED_RATIO, remedy: str = "unpack it yourself if it is meant"
) -> InputError:
    """The error for a file that unpacks to more."""
    return InputError(
        f"the {kind} unpacks to more than {ratio} times its size",
        location=str(path),
        remedy=remedy,
    )


class Unpacked:
    """A file as a stream of bytes, unpacked by its ending (.gz, .bz2); ``read`` raises InputError for too many."""

    def __init__(self, path: Path, *, kind: str) -> None:
        self._path, self._kind = path, kind
        self._free = unpacked_limit(path) if path.suffix in (".gz", ".bz2") else None
        if path.suffix == ".gz":
            self._stream = cast(IO[bytes], gzip.GzipFile(path))
        elif path.suffix == ".bz2":
            self._stream = cast(IO[bytes], bz2.BZ2File(path))
        else:
            self._stream = path.open("rb")

    def __enter__(self) -> Unpacked:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most 1 MB; b"" at the end."""
        content = self._stream.read(size if 0 <= size < _PIECE else _PIECE)
        if self._free is not None:
            self._free -= len(content)
            if self._free < 0:
                raise too_packed(self._path, self._kind)
        return content


_PIECE = 1 << 20
