"""Departures of a route file, counted: enough to find the vehicles that SUMO would drop without a message.

SUMO ignores vehicles that depart before ``begin``, and any vehicle that stands after a later one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from denxanh.sim.errors import InputError
from denxanh.sim.sumo.netfile import seconds
from denxanh.sim.sumo.run_input import check_routes
from denxanh.sim.sumo.xmlfile import read_bytes

_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_CALIBRATOR = re.compile(rb"<calibrator\b[^>]*(?<!/)>.*?</calibrator\s*>", re.DOTALL)
_DEPARTURE = re.compile(rb"<(vehicle|trip|flow|person|personFlow|container|containerFlow)\b([^>]*)>")
_FLOWS = (b"flow", b"personFlow", b"containerFlow")
_VEHICLES = (b"vehicle", b"trip", b"flow")
_TRIGGERED = ("triggered", "containerTriggered", "split")
_ROOT = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?.*?\?>\s*)*<([A-Za-z_][\w.:-]*)[^>]*?(/?)>", re.DOTALL)
_EDGES = re.compile(rb'(?<![\w.-])edges\s*=\s*["\']([^"\']*)["\']')
_FROM_TO = re.compile(rb'(?<![\w.-])(?:from|to|via)\s*=\s*["\']([^"\']*)["\']')
_ATTRIBUTE = {
    name: re.compile(rb"(?<![\w.-])" + name.encode() + rb'\s*=\s*["\']([^"\']*)["\']')
    for name in ("id", "depart", "begin", "end", "number", "period", "vehsPerHour", "perHour")
}


@dataclass(frozen=True)
class Departures:
    """The departures in the route files of a scenario, counted."""

    before: int  # explicit vehicles that depart before begin: SUMO drops them
    due: int  # explicit vehicles that depart within [begin, end)
    after: int  # explicit vehicles that depart at or after end: not simulated
    flows: int  # <flow> elements that begin before end, and calibrators: SUMO makes their vehicles itself
    triggered: int  # vehicles that wait for a person or container
    last: float  # s, the latest explicit departure or end of a flow; −inf if there is none
    persons: int = 0  # persons, and flows of them: they may bring vehicles of their own

    def __add__(self, other: Departures) -> Departures:
        return Departures(
            self.before + other.before,
            self.due + other.due,
            self.after + other.after,
            self.flows + other.flows,
            self.triggered + other.triggered,
            max(self.last, other.last),
            self.persons + other.persons,
        )


NONE = Departures(0, 0, 0, 0, 0, float("-inf"))


def read_departures(
    path: Path,
    begin: float,
    end: float,
    edges: Container[str] | None = None,
    *,
    additional: bool = False,
) -> Departures:
    """Count departures in one route file, or in an ``additional`` one, which SUMO loads as a whole.

    Raises InputError where a vehicle would be dropped for its order or, where the network's ``edges`` are
    given, drives along an edge that is not there (SUMO says so only when it comes to that vehicle).
    """
    content = read_bytes(path, kind="route file")
    check_routes(path, content)
    if b"<!--" in content:
        content = _COMMENT.sub(lambda match: b"\n" * match.group().count(b"\n"), content)
    _check_root(path, content)
    if edges is not None:
        _check_edges(path, content, edges)
    before = due = after = flows = triggered = persons = 0
    if b"<calibrator" in content:  # its flows are rates, in no order
        flows = content.count(b"<calibrator")  # also those that read their flows from a file
        content = _CALIBRATOR.sub(lambda match: b"\n" * match.group().count(b"\n"), content)
    last, last_id, latest = float("-inf"), "", float("-inf")
    for match in _DEPARTURE.finditer(content):
        kind, attributes = match.groups()
        key = "begin" if kind in _FLOWS else "depart"
        found = _ATTRIBUTE[key].search(attributes)
        text = found.group(1).decode() if found else ("begin" if kind in _FLOWS else "triggered")
        if text in _TRIGGERED:
            triggered += kind in _VEHICLES
            persons += kind.startswith(b"person")
            continue
        name = _ATTRIBUTE["id"].search(attributes)
        label = name.group(1).decode("utf-8", "replace") if name else ""
        time = begin if text in ("now", "begin") else _time(text, path, key, label)
        if time < last and not additional:
            line = content.count(b"\n", 0, match.start()) + 1
            raise InputError(
                f"{kind.decode()} {label!r} departs at {time:g} s but stands after {last_id!r}, which departs at "
                f"{last:g} s, so SUMO would drop it",
                location=f"{path}, line {line}",
                remedy="sort the file by departure time",
            )
        last, last_id = time, label
        persons += kind.startswith(b"person")
        if kind not in _VEHICLES:  # SUMO keeps one order for vehicles and persons, but we count vehicles
            continue
        if kind == b"flow":
            flows += time < end
            latest = max(latest, _flow_end(attributes, time, path, label))
        elif time < begin:
            before += 1
        elif time < end:
            due += 1
        else:
            after += 1
    return Departures(before, due, after, flows, triggered, max(last, latest), persons)


def _flow_end(attributes: bytes, begin: float, path: Path, label: str) -> float:
    """The end of a flow, s: as given, or with the last of its ``number`` vehicles."""
    given = {
        name: found.group(1).decode()
        for name, pattern in _ATTRIBUTE.items()
        if (found := pattern.search(attributes))
    }
    if "end" in given:
        return _time(given["end"], path, "end", label)
    if "number" not in given:
        return begin
    number = _time(given["number"], path, "number", label)
    rate = 0.0  # veh/s; SUMO itself refuses one that is not above 0
    if hourly := given.get("vehsPerHour", given.get("perHour")):
        rate = _time(hourly, path, "vehsPerHour", label) / 3600.0
    elif random := re.fullmatch(r"exp\(([^)]*)\)", given.get("period", "")):
        rate = _time(random.group(1), path, "period", label)
    elif "period" in given:
        return begin + number * _time(given["period"], path, "period", label)
    return begin + number / rate if rate > 0 else begin


def _check_root(path: Path, content: bytes) -> None:
    """Raise InputError for a file without routes or cut off, which SUMO notices only at its end."""
    if not content.strip():
        raise InputError("the route file is empty", location=str(path), remedy="write it again")
    root = _ROOT.match(content)
    if root is None:
        raise InputError("the route file is not XML", location=str(path), remedy="give a .rou.xml")
    if root.group(1) == b"net":
        raise InputError(
            "this is a network, not routes", location=str(path), remedy="give the .rou.xml as the route file"
        )
    closing = re.compile(rb"</" + re.escape(root.group(1)) + rb"\s*>\s*\Z")
    if not root.group(2) and not closing.search(content, max(0, len(content) - 4096)):
        line = content.count(b"\n") + 1
        raise InputError(
            f"the route file is cut off: </{root.group(1).decode()}> is missing",
            location=f"{path}, line {line}",
            remedy="write it again",
        )


def _check_edges(path: Path, content: bytes, edges: Container[str]) -> None:
    known: set[bytes] = set()
    ends = (
        end
        for row in _DEPARTURE.finditer(content)
        if row.group(1) in (b"trip", b"flow")
        for end in _ends(row)
    )
    for match in itertools.chain(_EDGES.finditer(content), ends):
        if match.group(1) in known:
            continue
        for edge in match.group(1).decode("utf-8", "replace").split():
            if edge not in edges:
                line = content.count(b"\n", 0, match.start()) + 1
                raise InputError(
                    f"the route names the edge {edge!r}, which is not in the network",
                    location=f"{path}, line {line}",
                    remedy="use the network the routes were made for",
                )
        known.add(match.group(1))


def _ends(row: re.Match[bytes]) -> Iterator[re.Match[bytes]]:
    """The roads that a trip or flow names: matches within the whole file."""
    return _FROM_TO.finditer(row.string, *row.span(2))


def _time(text: str, path: Path, key: str, label: str) -> float:
    try:
        return float(text)
    except ValueError:
        return seconds(text, f"{path}: {key} of {label!r}")
