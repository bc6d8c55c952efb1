"""Departures of a route file, counted: enough to find the vehicles that SUMO would drop without a message.

SUMO ignores vehicles that depart before ``begin``, and any that stands after a later one. One pass over a file tells
all that a run needs to know of it before SUMO reads it: departures, what a vehicle of each type counts for, and
whether vehicles may change their routes.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from pathlib import Path

from denxanh.sim.demand.equivalents import Equivalent, TypeReader
from denxanh.sim.demand.flow_departures import AT_ONCE, WITHOUT_TIME, as_time, flow_time, read_flow
from denxanh.sim.demand.vehicle_class import VehicleClass
from denxanh.sim.errors import InputError
from denxanh.sim.sumo.user_files import inspect
from denxanh.sim.sumo.xmlfile import scan

FLOWS = ("flow", "personFlow", "containerFlow")
SINGLE = ("vehicle", "trip", "person", "container")
VEHICLES = ("vehicle", "trip", "flow")
ENDS = frozenset(
    f"{end}{kind}" for end in ("from", "to") for kind in ("", "Junction", "Taz", "XY", "LonLat")
) | {"via", "viaJunctions", "viaXY", "viaLonLat"}
"""Attributes that say where a trip leads."""
_AT_JUNCTIONS = frozenset({"fromJunction", "toJunction", "viaJunctions"})
_REROUTING = "has.rerouting.device"


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


@dataclass(frozen=True)
class Traffic:
    """What a run needs to know of its route files."""

    departures: Departures = NONE
    equivalents: dict[str, Equivalent] = field(default_factory=dict)  # by vType
    scaled: bool = False  # a vType has a scale: SUMO makes more or fewer vehicles than are written
    reroutes: bool = False  # vehicles may change their routes on the way
    stops: bool = False  # vehicles may stand at stops of their own
    types: dict[str, VehicleClass] = field(default_factory=dict)  # by id

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            self.departures + other.departures,
            self.equivalents | other.equivalents,
            self.scaled or other.scaled,
            self.reroutes or other.reroutes,
            self.stops or other.stops,
            self.types | other.types,
        )


def read_departures(
    path: Path,
    begin: float,
    end: float,
    edges: Container[str] | None = None,
    *,
    additional: bool = False,
) -> Departures:
    """Count departures in one route file, or in an ``additional`` one. Raises InputError as ``read_traffic``."""
    return read_traffic(path, begin, end, edges, additional=additional).departures


def read_traffic(
    path: Path,
    begin: float,
    end: float,
    edges: Container[str] | None = None,
    *,
    additional: bool = False,
    junctions: bool = True,
) -> Traffic:
    """Read one route file, or an ``additional`` one, which SUMO loads as a whole.

    Raises InputError for what SUMO refuses, where a vehicle would be dropped for its order and, where the network's
    ``edges`` are given, where one drives along an edge that is not there (SUMO says so only when it comes to it).
    ``junctions``: trips may begin and end at junctions, which SUMO allows with the option junction-taz.
    """
    if not additional:  # those are read whole, by what writes SUMO's input
        inspect(path, kind="route file")
    reader = _Reader(path, begin, end, edges, additional, junctions)
    scan(path, reader, kind="route file")
    return reader.traffic()


class _Reader:
    """Counts the departures of one file, element by element."""

    def __init__(
        self,
        path: Path,
        begin: float,
        end: float,
        edges: Container[str] | None,
        additional: bool,
        junctions: bool,
    ) -> None:
        self.path, self.first, self.until, self.edges, self.additional = path, begin, end, edges, additional
        self.junctions = junctions
        self.line: Callable[[], int] = int
        self.before = self.due = self.after = self.flows = self.triggered = self.persons = 0
        self.last, self.last_id = float("-inf"), ""  # what the next element must not depart before
        self.latest = float("-inf")
        self.interval = begin, end  # s, how long a flow lasts that does not say so
        self.types = TypeReader(str(path))
        self.reroutes = self.stops = False
        self.root = ""
        self.in_calibrator = False  # its flows are rates, in no order
        # tag, id and line of what is open without a way yet
        self.routeless: tuple[str, str, int] | None = None
        self.known: set[str] = set()  # lists of edges that are in the network
        self.starts: dict[str, Callable[[str, dict[str, str]], None]] = {
            **dict.fromkeys(SINGLE, self._single),
            **dict.fromkeys(FLOWS, self._flow),
            "route": self._route,
            "routeDistribution": self._route,
            "interval": self._interval,
            "calibrator": self._calibrator,
            "param": self._param,
            "stop": self._stop,
            "vType": self.types.start,
        }
        self.ends = {
            **dict.fromkeys(VEHICLES, self._no_route),
            "interval": self._no_interval,
            "calibrator": self._no_calibrator,
            "vType": self.types.end,
        }

    def traffic(self) -> Traffic:
        """What was read."""
        counts = self.before, self.due, self.after, self.flows, self.triggered, self.latest, self.persons
        stops = self.stops or self.persons + self.triggered > 0  # vehicles stop for who rides them
        types = self.types
        return Traffic(
            Departures(*counts), types.equivalents, types.scaled, self.reroutes, stops, types.types
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if not self.root:
            self.root = tag
            if tag == "net":
                location = str(self.path)
                remedy = "give the .rou.xml as the route file"
                raise InputError("this is a network, not routes", location=location, remedy=remedy)
        handle = self.starts.get(tag)
        if handle is not None:
            handle(tag, attributes)

    def end(self, tag: str) -> None:
        """An element ends."""
        handle = self.ends.get(tag)
        if handle is not None:
            handle(tag)

    # --- elements
    def _single(self, tag: str, a: dict[str, str]) -> None:
        text = a.get("depart")
        if text is None:
            raise self._fault(f"{tag} {a.get('id', '')!r} has no time of departure", "give depart")
        self.persons += tag == "person"
        if tag == "vehicle":
            self._needs_route(tag, a)
        elif tag == "trip":
            self._has_ends(tag, a)
        if text in WITHOUT_TIME:
            self.triggered += tag in VEHICLES
            return
        if text in AT_ONCE:
            time = self.first
        else:
            time = as_time(text)
            if not time >= 0.0:
                raise self._fault(
                    f"{text!r} is not a time to depart, of {tag} {a.get('id', '')!r}", "give seconds or h:m:s"
                )
            self._in_order(tag, a, time, registers=time >= self.first)
        self.latest = max(self.latest, time)
        if tag not in VEHICLES:  # SUMO keeps one order for vehicles and persons, but we count vehicles
            return
        if time < self.first:
            self.before += 1
        elif time < self.until:
            self.due += 1
        else:
            self.after += 1

    def _flow(self, tag: str, a: dict[str, str]) -> None:
        if self.in_calibrator:
            return
        flow = read_flow(a, *self.interval, f"{self.path}, line {self.line()}: {tag} {a.get('id', '')!r}")
        self.persons += tag == "personFlow"
        if tag == "flow" and "route" not in a:
            self._has_ends(tag, a)
        if flow.waits:
            self.triggered += tag == "flow"
            return
        if flow.number == 0 or (flow.last <= self.first and flow.last > flow.begin):
            self.routeless = None
            return  # SUMO forgets it at once, and does not ask where it leads
        if a.get("begin") not in AT_ONCE:  # one that does not say it is given the begin, and so has an order
            self._in_order(tag, a, flow.begin, registers=True)
        self.latest = max(self.latest, flow.last if tag == "flow" else flow.begin)
        self.flows += tag == "flow" and flow.begin < self.until

    def _route(self, tag: str, a: dict[str, str]) -> None:
        self.routeless = None
        if self.edges is not None and "edges" in a:
            self._check_edges(a["edges"], self.edges)

    def _interval(self, tag: str, a: dict[str, str]) -> None:
        location = f"{self.path}, line {self.line()}: {tag}"
        begin, end = (a.get(key, "") for key in ("begin", "end"))
        self.interval = flow_time(begin, "begin", location), flow_time(end, "end", location)

    def _no_interval(self, tag: str) -> None:
        self.interval = self.first, self.until

    def _calibrator(self, tag: str, a: dict[str, str]) -> None:
        self.flows += 1  # also those that read their flows from a file
        self.in_calibrator = True

    def _no_calibrator(self, tag: str) -> None:
        self.in_calibrator = False

    def _param(self, tag: str, a: dict[str, str]) -> None:
        self.reroutes |= a.get("key") == _REROUTING
        self.types.start(tag, a)

    def _stop(self, tag: str, a: dict[str, str]) -> None:
        self.stops = True
        if self.routeless is not None and self.routeless[0] != "vehicle":
            self.routeless = None  # a trip or flow leads from its first stop to its last

    # --- rules
    def _in_order(self, tag: str, a: dict[str, str], time: float, *, registers: bool) -> None:
        """SUMO drops what departs before a predecessor; who serves a line is no predecessor (registerLastDepart)."""
        name = a.get("id", "")
        if time < self.last and not self.additional:
            raise self._fault(
                f"{tag} {name!r} departs at {time:g} s but stands after {self.last_id!r}, which departs at "
                f"{self.last:g} s, so SUMO would drop it",
                "sort the file by departure time",
            )
        if registers and "line" not in a:
            self.last, self.last_id = time, name

    def _needs_route(self, tag: str, a: dict[str, str]) -> None:
        self.routeless = None if "route" in a else (tag, a.get("id", ""), self.line())

    def _has_ends(self, tag: str, a: dict[str, str]) -> None:
        """A trip must lead somewhere, along edges of the network."""
        if ENDS.isdisjoint(a):
            self._needs_route(tag, a)
            return
        self.routeless = None
        if not self.junctions and not _AT_JUNCTIONS.isdisjoint(a):
            raise self._fault(
                f"{tag} {a.get('id', '')!r} leads from or to a junction, which needs the option junction-taz",
                'add <junction-taz value="true"/> to the configuration',
            )
        if self.edges is not None:
            for key in ("from", "to", "via"):
                if key in a:
                    self._check_edges(a[key], self.edges)

    def _no_route(self, tag: str) -> None:
        if self.routeless is None:
            return
        _, name, line = self.routeless
        self.routeless = None
        what, remedy = f"{tag} {name!r} has no route", "give route, or a <route> inside"
        if tag != "vehicle":
            what, remedy = f"{what}, and no origin and destination", "give from and to, a route or stops"
        raise InputError(what, location=f"{self.path}, line {line}", remedy=remedy)

    def _check_edges(self, text: str, edges: Container[str]) -> None:
        if text in self.known:
            return
        for edge in text.split():
            if edge not in edges:
                raise self._fault(
                    f"the route names the edge {edge!r}, which is not in the network",
                    "use the network the routes were made for",
                )
        self.known.add(text)

    def _fault(self, what: str, remedy: str) -> InputError:
        return InputError(what, location=f"{self.path}, line {self.line()}", remedy=remedy)
