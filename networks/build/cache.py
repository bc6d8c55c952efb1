"""Cache of built places: one folder each, named by a hash of everything it was built from."""

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
    """Return a short hash of the parts; each part's length is hashed too, so that different splits differ."""
    total = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big"))
        total.update(data)
    return total.hexdigest()[:16]


def get(name: str, build: Callable[[Path], None]) -> Path:
    """Return the cached folder ``name``; on a miss call ``build`` with an empty folder, then rename it.

    Two processes may build at the same time: the first rename wins, the other's identical folder is removed.
    """
    target = folder() / name
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        build(draft)
        try:
            draft.rename(target)
        except OSError:  # another process was first; rename never replaces a folder that is not empty
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target
