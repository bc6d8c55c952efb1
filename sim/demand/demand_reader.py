"""Reading a demand from SUMO's route files.

Vehicles keep the routes the files give. Trips and flows between roads are routed once for each distinct
origin, destination and type by the wheel's duarouter on the empty network, as SUMO does when it inserts
them (docs/decisions/0301-routing-by-duarouter.md).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from denxanh.sim.demand.demand import ANY_LANE, Demand, Row, assemble
from denxanh.sim.demand.equivalents import KEYS
from denxanh.sim.demand.flow_departures import (
    AT_ONCE,
    HOURLY,
    WITHOUT_TIME,
    Flow,
    as_number,
    as_time,
    flow_time,
    read_flow,
)
from denxanh.sim.demand.routing import Trip, route_trips
from denxanh.sim.demand.vehicle_class import DEFAULT_TYPES, VehicleClass, check_vtype, read_vtype
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import DIGITS, ROUTE_EDGES
from denxanh.sim.network import Network
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.xmlfile import scan

_KINDS = ("", "Junction", "Taz", "XY", "LonLat")
_ORIGINS = tuple(f"from{kind}" for kind in _KINDS)
_DESTINATIONS = tuple(f"to{kind}" for kind in _KINDS)
_ON_THE_WAY = ("via", "viaJunctions", "viaXY", "viaLonLat")
_STOPPING_PLACES = (
    "busStop",
    "trainStop",
    "containerStop",
    "chargingStation",
    "parkingArea",
    "overheadWireSegment",
)


def read_demand(
    route_files: Sequence[Path],
    network: Network,
    begin: float,
    end: float,
    *,
    net_file: Path | None = None,
    type_files: Sequence[Path] = (),
    seed: int = 0,
    options: Mapping[str, str] | None = None,
) -> Demand:
    """Read vehicles, trips and flows that depart in [begin, end) s.

    ``net_file`` is needed where trips or flows have no route of their own; ``type_files`` are additional
    files that hold vTypes; ``seed`` draws from type and route distributions and random flows. ``options`` are SUMO's
    of the scenario: they may say how places on the map become roads, and that trips without a way are left out.
    Raises InputError.
    """
    reader = _Reader(network, begin, end, np.random.default_rng(seed), options or {})
    for path in (*type_files, *route_files):
        reader.path = path
        scan(path, reader, kind="route file")
    return reader.demand(net_file)


def scenario_demand(
    scenario: Scenario, network: Network, window: tuple[float, float] | None = None, *, seed: int = 0
) -> Demand:
    """Read the demand of a scenario, or of a ``window`` (begin, end) s of it, without the ``scale`` of its options.

    Raises InputError as `read_demand` does.
    """
    begin, end = window or (scenario.begin, scenario.end)
    return read_demand(
        scenario.routes,
        network,
        begin,
        end,
        net_file=scenario.net,
        type_files=scenario.additional,
        seed=seed,
        options=scenario.options,
    )


class _Reader:
    """Keeps what it needs of each element and builds no tree."""

    def __init__(
        self,
        network: Network,
        begin: float,
        end: float,
        rng: np.random.Generator,
        options: Mapping[str, str],
    ) -> None:
        self.network = network
        self.first, self.last, self.rng = begin, end, rng
        self.options = options
        self.line: Callable[[], int] = int
        self.path = Path()
        self.types: dict[str, VehicleClass] = {}
        self.mixtures: dict[str, list[tuple[str, float]]] = {}  # type and route distributions
        self.shares: dict[str, float] = {}  # of each type in a distribution that names it and no probability
        self.routes: dict[str, tuple[str, ...]] = {}
        self.known: dict[str, tuple[str, ...]] = {}  # edge list as written → checked route
        self.pending: list[tuple[str, dict[str, str], Path, Flow | None]] = []  # vehicles, trips and flows
        self.interval = begin, end  # s, how long a flow lasts that does not say so
        self.in_calibrator = False
        self.inside: dict[str, str] | None = None  # the vehicle being read
        self.halts: dict[int, list[tuple[str, str]]] = {}  # kind and id of stops, by their vehicle in pending
        self.places: dict[tuple[str, str], str] = {}  # lane of each stopping place, by kind and id
        self.mixture = ""  # the distribution being read
        self.alternatives: list[tuple[str, float]] = []  # routes of the vehicle being read, and their weights
        self.zones: list[str] = []  # traffic zones, as XML
        self.vtype = ""
        self.ignored: dict[str, int] = {}
        for name, vclass in DEFAULT_TYPES.items():
            self._vtype({"id": name, "vClass": vclass})

    # --- what scan tells
    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if tag in ("vehicle", "trip", "flow"):
            if self.in_calibrator and set(HOURLY).isdisjoint(attributes):
                return  # a wish for speeds
            if self.in_calibrator and not attributes.get("route"):
                self._ignore("flow of a routeProbe")  # SUMO draws its routes from the vehicles that pass
                return
            self.inside = attributes
            flow = self._flow(tag, attributes) if tag == "flow" else None
            self.pending.append((tag, attributes, self.path, flow))
        elif tag == "route":
            self._route(attributes)
        elif tag == "vType":
            self._vtype(attributes)
        elif tag in ("vTypeDistribution", "routeDistribution"):
            self._distribution(tag, attributes)
        elif tag == "param":
            self._param(attributes)
        elif tag in ("taz", "tazSource", "tazSink"):
            given = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
            self.zones.append(f"<{tag} {given}>")
        elif tag == "interval":
            location = f"{self.path}, line {self.line()}: interval"
            begin, end = (flow_time(attributes.get(key, ""), key, location) for key in ("begin", "end"))
            self.interval = begin, end
        elif tag in _STOPPING_PLACES and not attributes.get(tag):
            self.places[tag, attributes.get("id", "")] = attributes.get("lane", "")
        elif tag in ("person", "personFlow", "container", "containerFlow", "stop", "calibrator"):
            self.in_calibrator |= tag == "calibrator"
            self._ignore(tag)
            if tag == "stop" and self.inside is not None:
                known = [(k, attributes[k]) for k in (*_STOPPING_PLACES, "lane", "edge") if k in attributes]
                self.halts.setdefault(len(self.pending) - 1, []).extend(known[:1])

    def _ignore(self, what: str) -> None:
        self.ignored[what] = self.ignored.get(what, 0) + 1

    def end(self, tag: str) -> None:
        """An element ends."""
        if tag in ("vehicle", "trip", "flow"):
            self.inside = None
        elif tag in ("vTypeDistribution", "routeDistribution"):
            self.mixture = ""
            if self.inside is not None and self.alternatives:
                texts, weights = zip(*self.alternatives, strict=True)
                if not sum(weights) > 0:  # nan too
                    location = f"routeDistribution of {self.inside.get('id', '')!r}"
                    raise self._fault("no route has a probability above 0", location, "give one")
                drawn = self.rng.choice(len(texts), p=np.array(weights) / sum(weights))
                self.inside["route"], self.inside["edges"] = "", str(texts[drawn])
                self.alternatives = []
        elif tag == "vType":
            self.vtype = ""
        elif tag in ("taz", "tazSource", "tazSink"):
            self.zones.append(f"</{tag}>")
        elif tag == "interval":
            self.interval = self.first, self.last
        elif tag == "calibrator":
            self.in_calibrator = False

    # --- elements
    def _fault(self, what: str, location: str, remedy: str) -> InputError:
        return InputError(what, location=f"{self.path}: {location}", remedy=remedy)

    def _route(self, a: dict[str, str]) -> None:
        owner = self.inside.get("id", "") if self.inside is not None else a.get("id", "")
        if "refId" in a:
            self.mixtures[self.mixture].append((a["refId"], as_number(a.get("probability", "1"))))
            return
        text = a.get("edges", "")
        if "repeat" in a:
            text = self._repeated(text, a["repeat"], f"route of {owner!r}")
        edges = self.known.get(text) or self._edges(text, f"route of {owner!r}")
        if self.inside is not None and self.mixture:  # one of those that duarouter weighed
            self.alternatives.append((text, as_number(a.get("probability", "1"))))
        elif self.inside is not None:
            self.inside["route"] = ""
            self.inside["edges"] = text
        else:
            self.routes[a.get("id", "")] = edges
            if self.mixture:
                name = a.get("id") or f"{self.mixture}/{len(self.mixtures[self.mixture])}"
                self.routes[name] = edges
                self.mixtures[self.mixture].append((name, as_number(a.get("probability", "1"))))

    def _repeated(self, text: str, again: str, location: str) -> str:
        if not again.isdecimal():
            raise self._fault(f"repeat={again!r} is no number", location, "give a whole number ≥ 0")
        edges, times = len(text.split()), as_number(again)
        if edges * (1 + times) > ROUTE_EDGES:
            raise self._fault(
                f"repeat={again!r} makes a route of more than {ROUTE_EDGES} edges",
                location,
                "give a smaller number",
            )
        return " ".join([text] * (1 + int(times)))

    def _edges(self, text: str, location: str) -> tuple[str, ...]:
        found = self.known.get(text)
        if found is None:
            found = tuple(text.split())
            if not found:
                raise self._fault("the route has no edge", location, "give at least one edge")
            for edge in found:
                if edge not in self.network.edges:
                    raise self._fault(
                        f"the road {edge!r} is not in the network {self.network.name!r}",
                        location,
                        "use the routes made for this network",
                    )
            self.known[text] = found
        return found

    def _vtype(self, a: dict[str, str]) -> None:
        name = a.get("refId", a.get("id", ""))
        if "refId" not in a:
            check_vtype(a, str(self.path))
            self.types[name] = read_vtype(a)
            self.shares[name] = as_number(a.get("probability", "1"))
            self.vtype = name
        if self.mixture:
            self.mixtures[self.mixture].append((name, as_number(a.get("probability", "1"))))

    def _param(self, a: dict[str, str]) -> None:
        key = a.get("key", "")
        if self.vtype and key in KEYS:
            value = as_number(a.get("value", ""))
            if not value >= 0.0 or (key == "represents" and value == 0.0):
                remedy = "give a number above 0" if key == "represents" else "give a number ≥ 0"
                raise self._fault(
                    f"the {key} {a.get('value')!r} is no number", f"vType {self.vtype!r}", remedy
                )
            old = self.types[self.vtype]
            changed = {
                "pcu": replace(old, pcu=value),
                "persons": replace(old, persons=value),
                "represents": replace(old, represents=value),
            }
            self.types[self.vtype] = changed[key]

    def _distribution(self, tag: str, a: dict[str, str]) -> None:
        self.mixture = a.get("id", "") or "of a vehicle"
        names = a.get("vTypes" if tag == "vTypeDistribution" else "routes", "").split()
        weights = [as_number(w) for w in a.get("probabilities", "").split()]
        known = self.shares if tag == "vTypeDistribution" else {}
        own = [known.get(name, 1.0) for name in names[len(weights) :]]
        self.mixtures[self.mixture] = list(zip(names, [*weights, *own], strict=False))

    # --- assembly
    def demand(self, net_file: Path | None) -> Demand:
        """Departures of all elements read; trips are routed now."""
        rows: list[Row] = []
        trips: list[tuple[int, Trip]] = []
        numbers: dict[str, int] = {}
        made: dict[str, int] = {}  # vehicles read of each scaled type
        for place, (tag, a, path, flow) in enumerate(self.pending):
            self.path = path
            location = f"{tag} {a.get('id', '')!r}"
            waits = flow.waits if flow else a.get("depart") in WITHOUT_TIME
            if waits:  # it leaves with a person or container, whom no queue model has
                self._ignore("triggered vehicle")
                continue
            departs = flow.departures(self.rng) if flow else (self._departure(a, location),)
            key: Trip = ()
            if not a.get("edges") and not a.get("route"):
                via = a.keys() & set(_ON_THE_WAY)
                key = _trip_key(a if via else self._by_stops(a, self.halts.get(place, [])))
            for count, depart in enumerate(departs):
                kind = self._draw(a.get("type", "DEFAULT_VEHTYPE"), self.types)
                if kind not in self.types:
                    raise self._fault(
                        f"the vehicle type {kind!r} is not defined", location, "define it as a vType"
                    )
                copies = 1 if self.types[kind].scale == 1.0 else self._copies(kind, made)
                if not copies:
                    continue
                number = numbers.setdefault(kind, len(numbers))
                route: tuple[str, ...] = ()
                if a.get("edges"):
                    route = self._edges(a["edges"], location)
                elif a.get("route"):
                    name = self._draw(a["route"], self.routes)
                    if name not in self.routes:
                        raise self._fault(f"the route {name!r} is not defined", location, "define it")
                    route = self.routes[name]
                elif not key:
                    raise self._fault(
                        "there is no route, and no origin and destination", location, "give one"
                    )
                elif self.first <= depart < self.last:
                    trips += ((len(rows) + copy, (*key, ("type", kind))) for copy in range(copies))
                name = a.get("id", "") if tag != "flow" else f"{a.get('id', '')}.{count}"
                row = (
                    depart,
                    number,
                    route,
                    _lane(a.get("departLane", "")),
                    as_number(a.get("departSpeed", "avg")) == 0.0,
                    a.get("departPos", "base") in ("random", "random_free", "free"),
                )
                rows.append((*row, name))
                rows += ((*row, f"{name}.{copy}") for copy in range(1, copies))
        if trips:
            self._route_trips(rows, trips, net_file)
        types = tuple(self.types[name] for name in numbers) or (self.types["DEFAULT_VEHTYPE"],)
        return assemble(rows, types, self.first, self.last, self.ignored)

    def _route_trips(
        self,
        rows: list[Row],
        trips: list[tuple[int, Trip]],
        net_file: Path | None,
    ) -> None:
        if net_file is None:
            raise InputError(
                "there are trips without a route",
                location=str(self.path),
                remedy="give the network file too, or run duarouter first",
            )
        distinct = dict.fromkeys(key for _, key in trips)
        found = route_trips(net_file, list(distinct), list(self.types.values()), self.zones, self.options)
        lost = {row for row, key in trips if key not in found}
        for row, key in trips:
            if row not in lost:
                rows[row] = (*rows[row][:2], found[key], *rows[row][3:])
        for _ in lost:
            self._ignore("trip without a way")
        rows[:] = [row for number, row in enumerate(rows) if number not in lost]

    def _by_stops(self, a: dict[str, str], halts: Sequence[tuple[str, str]]) -> dict[str, str]:
        """The attributes of a trip with the edges of its stops as its ``via`` (MSRouteHandler::addStop)."""
        edges: list[str] = []
        for kind, name in halts:
            lane = self.places.get((kind, name), "") if kind in _STOPPING_PLACES else name
            edge = name if kind == "edge" else lane.rpartition("_")[0]
            if edge not in self.network.edges:
                location = f"stop of {a.get('id', '')!r}"
                raise self._fault(
                    f"the {kind} {name!r} is not known", location, "define it, or mend its name"
                )
            edges += [edge] if edges[-1:] != [edge] else []
        return {**a, "via": " ".join(edges)} if edges else a

    def _copies(self, kind: str, made: dict[str, int]) -> int:
        """Vehicles that SUMO makes of the next one of a type (MSVehicleControl::getScalingQuota)."""
        scale = self.types[kind].scale
        number = made[kind] = made.get(kind, -1) + 1
        whole = int(scale)
        part = math.floor((scale - whole) * 1000.0 + 0.5)
        return whole + (number % 1000 * part % 1000 < part)

    def _draw(self, name: str, plain: Mapping[str, object]) -> str:
        if name in plain or name not in self.mixtures:
            return name
        names, weights = zip(*self.mixtures[name], strict=True)
        return str(names[self.rng.choice(len(names), p=np.array(weights) / sum(weights))])

    def _flow(self, tag: str, a: Mapping[str, str]) -> Flow:
        """The flow that begins here."""
        return read_flow(a, *self.interval, f"{self.path}, line {self.line()}: {tag} {a.get('id', '')!r}")

    def _departure(self, a: Mapping[str, str], location: str) -> float:
        text = a.get("depart", "")
        time = self.first if text in AT_ONCE else as_time(text)
        if not time >= 0.0:
            raise self._fault(f"{text!r} is not a time to depart", location, "give seconds or h:m:s")
        return time


def _trip_key(a: Mapping[str, str]) -> Trip:
    """What decides a trip's way; empty if it has no origin and destination.

    SUMO lets a trip begin, or end, with what is on its way where it gives no more than that.
    """
    ends = {name: a[name] for name in (*_ORIGINS, *_DESTINATIONS, *_ON_THE_WAY) if name in a}
    between = a.get("via", "").split()
    if not any(name in ends for name in _ORIGINS) and (between or "to" in a):
        ends["from"] = [*between, a.get("to", "")][0]
    if not any(name in ends for name in _DESTINATIONS) and (between or "from" in a):
        ends["to"] = [a.get("from", ""), *between][-1]
    if {*_ORIGINS}.isdisjoint(ends) or {*_DESTINATIONS}.isdisjoint(ends):
        return ()
    return tuple((name, ends[name]) for name in (*_ORIGINS, *_DESTINATIONS, *_ON_THE_WAY) if name in ends)


def _lane(text: str) -> int:
    """departLane: its number, 0 for "first", or ANY_LANE."""
    if text == "first":
        return 0
    return int(text) if text.isdecimal() and len(text) <= DIGITS else ANY_LANE
