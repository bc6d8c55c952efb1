"""SUMO's input for a run: a configuration, and the user's additional files without outputs.

A user's .sumocfg and additional files may write anywhere and open sockets; so only options of a whitelist are used,
and the elements of the additional files that are not outputs.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.netfile import RawProgram, read_programs
from denxanh.sim.sumo.xmlfile import parse, read_bytes

CONFIG = "run.sumocfg"
TRIPINFO = "tripinfo.xml"
STATISTIC = "statistic.xml"
EDGES = "edges.xml"
EMISSIONS = "emissions.xml"
SIGNALS = "signals.xml"
MEASURES = "measures.add.xml"
REPLAY = "signals.add.xml"

_AWKWARD = re.compile(r"[,;\"<>&|]|\$\{|%[0-9A-Fa-f]{2}")  # SUMO splits or expands paths that hold these
_PARAM_KEY = re.compile(rb"<param\b[^>]*?\bkey\s*=\s*([\"'])(.*?)\1")
_WRITING_KEYS = (".file", "-file", ".output", "-output")
_DETECTOR_FILE = re.compile(rb"<param\b[^>]*?\bkey\s*=\s*([\"'])file\1[^>]*>")
# a routeProbe is none of them: it feeds calibrators, and only loses its file
_OUTPUT_ELEMENTS = {"edgeData", "laneData", "vTypeProbe"}
_OUTPUT_ATTRIBUTES = ("file", "output", "dest", "outputFile", "cropFile")
READS_FILE = {"rerouter", "variableSpeedSign", "calibrator"}  # their 'file' is an input
_NOWHERE = "NUL"  # SUMO's name for no file, on every platform


@dataclass(frozen=True)
class SumoInput:
    """SUMO's arguments and the additional files among them, relative to the run's folder."""

    arguments: tuple[str, ...]
    additional: tuple[str, ...]

    def command(self, *, replay: bool) -> list[str]:
        """The exact command that repeats the run with SUMO alone; ``replay``: with the states that policies showed."""
        if not replay:
            return ["sumo", *self.arguments]
        return ["sumo", *self.arguments, "--additional-files", ",".join([*self.additional, REPLAY])]


@dataclass(frozen=True)
class Additional:
    """One additional file without its outputs."""

    root: Element
    programs: tuple[RawProgram, ...]
    notes: tuple[str, ...]
    reroutes: bool


def read_additional(path: Path) -> Additional:
    """Read an additional file and remove its outputs. Raises InputError."""
    root = parse(path, kind="additional file")
    notes = []
    silenced: dict[str, list[str]] = {}  # ids by tag
    for element in list(root):
        if element.tag in _OUTPUT_ELEMENTS or (
            element.tag == "timedEvent" and element.get("type", "").startswith("SaveTLS")
        ):
            root.remove(element)
            notes.append(f"{path.name}: <{element.tag}> writes a file and was left out")
        elif element.tag == "include":
            raise InputError(
                "<include> is not read",
                location=str(path),
                remedy="name the included file as an additional file",
            )
    for element in root.iter():
        for name in _OUTPUT_ATTRIBUTES:
            if element.get(name) and not (name == "file" and element.tag in READS_FILE):
                element.set(name, _NOWHERE)
                silenced.setdefault(element.tag, []).append(element.get("id", ""))
            elif element.get(name) and element.tag in READS_FILE:
                read = (path.parent / element.attrib[name]).resolve()
                check_routes(read, read_bytes(read, kind=f"file of a <{element.tag}>"))
                element.set(name, str(read))
        if element.tag == "param" and element.get("key") == "file" and element.get("value") != _NOWHERE:
            element.set("value", _NOWHERE)  # an actuated signal's detectors
            notes.append(f"{path.name}: a signal's detectors no longer write a file")
        if element.tag == "param" and element.get("key", "").endswith(_WRITING_KEYS):
            raise InputError(
                f"the parameter {element.get('key')!r} makes SUMO write a file",
                location=str(path),
                remedy="remove it",
            )
    for tag, ids in silenced.items():
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        notes.append(f"{path.name}: <{tag} id={ids[0]!r}>{more} no longer writes a file")
    programs = tuple(read_programs(root.findall("tlLogic"), str(path)))
    reroutes = any(element.tag == "rerouter" for element in root)
    return Additional(root, programs, tuple(dict.fromkeys(notes)), reroutes)


def check_routes(path: Path, content: bytes) -> None:
    """Raise InputError for a route file that declares entities, includes files or makes a device write files."""
    if b"<!DOCTYPE" in content[: 1 << 20] or b"<!ENTITY" in content:
        raise InputError(
            "the file declares a document type or entity, which is not allowed",
            location=str(path),
            remedy="remove the <!DOCTYPE …> from it",
        )
    include = content.find(b"<include")
    if include >= 0:
        raise InputError(
            "<include> is not read",
            location=f"{path}, line {_line(content, include)}",
            remedy="name the included file as a route file",
        )
    for match in _PARAM_KEY.finditer(content):
        key = unescape(match.group(2).decode("utf-8", "replace"))
        if key.endswith(_WRITING_KEYS):
            raise InputError(
                f"the parameter {key!r} makes SUMO write a file",
                location=f"{path}, line {_line(content, match.start())}",
                remedy="remove it",
            )


def _line(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1


def write_input(
    scenario: Scenario,
    folder: Path,
    *,
    seed: int,
    signals: Iterable[str],
    drop_programs: Iterable[str] = (),
    brought: Collection[Path] = (),
) -> SumoInput:
    """Write SUMO's input into ``folder``.

    The states of ``signals`` are logged. Switching times (WAUT) are removed for the signals in ``drop_programs``, which
    policies control, and for those whose programs are in ``brought``, additional files of the controller.
    """
    folder.mkdir(parents=True, exist_ok=True)
    theirs = {
        str(logic.get("id")) for path in brought for logic in parse(path, kind="programs").iter("tlLogic")
    }
    ours = theirs | set(drop_programs)
    additional = [
        _write_additional(path, folder, i, set() if path in brought else ours)
        for i, path in enumerate(scenario.additional)
    ]
    additional.append(MEASURES)
    _write_measures(folder, signals)
    options = {
        "net-file": net_for(scenario.net, folder),
        "route-files": ",".join(_path(path, folder, f"routes-{i}") for i, path in enumerate(scenario.routes)),
        "additional-files": ",".join(additional),
        "begin": _exact(scenario.begin),
        "end": _exact(scenario.end),
        "step-length": _exact(scenario.step),
        **dict(sorted(scenario.options.items())),
        "seed": str(seed),
        "threads": "1",
        "tripinfo-output": TRIPINFO,
        "tripinfo-output.write-unfinished": "true",
        "tripinfo-output.write-undeparted": "true",
        "statistic-output": STATISTIC,
        "xml-validation": "never",
        "xml-validation.net": "never",
        "xml-validation.routes": "never",
        "no-step-log": "true",
        "duration-log.disable": "true",
    }
    if not scenario.routes:  # the vehicles stand in an additional file
        del options["route-files"]
    root = Element("configuration")
    for name, value in options.items():
        ElementTree.SubElement(root, name, value=value)
    _write(root, folder / CONFIG)
    return SumoInput(("-c", CONFIG), tuple(additional))


def write_replay(folder: Path, states: dict[str, list[tuple[float, str]]], begin: float, end: float) -> None:
    """Write the states that controlled signals showed as one program each: with it, SUMO alone repeats the run.

    ``states`` are (time in s, state) in time order, the first at ``begin``.
    """
    root = Element("additional")
    for tl, rows in sorted(states.items()):
        logic = ElementTree.SubElement(
            root, "tlLogic", id=tl, type="static", programID="denxanh", offset=_exact(begin)
        )
        for (start, state), (stop, _) in zip(rows, [*rows[1:], (end, "")], strict=True):
            if stop > start:
                ElementTree.SubElement(logic, "phase", duration=_exact(stop - start), state=state)
    _write(root, folder / REPLAY)


def _exact(seconds: float) -> str:
    """A time as SUMO reads it, to the millisecond."""
    return f"{round(seconds, 3):.15g}"


def _write_additional(path: Path, folder: Path, number: int, ours: set[str]) -> str:
    root = read_additional(path).root
    for element in list(root):
        if element.tag in ("wautJunction", "WAUT") and (
            element.get("junctionID") in ours or (element.tag == "WAUT" and _only_ours(root, element, ours))
        ):
            root.remove(element)
    name = f"additional-{number}.add.xml"
    _write(root, folder / name)
    return name


def _only_ours(root: Element, waut: Element, ours: set[str]) -> bool:
    users = [j.get("junctionID") for j in root.findall("wautJunction") if j.get("wautID") == waut.get("id")]
    return all(user in ours for user in users)


def _write_measures(folder: Path, signals: Iterable[str]) -> None:
    root = Element("additional")
    ElementTree.SubElement(root, "edgeData", id="traffic", file=EDGES, excludeEmpty="true")
    ElementTree.SubElement(
        root, "edgeData", id="emissions", type="emissions", file=EMISSIONS, excludeEmpty="true"
    )
    for tl in signals:
        ElementTree.SubElement(root, "timedEvent", type="SaveTLSSwitchStates", source=tl, dest=SIGNALS)
    _write(root, folder / MEASURES)


def _write(root: Element, path: Path) -> None:
    ElementTree.indent(root, "    ")
    ElementTree.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)


def net_for(path: Path, folder: Path) -> str:
    """The path of the network for SUMO; one whose actuated signals write detector files is copied without them."""
    content = read_bytes(path, kind="network file")
    quiet = _DETECTOR_FILE.sub(b'<param key="file" value="%s"/>' % _NOWHERE.encode(), content)
    if quiet == content:
        return _path(path, folder, "net")
    (folder / "net.net.xml").write_bytes(quiet)
    return "net.net.xml"


def _path(path: Path, folder: Path, stem: str) -> str:
    """The path as SUMO can read it from ``folder``; files with awkward names are copied there."""
    full = path.resolve()
    try:
        text = Path(os.path.relpath(full, folder.resolve())).as_posix()
    except ValueError:  # another drive
        text = full.as_posix()
    if _AWKWARD.search(text):
        ending = "".join(full.suffixes[-3:]) if full.suffix == ".gz" else "".join(full.suffixes[-2:])
        name = stem + (ending if not _AWKWARD.search(ending) else full.suffix)
        shutil.copyfile(full, folder / name)
        return name
    return text
