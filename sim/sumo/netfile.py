"""The raw content of a SUMO .net.xml: records as the file has them, nothing derived.

sumolib reads networks too; this reader keeps what control needs and sumolib leaves out or makes slowly
(docs/decisions/0003-own-net-reader.md).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from denxanh.sim.errors import InputError
from denxanh.sim.input.collector import paused_collector
from denxanh.sim.input.limits import LINKS, check_count
from denxanh.sim.network import Edge, Lane
from denxanh.sim.sumo.user_files import inspect_parsed
from denxanh.sim.sumo.xmlfile import parse
from denxanh.sim.text_values import FALSE, TRUE

VEHICLE_CLASSES = frozenset(
    (
        "private emergency authority army vip pedestrian passenger hov taxi bus coach delivery truck trailer "
        "motorcycle moped bicycle evehicle tram rail_urban rail rail_electric rail_fast ship container "
        "cable_car subway aircraft wheelchair scooter drone custom1 custom2"
    ).split()
)
_MOTOR = frozenset(
    "passenger taxi bus coach delivery truck trailer motorcycle moped hov private evehicle".split()
)
_PLAIN = frozenset({"connection", "tlLogic", "type", "roundabout", "prohibition", "param", "taz"})


@dataclass(frozen=True)
class RawPhase:
    """One <phase> of a tlLogic."""

    state: str
    duration: float  # s
    min_dur: float | None
    max_dur: float | None
    next: tuple[int, ...]  # phases that may follow; () for the one after it
    name: str


@dataclass(frozen=True)
class RawProgram:
    """One <tlLogic>."""

    id: str
    program: str
    type: str
    offset: float  # s
    phases: tuple[RawPhase, ...]
    location: str = ""  # the file it stands in
    with_run: bool = False  # its offset counts from the begin of the run, not from midnight


class RawConnection(NamedTuple):
    """One <connection> between two lanes; ``tl`` is "" where no signal drives it."""

    start: str  # lane
    end: str  # lane
    via: str
    direction: str
    tl: str
    index: int  # type: ignore[assignment]  # hides the method of tuples, which nobody calls here


class InternalLane(NamedTuple):
    """A lane within a junction. A large network has five times as many of them as of others."""

    id: str
    edge: str
    length: float  # m
    speed: float  # m/s
    next: tuple[str, ...]  # the lanes that its connections lead to
    outline: str  # its points as the file has them

    @property
    def shape(self) -> tuple[tuple[float, float], ...]:
        """Its points, (points, 2) m."""
        return _shape(self.outline)


@dataclass(frozen=True)
class RawJunction:
    """One <junction> with its right-of-way rows; bit k of a row is link k, read from the right."""

    id: str
    type: str
    position: tuple[float, float]
    int_lanes: tuple[str, ...]
    foes: dict[int, str]
    response: dict[int, str]
    inc_lanes: tuple[str, ...] = ()


@dataclass
class NetFile:
    """All records of one file."""

    path: Path
    lanes: dict[str, Lane] = field(default_factory=dict)
    internal: dict[str, InternalLane] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    connections: list[RawConnection] = field(default_factory=list)
    junctions: dict[str, RawJunction] = field(default_factory=dict)
    programs: dict[str, list[RawProgram]] = field(default_factory=dict)
    crossings: set[str] = field(default_factory=set)
    projection: str = ""
    lefthand: bool = False  # traffic drives on the left


@paused_collector()
def read_net(path: Path) -> NetFile:
    """Read a .net.xml or .net.xml.gz; every fault is an InputError that names the file and the place."""
    root = inspect_parsed(path, lambda: parse(path, kind="network file"), kind="network file")
    if root.tag != "net":
        raise InputError(
            f"this is not a SUMO network: its root is <{root.tag}>, not <net>",
            location=str(path),
            remedy="give the .net.xml as the network and the .rou.xml as routes",
        )
    net = NetFile(path)
    try:
        _read(root, net)
    except (KeyError, ValueError) as error:
        raise InputError(
            f"the network file lacks or has a wrong value ({error})",
            location=str(path),
            remedy="rebuild it with netconvert",
        ) from None
    if not net.edges:
        raise InputError("the network has no road", location=str(path), remedy="rebuild it with netconvert")
    return net


def read_offset(path: Path) -> tuple[float, float]:
    """What the network file adds to projected coordinates, m (``netOffset``). Raises InputError."""
    element = parse(path, kind="network file").find("location")
    text = "" if element is None else element.get("netOffset", "")
    try:
        x, y = (finite(float(part)) for part in text.split(","))
    except ValueError:
        raise InputError(
            f"netOffset is {text[:40]!r}", location=str(path), remedy="rebuild the network with netconvert"
        ) from None
    return x, y


def read_programs(elements: Iterable[Element], location: str) -> list[RawProgram]:
    """The <tlLogic> elements among ``elements``, in file order."""
    out = []
    for element in elements:
        name = element.get("id", "")
        phases = []
        rows = element.findall("phase")
        for i, row in enumerate(rows):
            spot = f"{location}: signal {name!r}, phase {i}"
            check_count(
                len(row.get("state", "")),
                LINKS,
                "links of one signal",
                location=spot,
                remedy="check the file",
            )
            phases.append(
                RawPhase(
                    row.get("state", ""),
                    _duration(row.get("duration", ""), f"{spot}, duration"),
                    _optional(row.get("minDur"), f"{spot}, minDur"),
                    _optional(row.get("maxDur"), f"{spot}, maxDur"),
                    _next(row.get("next"), len(rows), f"{spot}, next"),
                    row.get("name", ""),
                )
            )
        offset = element.get("offset", "0")
        out.append(
            RawProgram(
                name,
                element.get("programID", "0"),
                element.get("type", "static"),
                0.0 if offset == "begin" else seconds(offset, f"{location}: signal {name!r}, offset"),
                tuple(phases),
                location,
                with_run=offset == "begin",  # SUMO ≥ 1.21
            )
        )
    return out


def _read(root: Element, net: NetFile) -> None:
    net.lefthand = boolean(root.get("lefthand", "false"), f"{net.path}: lefthand")
    follow: dict[str, list[str]] = {}
    for element in root.iter("connection"):
        given = element.attrib
        get = given.get
        tl = get("tl", "")
        start, end = f"{given['from']}_{given['fromLane']}", f"{given['to']}_{given['toLane']}"
        index = _link_index(get("linkIndex", "-1")) if tl else -1
        net.connections.append(RawConnection(start, end, get("via", ""), get("dir", ""), tl, index))
        follow.setdefault(start, []).append(end)
    for element in root:
        if element.tag == "edge":
            _read_edge(element, net, follow)
        elif element.tag == "junction":
            _read_junction(element, net)
        elif element.tag == "location":
            net.projection = element.get("projParameter", "!")
        elif element.tag not in _PLAIN:  # SUMO would build detectors and follow includes here
            raise InputError(
                f"a network does not hold <{element.tag}>",
                location=str(net.path),
                remedy="put it into an additional file",
            )
    for program in read_programs(root.findall("tlLogic"), str(net.path)):
        net.programs.setdefault(program.id, []).append(program)


def _read_edge(element: Element, net: NetFile, follow: dict[str, list[str]]) -> None:
    function = element.get("function", "normal")
    name = element.attrib["id"]
    if function in ("crossing", "walkingarea"):
        net.crossings.add(name)
    if function not in ("normal", ""):
        for row in element.findall("lane"):
            lane = _read_internal(row.attrib, name, follow)
            net.internal[lane.id] = lane
        return
    lanes = []
    for row in element.findall("lane"):
        given = row.attrib
        id, get = given["id"], given.get
        allow, vehicles = _permissions(get("allow"), get("disallow"))
        length, speed = finite(float(given["length"])), finite(float(given["speed"]))
        onward = tuple(dict.fromkeys(follow.get(id, ())))
        lanes.append(Lane(id, name, length, speed, _shape(get("shape", "")), onward, vehicles, allow))
    net.lanes.update((lane.id, lane) for lane in lanes)
    middle = lanes[len(lanes) // 2]
    shape = _shape(element.get("shape", "")) or middle.shape
    net.edges[name] = Edge(
        id=name,
        name=element.get("name", ""),
        start=element.attrib["from"],
        end=element.attrib["to"],
        lanes=tuple(lane.id for lane in lanes),
        length=middle.length,
        speed=max(lane.speed for lane in lanes),
        priority=int(element.get("priority", "-1")),
        shape=shape,
    )


def _read_internal(given: Mapping[str, str], edge: str, follow: Mapping[str, list[str]]) -> InternalLane:
    id, outline = given["id"], given.get("shape", "")
    if _POINTS.fullmatch(outline) is None:
        _shape(outline)  # raises ValueError where it cannot be read
    length, speed = finite(float(given["length"])), finite(float(given["speed"]))
    return InternalLane(id, edge, length, speed, tuple(dict.fromkeys(follow.get(id, ()))), outline)


_POINTS = re.compile(r"(?:-?[0-9]{1,15}(?:\.[0-9]*)?,-?[0-9]{1,15}(?:\.[0-9]*)?(?: |$))*")
"""Points as netconvert writes them."""


def _read_junction(element: Element, net: NetFile) -> None:
    kind = element.get("type", "")
    if kind == "internal":  # its intLanes are foes, not links
        return
    requests = element.findall("request")
    junction = RawJunction(
        element.attrib["id"],
        kind,
        (finite(float(element.get("x", "0"))), finite(float(element.get("y", "0")))),
        tuple(element.get("intLanes", "").split()),
        {int(r.attrib["index"]): _row(r, "foes") for r in requests},
        {int(r.attrib["index"]): _row(r, "response") for r in requests},
        tuple(element.get("incLanes", "").split()),
    )
    net.junctions[junction.id] = junction


def _link_index(text: str) -> int:
    """Which letter drives a connection: one from 0 on, or −1 for none."""
    if (index := int(text)) < -1:
        raise ValueError(f"linkIndex {text} of a connection that a signal drives")
    return index


def _row(request: Element, key: str) -> str:
    """A row of a junction's right-of-way table: a digit for each of its links."""
    row = request.get(key, "")
    if not set(row) <= {"0", "1"}:
        raise ValueError(f"{key} {row!r} of a junction's request")
    return row


