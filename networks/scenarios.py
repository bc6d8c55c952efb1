"""Open a scenario: a built-in place, a .sumocfg, a folder with one, or NET+ROUTES.

A user's configuration is read but never passed to SUMO, because its options may write files and open sockets.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

from denxanh import networks
from denxanh.networks import built_in
from denxanh.networks.traffic.demand_origin import is_synthetic
from denxanh.sim.demand.departures import NONE, read_departures
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import CONFIGURATION_BYTES, DEMAND, SECONDS, check_number
from denxanh.sim.scenario import Scenario, is_simulation_option
from denxanh.sim.sumo.netfile import seconds
from denxanh.sim.sumo.options import check_options
from denxanh.sim.sumo.xmlfile import parse
from denxanh.sim.text_values import TRUE, Moment, closest, did_you_mean

CLEARING = 3600.0  # s simulated after the last departure where a configuration gives no end
_ALIASES = {
    "net": "net-file", "n": "net-file", "routes": "route-files", "r": "route-files",
    "additional": "additional-files", "a": "additional-files", "b": "begin", "e": "end",
}  # fmt: skip
_READ = {"net-file", "route-files", "additional-files", "begin", "end", "step-length"}
_IGNORED = {  # set by each run, or concern logging only: ignored without a note
    "seed", "random", "no-step-log", "verbose", "duration-log.disable", "duration-log.statistics", "no-warnings",
    "xml-validation", "xml-validation.net", "xml-validation.routes", "log", "error-log", "message-log", "threads",
    "step-log.period", "print-options", "start", "quit-on-end", "delay", "gui-settings-file", "configuration-file",
}  # fmt: skip


GENERIC = ("place", "net")
"""Names that denxanh gives to files of every place: such a place is named after its folder."""


def open_scenario(text: str, *, end: float | Moment | None = None, folder: Path = Path()) -> Scenario:
    """Return the scenario that ``text`` names; ``end`` (s, or a Moment) replaces the end it gives.

    Paths are relative to ``folder``.

    Raises:
        InputError: the scenario does not exist, or its files or times are invalid.
    """
    scenario = _open(text, folder)
    if built_in.NOTE not in scenario.notes and any(map(is_synthetic, scenario.routes)):
        scenario = replace(scenario, notes=(built_in.NOTE_OF_IMPORT, *scenario.notes))
    _check_step(scenario, text)
    if isinstance(end, Moment):
        end = end.at(scenario.begin)
    if end is not None:
        if not scenario.begin < end:
            raise InputError(
                f"the end {end:g} s is not after the begin {scenario.begin:g} s",
                location=text,
                remedy="give a later --end",
            )
        scenario = _with_end(scenario, end)
    elif math.isnan(scenario.end):
        scenario = _with_end(
            scenario,
            _end_of_traffic(scenario),
            "it gives no end: the run continues for an hour after the last departure, "
            "and flows per hour and mean queues refer to all of it",
        )
    _check_times(scenario, text)
    return scenario


def files_of(text: str, folder: Path = Path()) -> list[str]:
    """The files that a PLACE names: NET and ROUTES where it is NET+ROUTES[+…], else itself alone.

    A "+" within a name does not divide: what divides follows .net.xml[.gz], or the end of a route file. Paths are
    relative to ``folder``.
    """
    ends = [m.end() for m in re.finditer(r"\.net\.xml(\.gz)?(?=\+)", text)]
    if not ends or (folder / text).exists():
        return [text]
    end = next((end for end in ends if (folder / text[:end]).is_file()), ends[0])
    found, name = [text[:end]], ""
    for piece in text[end + 1 :].split("+"):
        name = f"{name}+{piece}" if name else piece
        if name.endswith((".xml", ".xml.gz")) or (folder / name).is_file():
            found.append(name)
            name = ""
    return [*found, name] if name or len(found) == 1 else found


def _open(text: str, folder: Path) -> Scenario:
    if not text:
        raise InputError("no place is given", remedy="name a place from 'denxanh list' or a .sumocfg")
    path = folder / text
    if path.is_file():
        if path.name.endswith((".sumocfg", ".cfg", ".sumocfg.xml")):
            return read_config(path)
        if path.name.endswith((".net.xml", ".net.xml.gz")):
            raise InputError(
                "a network alone has no traffic",
                location=text,
                remedy=f"write {text}+ROUTES.rou.xml, or give a .sumocfg",
            )
        raise InputError(
            "this is not a .sumocfg", location=text, remedy="give a .sumocfg, its folder, or NET+ROUTES"
        )
    if path.is_dir():
        found = sorted(path.glob("*.sumocfg"))
        if len(found) != 1:
            what = "no .sumocfg" if not found else f"{len(found)} .sumocfg files"
            raise InputError(f"the folder holds {what}", location=text, remedy="name the .sumocfg")
        return read_config(found[0])
    net, *routes = files_of(text, folder)
    if routes:
        return _from_files(folder / net, tuple(folder / route for route in routes), text)
    if built_in.name_of(text) in {place.name for place in networks.list_places()}:
        choice = built_in.parse(text)
        scenario = read_config(choice.build())
        return replace(
            scenario,
            name=text.replace(":lane", ""),
            notes=(built_in.NOTE, *([built_in.NOTE_ON_FOOT] if choice.on_foot else []), *scenario.notes),
            plan_source=choice.plan_source(),
        )
    raise InputError(f"{_missing(text)} {text!r}", remedy=_remedy(text, path))


def _missing(text: str) -> str:
    """What there is not: a file or folder where the text can only be a path, else a place."""
    if text.endswith((".sumocfg", ".cfg", ".xml", ".xml.gz")):
        return "there is no file"
    return (
        "there is no file or folder"
        if text.startswith(("/", "./", "../", "~", "\\"))
        else "there is no place"
    )


def other_fidelity(scenario: Scenario) -> Scenario | None:
    """The same built-in place, hours and end in its other fidelity (lane, sublane); None for other scenarios.

    Both have the same network, so that a plan of the one runs in the other.
    """
    if built_in.name_of(scenario.name) not in {place.name for place in networks.list_places()}:
        return None
    choice = built_in.parse(scenario.name)
    if scenario.net.resolve() != (choice.build().parent / scenario.net.name).resolve():
        return None  # somebody's own files under the name of a place
    fidelity = "lane" if choice.fidelity == "sublane" else "sublane"
    name = re.sub(r":(lane|sublane)(?=$|:)", "", scenario.name)
    return replace(_open(f"{name}:{fidelity}", Path()), begin=scenario.begin, end=scenario.end)


def read_config(path: Path) -> Scenario:
    """Return the scenario of a .sumocfg; ``notes`` of the result lists the options that were ignored.

    Raises:
        InputError: the file is not a configuration, or names missing files or invalid options.
    """
    root = parse(path, kind="configuration", most=CONFIGURATION_BYTES)
    values: dict[str, str] = {}
    for element in root.iter():
        value = element.get("value", element.get("v"))
        if value is not None and element is not root:
            key = _ALIASES.get(element.tag, element.tag)
            if key in values:
                raise InputError(f"{key!r} is given twice", location=str(path), remedy="keep one")
            values[key] = value
    ignored = sorted(key for key in values if key not in _READ | _IGNORED and not is_simulation_option(key))
    notes = [f"ignored from {path.name}: {', '.join(ignored)}"] if ignored else []
    if values.get("mesosim", "").lower() in TRUE:
        notes.append(
            f"{path.name} asks for SUMO's mesoscopic model; here every vehicle is simulated microscopically"
        )
    if values.get("tls.all-off", "").lower() in TRUE:
        notes.append(
            f"{path.name} switches every signal off (tls.all-off): under 'program' and SUMO's own logics junctions "
            "run by right of way; other controllers put the signals into operation"
        )
    for key in ("net-file", "route-files"):
        missing = not values.get(key, "").strip()
        if missing and (key == "net-file" or not values.get("additional-files", "").strip()):
            raise InputError(f"it names no {key}", location=str(path), remedy=f'add <{key} value="…"/>')
    options = {key: value for key, value in sorted(values.items()) if is_simulation_option(key)}
    check_options(options, str(path))
    check_number(float(options.get("scale", "1")), DEMAND, "scale", location=str(path), least=0)
    folder = path.parent

    def files(key: str) -> tuple[Path, ...]:
        return tuple(folder / part.strip() for part in values.get(key, "").split(",") if part.strip())

    location = str(path)
    scenario = Scenario(
        name=_name(path, path.name.removesuffix(".sumocfg")),
        net=folder / values["net-file"].strip(),
        routes=files("route-files"),
        additional=files("additional-files"),
        begin=seconds(values.get("begin", "0"), f"{location}, begin"),
        end=_end(values.get("end", "-1"), f"{location}, end"),
        step=seconds(values.get("step-length", "1"), f"{location}, step-length"),
        options=options,
        notes=tuple(notes),
    )
    _check_files(scenario, location)
    return scenario


def _from_files(net: Path, routes: tuple[Path, ...], text: str) -> Scenario:
    scenario = Scenario(_name(net, net.name.split(".")[0]), net, routes, end=math.nan)
    _check_files(scenario, text)
    return scenario


def _name(path: Path, stem: str) -> str:
    return path.resolve().parent.name or stem if stem in GENERIC else stem


def _with_end(scenario: Scenario, end: float, note: str = "") -> Scenario:
    return Scenario(**{**vars(scenario), "end": end, "notes": (*scenario.notes, *filter(None, [note]))})


def _end_of_traffic(scenario: Scenario) -> float:
    groups = [(scenario.routes, False), (scenario.additional, True)]
    departures = sum(
        (
            read_departures(p, scenario.begin, math.inf, additional=more)
            for paths, more in groups
            for p in paths
        ),
        NONE,
    )
    last = max(departures.last, scenario.begin)
    return math.ceil((last + CLEARING) / scenario.step) * scenario.step


def _end(text: str, location: str) -> float:
    value = seconds(text, location)
    return math.nan if value < 0 else value


def _check_files(scenario: Scenario, location: str) -> None:
    kinds = (("network", (scenario.net,)), ("route", scenario.routes), ("additional", scenario.additional))
    for kind, paths in kinds:
        for path in paths:
            if not path.is_file():
                raise InputError(
                    f"the {kind} file {str(path)!r} does not exist",
                    location=location,
                    remedy="correct the path",
                )


def _check_step(scenario: Scenario, location: str) -> None:
    if not 0.001 <= scenario.step <= 10.0:  # SUMO computes in ms
        raise InputError(
            f"the step-length is {scenario.step:g} s", location=location, remedy="give a step from 0.1 to 1 s"
        )


def _check_times(scenario: Scenario, location: str) -> None:
    begin, end, step = scenario.begin, scenario.end, scenario.step
    if not math.isfinite(begin) or begin < 0 or not math.isfinite(end):
        raise InputError(
            f"begin {begin:g} s or end {end:g} s is not a time", location=location, remedy="give seconds ≥ 0"
        )
    if end <= begin:
        raise InputError(
            f"the end {end:g} s is not after the begin {begin:g} s",
            location=location,
            remedy="give a later end",
        )
    if end - begin > SECONDS or end > 100 * SECONDS:
        raise InputError(
            f"from {begin:g} s to {end:g} s is longer than a year of {SECONDS:g} s",
            location=location,
            remedy="give an earlier end",
        )
    steps = (end - begin) / step
    if abs(steps - round(steps)) > 1e-6:
        raise InputError(
            f"from {begin:g} s to {end:g} s is not a whole number of steps of {step:g} s",
            location=location,
            remedy="move the end",
        )


def _remedy(text: str, path: Path) -> str:
    names = [place.name for place in networks.list_places()]
    if closest(text, names):
        return did_you_mean(text, names)
    same_street = [name for name in names if text.strip("/").split("/")[-1] == name.split("/")[-1]]
    if same_street:
        return did_you_mean(same_street[0], same_street)
    if path.parent.is_dir():
        beside = [str(p) for p in path.parent.iterdir() if p.is_dir() or p.suffix == ".sumocfg"]
        if closest(text, beside):
            return did_you_mean(text, beside)
    return f"give a .sumocfg, a folder with one, NET+ROUTES, or one of: {', '.join(names)}"
