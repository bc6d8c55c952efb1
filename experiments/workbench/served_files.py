"""Files of results as the server gives them: below the folders it was started for, of the kinds that denxanh writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

KINDS = {
    ".html": "text/html; charset=utf-8",
    ".pdf": "application/pdf",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
"""Content types by suffix, stated here: the registry of the machine may say otherwise."""

SHOWN = frozenset({".html", ".pdf", ".txt", ".md", ".csv", ".json", ".svg", ".png"})
"""Suffixes that a browser shows; others are saved."""


def find_file(folders: Sequence[Path], number: str, path: str) -> Path | None:
    """The file ``path`` below folder ``number``; None where it is not there, is outside, or is of no known kind."""
    if not (number.isascii() and number.isdigit()) or len(number) > 3 or int(number) >= len(folders):
        return None
    if "\0" in path or "\\" in path or len(path) > 2000:
        return None
    root = folders[int(number)].resolve()
    try:
        file = (root / path).resolve()
        inside = file.is_relative_to(root) and file.is_file()
    except (OSError, ValueError):
        return None
    return file if inside and file.suffix.lower() in KINDS else None


def file_address(folders: Sequence[Path], file: Path) -> str:
    """The address of a file, to follow ``/files/KEY/``; "" for a file outside of the folders."""
    known = file.resolve()
    for number, folder in enumerate(folders):
        root = folder.resolve()
        if known.is_relative_to(root):
            return f"{number}/{quote(known.relative_to(root).as_posix())}"
    return ""
