"""SUMO's input for a run: a configuration, and the user's additional files without outputs.

A user's files may write anywhere and open sockets; so only options of a whitelist are used, and of the files what is
no output (denxanh.sim.sumo.user_files).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from denxanh.sim.errors import InputError
from denxanh.sim.scenario import Scenario, is_simulation_option
from denxanh.sim.sumo.netfile import RawProgram, read_programs
from denxanh.sim.sumo.passage_loops import add_loops
from denxanh.sim.sumo.riders import type_changes
from denxanh.sim.sumo.user_files import READS_FILE, Change, inspect, take_out, write_copy
from denxanh.sim.sumo.xmlfile import parse

CONFIG = "run.sumocfg"
TRIPINFO = "tripinfo.xml"
STATISTIC = "statistic.xml"
EDGES = "edges.xml"
EMISSIONS = "emissions.xml"
SIGNALS = "signals.xml"
MEASURES = "measures.add.xml"
REPLAY = "signals.add.xml"

_AWKWARD = re.compile(r"[,;\"<>&|]|\$\{|%[0-9A-Fa-f]{2}")  # SUMO splits or expands paths that hold these


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
    notes = take_out(root, path)
    for element in root.iter():
        if element.tag in READS_FILE and element.get("file"):
            read = (path.parent / element.attrib["file"]).resolve()
            notes += inspect(read, kind=f"file of a <{element.tag}>").notes
            element.set("file", str(read))
    programs = tuple(read_programs(root.findall("tlLogic"), str(path)))
    reroutes = any(element.tag == "rerouter" for element in root)
    return Additional(root, programs, tuple(dict.fromkeys(notes)), reroutes)


def write_input(
    scenario: Scenario,
    folder: Path,
    *,
    seed: int,
    signals: Iterable[str],
    drop_programs: Iterable[str] = (),
    brought: Collection[Path] = (),
    measured: tuple[float, float] | None = None,
    loops: tuple[Iterable[str], Iterable[str]] = ((), ()),
    weighted: Iterable[Iterable[str]] = (),
) -> SumoInput:
    """Write SUMO's input into ``folder``.

    The states of ``signals`` are logged, and passages at the lanes in ``loops``, before and past junctions. Switching
    times (WAUT) are removed for the signals in ``drop_programs``, which policies control, and for those whose
    programs are in ``brought``, additional files of the controller. The totals by edge are of the time
    ``measured`` (begin, end), s, or of the whole run; ``weighted`` are sets of vehicle types with totals of their own.
    """
    _check_options(scenario)
    folder.mkdir(parents=True, exist_ok=True)
    theirs = {
        str(logic.get("id")) for path in brought for logic in parse(path, kind="programs").iter("tlLogic")
    }
    ours = theirs | set(drop_programs)
    change = type_changes(scenario.riders)
    additional = [
        write_additional(path, folder, i, set() if path in brought else ours, change=change)
        for i, path in enumerate(scenario.additional)
    ]
    additional.append(MEASURES)
    begin, end = measured or (scenario.begin, scenario.end)
    window = {"begin": exact(begin)} if begin > scenario.begin else {}
    window |= {"end": exact(end)} if end < scenario.end else {}
    _write_measures(folder, signals, *loops, window=window, weighted=weighted)
    options = {
        "net-file": net_for(scenario.net, folder),
        "route-files": ",".join(
            given_path(path, folder, f"routes-{i}.rou.xml", "route file", change=change)
            for i, path in enumerate(scenario.routes)
        ),
        "additional-files": ",".join(additional),
        "begin": exact(scenario.begin),
        "end": exact(scenario.end),
        "step-length": exact(scenario.step),
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
    if change is not None:
        change.check(scenario.name)
    if not scenario.routes:  # the vehicles stand in an additional file
        del options["route-files"]
    root = Element("configuration")
    for name, value in options.items():
        ElementTree.SubElement(root, name, value=value)
    write_xml(root, folder / CONFIG)
    return SumoInput(("-c", CONFIG), tuple(additional))


def _check_options(scenario: Scenario) -> None:
    """Raise InputError for an option that may do anything but change the traffic, wherever the scenario came from."""
    for name in scenario.options:
        if not is_simulation_option(name):
            raise InputError(
                f"the option {name!r} is not one that changes the traffic alone",
                location=scenario.name,
                remedy="remove it",
            )


def write_replay(folder: Path, states: dict[str, list[tuple[float, str]]], begin: float, end: float) -> None:
    """Write the states that controlled signals showed as one program each: with it, SUMO alone repeats the run.

    ``states`` are (time in s, state) in time order, the first at ``begin``.
    """
    root = Element("additional")
    for tl, rows in sorted(states.items()):
        logic = ElementTree.SubElement(
            root, "tlLogic", id=tl, type="static", programID="denxanh", offset=exact(begin)
        )
        for (start, state), (stop, _) in zip(rows, [*rows[1:], (end, "")], strict=True):
            if stop > start:
                ElementTree.SubElement(logic, "phase", duration=exact(stop - start), state=state)
    write_xml(root, folder / REPLAY)


def exact(seconds: float) -> str:
    """A time as SUMO reads it, to the millisecond."""
    return f"{round(seconds, 3):.15g}"


def write_additional(
    path: Path, folder: Path, number: int, ours: set[str], *, change: Change | None = None
) -> str:
    """Write an additional file without outputs, and without switching times of the signals ``ours``; its name.

    ``change`` gives the attributes of its elements.
    """
    root = read_additional(path).root
    if change is not None:
        for element in root.iter():
            element.attrib.update(change(element.tag, element.attrib))
    for element in list(root):
        if element.tag in ("wautJunction", "WAUT") and (
            element.get("junctionID") in ours or (element.tag == "WAUT" and _only_ours(root, element, ours))
        ):
            root.remove(element)
    for i, element in enumerate(e for e in root.iter() if e.tag in READS_FILE and e.get("file")):
        element.set(
            "file",
            _reference(Path(element.attrib["file"]), folder, f"additional-{number}-{i}.xml", element.tag),
        )
    name = f"additional-{number}.add.xml"
    write_xml(root, folder / name)
    return name


def _only_ours(root: Element, waut: Element, ours: set[str]) -> bool:
    users = [j.get("junctionID") for j in root.findall("wautJunction") if j.get("wautID") == waut.get("id")]
    return all(user in ours for user in users)


def _write_measures(
    folder: Path,
    signals: Iterable[str],
    approaches: Iterable[str],
    exits: Iterable[str],
    *,
    window: Mapping[str, str],
    weighted: Iterable[Iterable[str]],
) -> None:
    root = Element("additional")
    common = {"excludeEmpty": "true", **window}
    ElementTree.SubElement(root, "edgeData", common, id="traffic", file=EDGES)
    ElementTree.SubElement(root, "edgeData", common, id="emissions", type="emissions", file=EMISSIONS)
    for number, types in enumerate(weighted):
        of_types = {**common, "vTypes": " ".join(types)}
        traffic, exhaust = weighted_files(number)
        ElementTree.SubElement(root, "edgeData", of_types, id=f"traffic-{number}", file=traffic)
        ElementTree.SubElement(
            root, "edgeData", of_types, id=f"emissions-{number}", type="emissions", file=exhaust
        )
    for tl in signals:
        ElementTree.SubElement(root, "timedEvent", type="SaveTLSSwitchStates", source=tl, dest=SIGNALS)
    add_loops(root, approaches, exits)
    write_xml(root, folder / MEASURES)


def weighted_files(number: int) -> tuple[str, str]:
    """The files of the totals by edge of a set of vehicle types: traffic, emissions."""
    return f"edges-{number}.xml", f"emissions-{number}.xml"


def write_xml(root: Element, path: Path) -> None:
    """Write an element as an indented XML file."""
    ElementTree.indent(root, "    ")
    ElementTree.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)


def net_for(path: Path, folder: Path) -> str:
    """The path of the network for SUMO; one that makes SUMO write files is copied without that."""
    return given_path(path, folder, "net.net.xml", "network file")


def given_path(path: Path, folder: Path, name: str, kind: str, *, change: Change | None = None) -> str:
    """The path of a user's file for SUMO; where SUMO may not have it as it is, that of a copy in ``folder``.

    A file whose attributes ``change`` gives is always copied.
    """
    if change is None and inspect(path, kind=kind).as_it_is:
        return _path(path, folder, name.partition(".")[0])
    write_copy(path, folder / name, kind=kind, change=change)
    return name


def _reference(path: Path, folder: Path, name: str, tag: str) -> str:
    """The path of a file that an additional file reads, as ``given_path``."""
    kind = f"file of a <{tag}>"
    if inspect(path, kind=kind).as_it_is:
        return str(path)
    write_copy(path, folder / name, kind=kind)
    return name


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
