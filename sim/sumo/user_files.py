"""Files of users as SUMO gets them: nothing in them makes it write a file, include one, or decode them otherwise.

SUMO writes where an attribute or a parameter of an element tells it to, at any depth and in every kind of file. Each
parsed element is judged here; a file with something to take out reaches SUMO as a copy that we wrote, in UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from denxanh.sim.errors import InputError
from denxanh.sim.sumo.xmlfile import reads_alike, scan

READS_FILE = frozenset({"rerouter", "variableSpeedSign", "calibrator"})
"""Elements whose ``file`` is an input."""

EMISSION_CLASS = "emissionClass"
"""The attribute of vehicle types by whose value SUMO finds files."""

NOWHERE = "NUL"
"""SUMO's name for no file, on every platform."""

_OUTPUT_ATTRIBUTES = frozenset({"file", "output", "dest", "outputFile", "cropFile"})
_OUTPUT_ELEMENTS = frozenset({"edgeData", "laneData", "vTypeProbe"})
# a routeProbe is none of them: it feeds calibrators, and only loses its file
_WRITING_KEYS = (".file", "-file", ".files", "-files", ".output", "-output", ".log", "-log", "-dump")
_DETECTORS = "file"  # parameter of an actuated signal: its detectors
_SSM = (
    "has.ssm.device",
    "device.ssm.",
)  # a device that only writes, by default into a file named after its vehicle
_SWARM_LOG = "SWARMLOG"  # parameter of SUMO's swarm signals


@dataclass(frozen=True)
class Output:
    """What of an element makes SUMO write: all of it, or some of its attributes."""

    drop: bool
    attributes: tuple[str, ...] = ()


def output_of(tag: str, attributes: dict[str, str], location: str) -> Output | None:
    """What of an element must be taken out; None for an ordinary one. Raises InputError for what is not allowed."""
    if EMISSION_CLASS in attributes:
        _check_emission_class(attributes[EMISSION_CLASS], location)
    if tag == "param":
        return _output_of_param(attributes.get("key", ""), location)
    if tag == "include":
        raise InputError(
            "<include> is not read",
            location=location,
            remedy="name the included file as a route or additional file",
        )
    if tag in _OUTPUT_ELEMENTS or (tag == "timedEvent" and attributes.get("type", "").startswith("SaveTLS")):
        return Output(drop=True)
    if _OUTPUT_ATTRIBUTES.isdisjoint(attributes):
        return None
    names = tuple(
        name
        for name in sorted(_OUTPUT_ATTRIBUTES & attributes.keys())
        if attributes[name] not in ("", NOWHERE) and not (name == "file" and tag in READS_FILE)
    )
    return Output(drop=False, attributes=names) if names else None


def _check_emission_class(name: str, location: str) -> None:
    """Raise InputError for a class that is no name: SUMO reads the files of PHEMlight classes by theirs."""
    parts = name.split("/")
    if (
        len(parts) > 2
        or "" in parts
        or set(name) & set("\\:\0")
        or any(part.startswith(".") for part in parts)
    ):
        raise InputError(
            f"emissionClass={name[:80]!r} is no class but leads to another file",
            location=location,
            remedy="write MODEL/CLASS, such as HBEFA4/PC_petrol_Euro-4 or PHEMlight/PC_G_EU4",
        )


def _output_of_param(key: str, location: str) -> Output | None:
    if key in (_DETECTORS, _SWARM_LOG):
        return Output(drop=True)
    if key.endswith(_WRITING_KEYS):
        raise InputError(
            f"the parameter {key!r} makes SUMO write a file", location=location, remedy="remove it"
        )
    return Output(drop=True) if key.startswith(_SSM) else None


def take_out(root: Element, path: Path) -> tuple[str, ...]:
    """Take the outputs out of a parsed file; returns a note for each kind. Raises InputError."""
    taken = _Notes(path)
    parents = [root]
    for parent in parents:
        for element in list(parent):
            found = output_of(element.tag, element.attrib, str(path))
            if found is not None:
                taken.add(element.tag, element.attrib, found)
            if found is not None and found.drop:
                parent.remove(element)
                continue
            for name in found.attributes if found is not None else ():
                element.set(name, NOWHERE)
            parents.append(element)
    return taken.texts()


class _Notes:
    """What was taken out of a file, a line for each kind."""

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._dropped: dict[str, None] = {}
        self._silenced: dict[str, list[str]] = {}  # ids by tag

    def add(self, tag: str, attributes: dict[str, str], found: Output) -> None:
        """An output was found."""
        if not found.drop:
            self._silenced.setdefault(tag, []).append(attributes.get("id", ""))
        elif tag != "param":
            self._dropped[f"<{tag}> writes a file and was left out"] = None
        elif attributes["key"] == _DETECTORS:
            self._dropped["a signal's detectors no longer write a file"] = None
        else:
            self._dropped[f"the parameter {attributes['key']!r} writes a file and was left out"] = None

    def texts(self) -> tuple[str, ...]:
        """The notes."""
        found = [f"{self._name}: {text}" for text in self._dropped]
        for tag, ids in self._silenced.items():
            more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
            found.append(f"{self._name}: <{tag} id={ids[0]!r}>{more} no longer writes a file")
        return tuple(found)


