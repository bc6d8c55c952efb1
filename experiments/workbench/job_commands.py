"""From a form of the page to the command that a job runs. What a form holds is checked here, before a job exists."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from denxanh.experiments.workbench.jobs import JobRequest
from denxanh.experiments.workbench.library import WORKBENCH, Library
from denxanh.networks.place.names import slug
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import SEEDS

LONGEST_NAME = 80  # letters
MAPS = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf")
COUNTS = (".csv",)
MOST_CONTROLLERS = 8
ONLY = ("all", "timing", "splits", "offsets")


def compare(form: Mapping[str, Any], library: Library) -> JobRequest:
    """Compare controllers, the first being the baseline. Raises InputError."""
    from denxanh.experiments.specification.controllers import controllers

    place = _place(form, library)
    names = form.get("controllers")
    if not isinstance(names, list) or not 1 <= len(names) <= MOST_CONTROLLERS:
        raise InputError("choose at least one controller", location="controllers")
    known = controllers()
    for name in names:
        if name not in known:
            raise InputError(
                f"there is no controller {_quoted(name)}", remedy="choose from the list of 'denxanh list'"
            )
    out = _new_folder(library, f"compare-{_short(place)}")
    command = ["compare", "--seeds", _whole(form, "seeds", 1, SEEDS), *_end(form), "--out", out]
    command += [part for name in names for part in ("-c", name)]
    return JobRequest("compare", _short(place), ((*command, "--", place),), library.home, out)


def check_in_sumo(form: Mapping[str, Any], library: Library, plans: Sequence[Path]) -> JobRequest:
    """Compare edited plans with the existing one. Raises InputError."""
    place = _place(form, library)
    out = _new_folder(library, f"check-{_short(place)}")
    command = ["compare", "--seeds", _whole(form, "seeds", 1, SEEDS), "--out", out, "-c", "program"]
    for file in plans:
        copy = (
            library.home / WORKBENCH / "checked" / out / file.name
        )  # the plan may be edited on while the job runs
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
        command += ["-c", f"fixed-time:plan={_relative(copy, library)}"]
    return JobRequest("check", _short(place), ((*command, "--", place),), library.home, out)


def optimize(form: Mapping[str, Any], library: Library) -> JobRequest:
    """Search a plan. Raises InputError."""
    place = _place(form, library)
    only = form.get("only", "all")
    if only not in ONLY:
        raise InputError(f"--only {_quoted(only)} is not known", remedy=f"choose {', '.join(ONLY)}")
    out = _new_folder(library, f"optimize-{_short(place)}")
    command = ["optimize", "--only", only, *_minutes(form), *_end(form), "--out", out]
    return JobRequest("optimize", _short(place), ((*command, "--", place),), library.home, out)


def study(form: Mapping[str, Any], library: Library, counts: Path | None) -> JobRequest:
    """Do a retiming study. Raises InputError."""
    place = _place(form, library)
    out = _new_folder(library, f"study-{_short(place)}")
    command = ["study", *_minutes(form), "--out", out]
    if counts is not None:
        command += ["--counts", _relative(counts, library)]
    return JobRequest("study", _short(place), ((*command, "--", place),), library.home, out)


def import_map(name: str, source: Path, library: Library) -> JobRequest:
    """Make a place of an OpenStreetMap extract. Raises InputError."""
    check_name(name)
    folder = slug(name) or "place"
    out = _new_folder(library, f"places/{folder}", dated=False)
    command = ("import", "osm", f"--name={name}", "--out", out, "--", _relative(source, library))
    return JobRequest("import", name, (command,), library.home, out)


def replay(folder: Path, library: Library) -> JobRequest:
    """Make the replay page of a result."""
    target = str(folder / "replay.html")
    command = ("replay", "--out", target, "--", str(folder))
    return JobRequest("replay", folder.name, (command,), library.home, str(folder))


def sheet(form: Mapping[str, Any], library: Library, plan: Path) -> JobRequest:
    """Make the timing sheets of an edited plan, in both languages. Raises InputError."""
    place = _place(form, library)
    out = _new_folder(library, f"sheet-{_short(place)}")
    target = library.home / out
    target.mkdir(parents=True, exist_ok=True)
    copy = target / "plan.json"
    copy.write_bytes(plan.read_bytes())
    source = _relative(copy, library)
    commands = tuple(
        ("sheet", "--place", place, "--lang", lang, "--out", f"{out}/sheet-{lang}.{kind}", "--", source)
        for lang in ("vi", "en")
        for kind in ("pdf", "xlsx")
    )
    return JobRequest("sheet", _short(place), commands, library.home, out, waits=False)


def check_name(name: object) -> str:
    """A name that a person gives to a place. Raises InputError."""
    if not isinstance(name, str) or not name.strip():
        raise InputError("there is no name", remedy="give the place a name")
    if len(name) > LONGEST_NAME:
        raise InputError(
            f"the name has {len(name)} letters", remedy=f"give one of at most {LONGEST_NAME} letters"
        )
    hidden = next(
        (c for c in name if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")), None
    )
    if hidden is not None:
        raise InputError(
            f"the name has the invisible character U+{ord(hidden):04X}", remedy="type the name without it"
        )
    return name


def upload_suffix(file_name: str, kinds: tuple[str, ...]) -> str:
    """The suffix of an uploaded file, one of ``kinds``. Raises InputError."""
    found = next(
        (kind for kind in sorted(kinds, key=len, reverse=True) if file_name.lower().endswith(kind)), ""
    )
    if not found:
        raise InputError(
            f"{_quoted(file_name)} cannot be read here", remedy=f"give a file of {', '.join(kinds)}"
        )
    return found


def _place(form: Mapping[str, Any], library: Library) -> str:
    place = form.get("place")
    if not isinstance(place, str) or not library.has_place(place):
        raise InputError(f"there is no place {_quoted(place)}", remedy="choose one of the list")
    return place


def _short(place: str) -> str:
    """A name of a place for titles and folders: without the path."""
    return Path(place).name if Path(place).is_absolute() else place


def _new_folder(library: Library, name: str, *, dated: bool = True) -> str:
    """A folder that is not there yet, relative to the library's home."""
    safe = re.sub(r"[^A-Za-z0-9._/-]+", "-", name).replace("/", "-" if dated else "/").strip("-.")
    stem = f"{safe}-{time.strftime('%Y%m%d-%H%M%S')}" if dated else safe
    number, out = 1, stem
    while (library.home / out).exists():
        number += 1
        out = f"{stem}-{number}"
    return out


def _relative(file: Path, library: Library) -> str:
    """A file of the workbench as seen from the folder in which jobs run, so that no letter of its path matters."""
    return file.resolve().relative_to(library.home.resolve()).as_posix()


def _whole(form: Mapping[str, Any], key: str, least: int, most: int) -> str:
    value = form.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(
            f"{key}: {_quoted(value)} is not a whole number from {least} to {most}", remedy="correct it"
        )
    return str(value)


def _minutes(form: Mapping[str, Any]) -> list[str]:
    return ["--time", f"{_whole(form, 'minutes', 1, 24 * 60)}min"]


def _end(form: Mapping[str, Any]) -> list[str]:
    if form.get("simulated") in (None, 0, ""):
        return []
    return ["--end", f"+{_whole(form, 'simulated', 1, 24 * 60)}min"]


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}… ({len(text)} characters)"


def uploads(library: Library) -> Path:
    """The folder of uploaded files."""
    return library.home / WORKBENCH / "uploads"
