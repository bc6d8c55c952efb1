"""Built places, kept in the user's cache folder under the hash of all that went into them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import platformdirs


def folder() -> Path:
    """Return the cache folder: ``DENXANH_CACHE`` or the user's cache folder of this system."""
    return Path(os.environ.get("DENXANH_CACHE") or platformdirs.user_cache_path("denxanh"))


def digest(parts: Iterable[bytes | str]) -> str:
    """Return a short hash of the parts, each with its length, so that no two lists run together."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()[:16]


def get(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached folder ``name``; on a miss call ``make`` with an empty folder, then rename it.

    Two processes may build at once: the first to rename wins, the other's identical work is dropped.
    """
    wanted = folder() / name
    if wanted.is_dir():
        return wanted
    wanted.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{wanted.name}-", dir=wanted.parent))
    try:
        make(draft)
        try:
            draft.rename(wanted)
        except OSError:  # another process was first, and a folder with content is never replaced
            if not wanted.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return wanted