@dataclass(frozen=True)
class Inspection:
    """Whether SUMO may have a file as it is, and what is taken out of it otherwise."""

    as_it_is: bool
    notes: tuple[str, ...]


def inspect(path: Path, *, kind: str, external_type: bool = False) -> Inspection:
    """Judge every element of a file; read once as long as it does not change. Raises InputError.

    ``kind`` is what the file is for, in the message. ``external_type``: as in ``scan``; such a file is not for SUMO as
    it is.
    """
    try:
        stamp = _stamp(path)
    except OSError:
        return _inspect(path, kind, external_type)  # says what is wrong
    if not external_type and (known := _parsed.get(path)) is not None and known[0] == stamp:
        return known[1]
    return _inspect_once(path, kind, external_type, stamp)


_Stamp = tuple[int, int, int]
_parsed: dict[Path, tuple[_Stamp, Inspection]] = {}
"""Parsed files in whose elements there was nothing to judge."""


def _stamp(path: Path) -> _Stamp:
    """What changes with a file's content."""
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def inspect_parsed(path: Path, read: Callable[[], Element], *, kind: str) -> Element:
    """The elements that ``read`` parses from a file, remembered as inspected where none of them needs a judgement.

    So a network file, which may be large, is not read twice; ``inspect`` reads it itself where there is something to
    say, and names the line. Raises what ``read`` raises.
    """
    try:
        before = _stamp(path)
    except OSError:
        return read()  # says what is wrong
    root = read()
    if not any(_judged(element.tag, element.attrib) for element in root.iter()) and _stamp(path) == before:
        _parsed[path] = before, Inspection(reads_alike(path, kind=kind), ())
    return root


@lru_cache(maxsize=1024)
def _inspect_once(path: Path, kind: str, external_type: bool, _stamp: _Stamp) -> Inspection:
    return _inspect(path, kind, external_type)


def _inspect(path: Path, kind: str, external_type: bool) -> Inspection:
    alike = reads_alike(path, kind=kind) and not external_type
    judge = _Judge(path)
    scan(path, judge, kind=kind, external_type=external_type)
    notes = judge.notes.texts()
    return Inspection(alike and not notes, notes)


class _Judge:
    """Judges the elements of a file one by one."""

    def __init__(self, path: Path) -> None:
        self.line: Callable[[], int] = int  # replaced by scan
        self.notes = _Notes(path)
        self._path = path

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if _judged(tag, attributes):
            self.judge(tag, attributes)

    def judge(self, tag: str, attributes: dict[str, str]) -> Output | None:
        """What of an element must be taken out."""
        location = f"{self._path}, line {self.line()}"
        found = output_of(tag, attributes, location)
        if found is not None:
            self.notes.add(tag, attributes, found)
        if tag in READS_FILE and attributes.get("file"):
            raise InputError(
                f"this <{tag}> reads a file, which only one of an additional file may",
                location=location,
                remedy="move it to an additional file",
            )
        return found

    def end(self, tag: str) -> None:
        """It ends."""


_JUDGED_TAGS = _OUTPUT_ELEMENTS | READS_FILE | {"timedEvent", "param", "include"}
_JUDGED_ATTRIBUTES = _OUTPUT_ATTRIBUTES | {EMISSION_CLASS}


def _judged(tag: str, attributes: dict[str, str]) -> bool:
    """Whether something of an element may have to be taken out."""
    return tag in _JUDGED_TAGS or not _JUDGED_ATTRIBUTES.isdisjoint(attributes)


Change = Callable[[str, dict[str, str]], dict[str, str]]
"""Gives the attributes of an element (tag, attributes) in a copy."""


def write_copy(
    path: Path, target: Path, *, kind: str, external_type: bool = False, change: Change | None = None
) -> None:
    """Write a file anew, in UTF-8 and without its outputs, comments and document type. Raises InputError."""
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
        scan(path, _Copy(path, stream, change), kind=kind, external_type=external_type)


class _Copy(_Judge):
    """Writes the elements of a file except its outputs."""

    def __init__(self, path: Path, stream: IO[str], change: Change | None = None) -> None:
        super().__init__(path)
        self._write = stream.write
        self._change = change
        self._dropped = 0  # depth within an element that is left out

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        found = None if self._dropped else self.judge(tag, attributes)
        if self._dropped or (found is not None and found.drop):
            self._dropped += 1
            return
        silenced = found.attributes if found is not None else ()
        if self._change is not None:
            attributes = self._change(tag, attributes)
        values = {name: NOWHERE if name in silenced else value for name, value in attributes.items()}
        self._write(f"<{tag}{''.join(f' {name}={quoteattr(value)}' for name, value in values.items())}>")

    def text(self, text: str) -> None:
        """Text stands between two tags."""
        if not self._dropped:
            self._write(escape(text, {"\r": "&#13;"}))

    def end(self, tag: str) -> None:
        """It ends."""
        if self._dropped:
            self._dropped -= 1
        else:
            self._write(f"</{tag}>")
