"""Places and result folders that the workbench lists."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from denxanh import networks
from denxanh.experiments.results.load import LEDGER
from denxanh.experiments.workbench.served_files import KINDS, file_address
from denxanh.experiments.workbench.workbench_page import json_text
from denxanh.sim.language.text import Text, same

DEPTH = 4  # folders below a given one
MOST = 2000  # folders looked at
FILES = 40  # of a result that are listed
WORKBENCH = "workbench"
"""Folder of the workbench's own files: jobs, plans that are edited, uploads."""

_FIRST = ("report.html", "replay.html", "import.html")
_LISTED = (".html", ".pdf", ".xlsx", ".csv", ".json")
_MADE = ("report.html", "plan.json", "day.json")  # a result has one of them; without held-out runs no report
_KINDS = {  # a file that only this kind of result has → its name
    "study.json": Text("study", "nghiên cứu"),
    "optimize.json": Text("optimisation", "tối ưu hóa"),
    "held-out": Text("optimisation", "tối ưu hóa"),
    LEDGER: Text("comparison", "so sánh"),
}


@dataclass(frozen=True)
class Library:
    """The folders that the server was started for; new results go into the first one."""

    folders: tuple[Path, ...]

    @property
    def home(self) -> Path:
        """The folder of new results."""
        return self.folders[0]

    def places(self) -> list[dict[str, Any]]:
        """Built-in places, and folders with one .sumocfg and a network, as JSON data."""
        out: list[dict[str, Any]] = [
            {
                "place": one.name,
                "title": json_text(Text(one.title, one.title_vi)),
                "signals": one.signals,
                "own": False,
            }
            for one in networks.list_places()
        ]
        for folder in self._walk():
            configurations = list(folder.glob("*.sumocfg"))
            if len(configurations) == 1 and any(folder.glob("*.net.xml*")):
                guessed = folder / "import.html"
                address = file_address(self.folders, guessed) if guessed.is_file() else ""
                out.append(
                    {
                        "place": str(folder.resolve()),
                        "title": json_text(same(folder.name)),
                        "own": True,
                        "guessed": address,
                    }
                )
        return out

    def has_place(self, place: str) -> bool:
        """Whether ``place`` is one of the list."""
        return any(one["place"] == place for one in self.places())

    def results(self) -> list[dict[str, Any]]:
        """Result folders, the newest first, as JSON data."""
        found = []
        for folder in self._walk():
            kind = next((name for file, name in _KINDS.items() if (folder / file).exists()), None)
            made = next((file for name in _MADE if (file := folder / name).is_file()), None)
            if kind is None or made is None:
                continue
            found.append(
                {
                    "folder": str(folder.resolve()),
                    "name": folder.name,
                    "kind": json_text(kind),
                    "changed": made.stat().st_mtime,
                    "files": [
                        {"name": file.relative_to(folder).as_posix(), "address": address}
                        for file in _files(folder)
                        if (address := file_address(self.folders, file))
                    ],
                    "replay": (folder / LEDGER).is_file() and not (folder / "replay.html").is_file(),
                }
            )
        return sorted(found, key=lambda one: -float(str(one["changed"])))

    def result(self, folder: str) -> Path | None:
        """A result folder of the list by its path; None where there is none."""
        return next((Path(one["folder"]) for one in self.results() if one["folder"] == folder), None)

    def _walk(self) -> Iterator[Path]:
        """Folders below the given ones that may hold a place or a result; inside a result only a study's place."""
        seen, count = set(), 0
        for root in self.folders:
            for text, folders, files in os.walk(root):
                folder = Path(text)
                real = folder.resolve()
                if real in seen or count >= MOST:
                    folders.clear()
                    continue
                seen.add(real)
                count += 1
                yield folder
                deep = len(folder.relative_to(root).parts)
                result = LEDGER in files or "study.json" in files
                folders[:] = sorted(
                    name
                    for name in folders
                    if not name.startswith(".")
                    and name != WORKBENCH
                    and (name == "place" if result else deep < DEPTH)
                )


def _files(folder: Path) -> list[Path]:
    """Files of a result that a person opens, pages first."""
    below = [folder, folder / "to-install", folder / "plan", folder / "day"]
    found = [
        file
        for place in below
        if place.is_dir()
        for file in sorted(place.iterdir())
        if file.suffix in KINDS and file.suffix in _LISTED and file.is_file()
    ]
    found.sort(key=lambda file: (file.name not in _FIRST, _LISTED.index(file.suffix)))
    return found[:FILES]


def plan_files(folders: Sequence[Path]) -> list[Path]:
    """plan.json files of results below the folders."""
    return [
        file
        for folder in Library(tuple(folders))._walk()
        for file in (folder / "plan.json", folder / "plan" / "plan.json", folder / "to-install" / "plan.json")
        if file.is_file()
    ]
