"""Versions and hashes: what a result must be compared by before it is taken for the same."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_record(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file, as a manifest keeps them."""
    return {"bytes": path.stat().st_size, "sha256": hash_file(path)}


def versions() -> dict[str, str]:
    """The versions of denxanh, SUMO, numpy and Python, and the platform."""
    return {
        "denxanh": version("denxanh"),
        "sumo": version("eclipse-sumo"),
        "libsumo": version("libsumo"),
        "numpy": version("numpy"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