@lru_cache(maxsize=1024)
def _permissions(allow: str | None, disallow: str | None) -> tuple[frozenset[str], bool]:
    """The classes that may use a lane, and whether motor vehicles are among them; few lists stand at many lanes."""
    if allow is not None and allow != "all":
        classes = frozenset(allow.split())
    elif disallow is not None:
        classes = frozenset() if disallow == "all" else VEHICLE_CLASSES - set(disallow.split())
    else:
        classes = VEHICLE_CLASSES
    return classes, bool(classes & _MOTOR)


def _shape(text: str) -> tuple[tuple[float, float], ...]:
    flat = text.replace(",", " ").split()
    if len(flat) == 2 * text.count(","):  # points of two numbers each, as nearly always
        numbers = list(map(float, flat))
        if math.isfinite(sum(numbers)):
            return tuple(zip(numbers[::2], numbers[1::2], strict=True))
    points = [point.split(",") for point in text.split()]
    shape = tuple([(float(point[0]), float(point[1])) for point in points])
    if not math.isfinite(sum(map(sum, shape))):  # one test for all of them
        for point in shape:
            finite(point[0])
            finite(point[1])
    return shape


def seconds(text: str, location: str) -> float:
    """A SUMO time: seconds, or [d:]h:m:s."""
    try:
        if ":" in text:
            parts = [float(part) for part in text.split(":")]
            value = sum(
                part * unit for part, unit in zip(reversed(parts), (1, 60, 3600, 86400), strict=False)
            )
        else:
            value = float(text)
        return finite(value)
    except ValueError:
        raise InputError(f"{text!r} is not a time", location=location, remedy="give seconds") from None


