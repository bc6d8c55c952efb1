"""Compiled code: Numba's is kept on disk by what all sources of its folder say; what libraries print is suppressed.

Numba looks only at the file of the function that it loads: a kernel that calls one of another file, or takes a constant
from there, would go on with the old one when that file alone changes, and a run would not be what the sources say.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any


def kernel(**options: Any) -> Callable[[Any], Any]:
    """Compile a function and keep it, as ``numba.njit(cache=True, **options)`` does.

    It is kept below NUMBA_CACHE_DIR where that is set, else in the ``__pycache__`` beside its source, and where that
    cannot be written in the user's cache, by the one file, as Numba does by itself.
    """

    import numba

    def compiled(function: Any) -> Any:
        source = Path(function.__code__.co_filename)
        before = numba.config.CACHE_DIR
        base = Path(before) if before else source.parent / "__pycache__"
        numba.config.CACHE_DIR = str(base / f"kernels-{state_of(source.parent)}")
        try:
            return numba.njit(cache=True, **options)(function)
        finally:
            numba.config.CACHE_DIR = before

    return compiled


@lru_cache
def state_of(folder: Path) -> str:
    """A name for what the sources in a folder say."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


_silence = (
    threading.RLock()
)  # descriptor 1 is the whole process's: the first that comes turns it off and on again


@contextmanager
def silenced() -> Iterator[None]:
    """Suppress what compiled libraries write to standard output past Python: warnings of libsumo, HiGHS's traces.

    One thread at a time; what other threads of this process print meanwhile is lost as well. Where there is no standard
    output, nothing is done.
    """
    with _silence:
        try:
            _flush()
            saved = os.dup(1)
        except (AttributeError, OSError, ValueError):  # closed, or replaced by something without a descriptor
            yield
            return
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        try:
            yield
        finally:
            _flush()
            os.dup2(saved, 1)
            os.close(saved)
            os.close(null)


def _flush() -> None:
    """Write out what Python and, where its library is found by this name, C still hold for standard output."""
    sys.stdout.flush()
    if os.name == "posix":
        ctypes.CDLL(None).fflush(None)
