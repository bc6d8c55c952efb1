"""Places in an archive for the input files of results; files that name each other by relative paths still do."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import Element

from denxanh.experiments.runs.relocation import INPUTS
from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.user_files import READS_FILE
from denxanh.sim.sumo.xmlfile import parse

Reference = tuple[Path, Path]
"""A file and one that it names by a relative path, both absolute."""


def additional_references(scenario: Scenario) -> list[Reference]:
    """The files that additional files of a scenario read. Raises InputError for one named by an absolute path."""
    found = []
    for path in scenario.additional:
        for element in parse(path, kind="additional file").iter():
            if (name := _read_by(element)) is None:
                continue
            if Path(name).is_absolute():
                raise InputError(
                    f"<{element.tag}> reads {name!r}, an absolute path that is valid on this machine only",
                    location=str(path),
                    remedy="write it relative to the additional file and run again",
                )
            found.append((path, (path.parent / name).resolve()))
    return found


def _read_by(element: Element) -> str | None:
    name = element.get("file", "")
    return name if element.tag in READS_FILE and name not in ("", "NUL") else None


def parameter_references(path: Path, named: Iterable[Path]) -> list[Reference]:
    """The files that a controller's parameter file names. Raises InputError where it names one by an absolute path."""
    content = path.read_bytes()
    found = []
    for other in named:
        if str(other).encode() in content:
            raise InputError(
                f"it names {str(other)!r}, an absolute path that is valid on this machine only",
                location=str(path),
                remedy="write it relative to the file and run again",
            )
        found.append((path, other.resolve()))
    return found


class PackedInputs:
    """The places of files in an archive: a folder below INPUTS for each folder of files that belong together."""

    def __init__(self, files: Iterable[Path], references: Iterable[Reference]) -> None:
        links = list(references)
        self.files = tuple(sorted({*files, *(path for link in links for path in link)}))
        common = {Path(os.path.commonpath([a.parent, b.parent])) for a, b in links}
        folders = sorted(common | {path.parent for path in self.files}, key=lambda folder: len(folder.parts))
        roots: list[Path] = []
        for folder in folders:
            if not any(folder.is_relative_to(root) for root in roots):
                roots.append(folder)
        self._roots = {
            root: f"{INPUTS}/{i}-{_slug(root.name)}" for i, root in enumerate(sorted(roots), start=1)
        }
        self._linked = {path for link in links for path in link}

    def place(self, path: Path) -> str:
        """The path of a file in the archive, relative to the folder of results."""
        root = next(root for root in self._roots if path.is_relative_to(root))
        below = path.relative_to(root)
        name = below.name if path in self._linked else re.sub(r'[,;"<>&|%$+]', "-", below.name)
        return "/".join([self._roots[root], *below.parts[:-1], name])


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-") or "files"