def boolean(text: str, location: str) -> bool:
    """A SUMO truth value."""
    word = text.lower()
    if word not in TRUE | FALSE:
        raise InputError(f"{text!r} is not true or false", location=location, remedy="give true or false")
    return word in TRUE


def finite(value: float) -> float:
    """The value. Raises ValueError for nan and infinity, with which SUMO computes until it breaks."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no finite number")
    return value


def _duration(text: str, location: str) -> float:
    """A phase's duration; SUMO stops at 0, and below 0 the signal stops switching without a word."""
    value = seconds(text, location)
    if value <= 0:
        raise InputError(f"{text} s is no duration", location=location, remedy="give a positive time")
    return value


def _next(text: str | None, phases: int, location: str) -> tuple[int, ...]:
    """The phases that may follow a phase; SUMO stops at an empty list and at a number that is no phase."""
    words = [] if text is None else text.split()
    if text is not None and not words:
        raise InputError(
            "it names no phase", location=location, remedy="name a phase, or remove the attribute"
        )
    for word in words:
        if not re.fullmatch(r"\+?\d{1,9}", word, re.ASCII) or int(word) >= phases:
            raise InputError(
                f"{word!r} is no phase of this program",
                location=location,
                remedy=f"give whole numbers from 0 to {phases - 1}, separated by spaces",
            )
    return tuple(int(word) for word in words)


def _optional(text: str | None, location: str) -> float | None:
    return None if text is None else seconds(text, location)
