"""Demand: who drives, when, along which roads. Read from SUMO route files into frozen arrays.

Vehicles keep the routes the files give. Trips and flows between roads are routed once for each distinct
origin, destination and type by the wheel's duarouter on the empty network, as SUMO does when it inserts
them (docs/decisions/0301-routing-by-duarouter.md).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError
from sim.netfile import seconds
from sim.network import Network
from sim.routing import route_trips
from sim.xmlfile import parse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TRIGGERED = ("triggered", "containerTriggered", "split")
ANY_LANE = -1
"""``Demand.depart_lane`` of a vehicle that may enter on any lane that leads onward."""


@dataclass(frozen=True)
class VehicleClass:
    """What a queue model needs to know of a vType; names and defaults are SUMO's."""

    id: str
    vclass: str = "passenger"
    length: float = 5.0  # m
    min_gap: float = 2.5  # m
    width: float = 1.8  # m
    min_gap_lat: float = 0.6  # m to the side, where several share a lane
    tau: float = 1.0  # s
    accel: float = 2.6  # m/s²
    sigma: float = 0.5  # driver imperfection
    max_speed: float = 55.55  # m/s
    speed_factor: float = 1.0  # of the limit, mean
    speed_dev: float = 0.1  # its standard deviation
    speed_low: float = 0.2  # truncation of the factor
    speed_high: float = 2.0
    pcu: float = 1.0
    persons: float = 1.0


# length, minGap, width, accel, maxSpeed, speedDev of SUMO's vehicle classes
# (docs: "Vehicle Type Parameter Defaults"); PCU after TCXDVN 104:2007 and Webster (1958).
_CLASSES: dict[str, tuple[float, float, float, float, float, float, float]] = {
    "passenger": (5.0, 2.5, 1.8, 2.6, 55.55, 0.1, 1.0),
    "motorcycle": (2.2, 2.5, 0.9, 6.0, 55.55, 0.1, 0.25),
    "moped": (2.1, 2.5, 0.8, 1.1, 16.67, 0.1, 0.25),
    "bicycle": (1.6, 0.5, 0.65, 1.2, 13.89, 0.1, 0.2),
    "delivery": (6.5, 2.5, 2.16, 2.6, 55.55, 0.05, 1.5),
    "truck": (7.1, 2.5, 2.4, 1.3, 36.11, 0.05, 2.0),
    "trailer": (16.5, 2.5, 2.55, 1.0, 36.11, 0.05, 3.0),
    "bus": (12.0, 2.5, 2.5, 1.2, 23.61, 0.1, 2.5),
    "coach": (14.0, 2.5, 2.6, 2.0, 27.78, 0.05, 2.5),
    "tram": (22.0, 2.5, 2.4, 1.0, 22.22, 0.0, 3.0),
    "emergency": (6.5, 2.5, 2.16, 2.6, 55.55, 0.1, 1.5),
}


def class_pcu(vclass: str) -> float:
    """PCU of a vehicle of a SUMO class where its vType does not say; a class unknown here counts as a car."""
    return _CLASSES.get(vclass, _CLASSES["passenger"])[-1]


_DEFAULTS = {"DEFAULT_VEHTYPE": "passenger", "DEFAULT_BIKETYPE": "bicycle", "DEFAULT_TAXITYPE": "taxi"}
"""SUMO's types for whoever names none, and their classes."""

_SPEED = {"bicycle": 5.56, "moped": 12.5}  # desiredMaxSpeed, which bounds these classes below maxSpeed


@dataclass(frozen=True)
class Demand:
    """Departures in their order, and what was left out. Arrays over vehicles have shape (vehicles,)."""

    begin: float  # s
    end: float  # s
    types: tuple[VehicleClass, ...]
    routes: tuple[tuple[str, ...], ...]  # distinct edge sequences
    depart: Floats  # s, ascending
    type: Ints  # index into types
    route: Ints  # index into routes
    depart_lane: Ints  # lane index on the first edge, ANY_LANE if free to choose
    standing: NDArray[np.bool_]  # enters at speed 0; SUMO 1.28 inserts at the lane's speed unless told so
    spread: NDArray[np.bool_]  # enters anywhere along the first edge (departPos random, random_free, free)
    id: tuple[str, ...] = field(default=(), repr=False)
    before: int = 0  # departures before begin: SUMO drops them without a word
    after: int = 0  # departures at or after end
    ignored: Mapping[str, int] = field(default_factory=dict)  # elements the demand has no place for

    def __len__(self) -> int:
        return len(self.depart)


def make_demand(
    vehicles: Sequence[tuple[float, str, Sequence[str]]],
    types: Sequence[VehicleClass] = (VehicleClass("DEFAULT_VEHTYPE"),),
    begin: float = 0.0,
    end: float = 3600.0,
    standing: bool = False,
) -> Demand:
    """A demand from rows (departure s, type id, edges): for tests and for demand made by formula."""
    number = {t.id: i for i, t in enumerate(types)}
    rows = [
        (float(d), number[t], tuple(r), ANY_LANE, standing, False, str(i))
        for i, (d, t, r) in enumerate(vehicles)
    ]
    return _assemble(rows, tuple(types), begin, end, {})


def read_demand(
    route_files: Sequence[Path],
    network: Network,
    begin: float,
    end: float,
    *,
    net_file: Path | None = None,
    type_files: Sequence[Path] = (),
    seed: int = 0,
) -> Demand:
    """Read vehicles, trips and flows that depart in [begin, end) s.

    ``net_file`` is needed where trips or flows have no route of their own; ``type_files`` are additional
    files that hold vTypes; ``seed`` draws from type and route distributions and random flows. Raises
    InputError.
    """
    reader = _Reader(network, begin, end, np.random.default_rng(seed))
    for path in (*type_files, *route_files):
        reader.path = path
        parse(path, kind="route file", target=reader)
    return reader.demand(net_file)


def movement_flows(demand: Demand, network: Network) -> dict[str, Floats]:
    """Expected flow of each movement, veh/s, shape (movements,) by intersection id.

    Vehicles that cross, over the demand's duration; a vehicle counts even if it crosses after the end.
    """
    pairs: dict[tuple[str, str], float] = {}
    counts = np.bincount(demand.route, minlength=len(demand.routes))
    for route, count in zip(demand.routes, counts, strict=True):
        for pair in itertools.pairwise(route):
            pairs[pair] = pairs.get(pair, 0.0) + float(count)
    duration = demand.end - demand.begin
    return {
        name: np.array([pairs.get((m.start, m.end), 0.0) for m in where.movements]) / duration
        for name, where in network.intersections.items()
    }


_Row = tuple[float, int, tuple[str, ...], int, bool, bool, str]


def _assemble(
    rows: list[_Row], types: tuple[VehicleClass, ...], begin: float, end: float, ignored: Mapping[str, int]
) -> Demand:
    inside = [row for row in rows if begin <= row[0] < end]
    inside.sort(key=lambda row: row[0])
    routes: dict[tuple[str, ...], int] = {}
    index = [routes.setdefault(row[2], len(routes)) for row in inside]
    return Demand(
        begin=begin,
        end=end,
        types=types,
        routes=tuple(routes),
        depart=np.array([row[0] for row in inside], dtype=np.float64),
        type=np.array([row[1] for row in inside], dtype=np.int64),
        route=np.array(index, dtype=np.int64),
        depart_lane=np.array([row[3] for row in inside], dtype=np.int64),
        standing=np.array([row[4] for row in inside], dtype=np.bool_),
        spread=np.array([row[5] for row in inside], dtype=np.bool_),
        id=tuple(row[6] for row in inside),
        before=sum(row[0] < begin for row in rows),
        after=sum(row[0] >= end for row in rows),
        ignored=dict(ignored),
    )


class _Reader:
    """An expat target: keeps what it needs of each element and builds no tree."""

    def __init__(self, network: Network, begin: float, end: float, rng: np.random.Generator) -> None:
        self.network = network
        self.first, self.last, self.rng = begin, end, rng
        self.path = Path()
        self.types: dict[str, VehicleClass] = {}
        self.mixtures: dict[str, list[tuple[str, float]]] = {}  # type and route distributions
        self.routes: dict[str, tuple[str, ...]] = {}
        self.known: dict[str, tuple[str, ...]] = {}  # edge list as written → checked route
        self.pending: list[tuple[str, dict[str, str], Path]] = []  # vehicles, trips and flows
        self.inside: dict[str, str] | None = None  # the vehicle being read
        self.mixture = ""  # the distribution being read
        self.alternatives: list[tuple[str, float]] = []  # routes of the vehicle being read, and their weights
        self.zones: list[str] = []  # traffic zones, as XML
        self.vtype = ""
        self.ignored: dict[str, int] = {}
        for name, vclass in _DEFAULTS.items():
            self._vtype({"id": name, "vClass": vclass})

    # --- expat target
    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in ("vehicle", "trip", "flow"):
            self.inside = attributes
            self.pending.append((tag, attributes, self.path))
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
        elif tag in ("person", "personFlow", "container", "containerFlow", "stop"):
            self.ignored[tag] = self.ignored.get(tag, 0) + 1

    def end(self, tag: str) -> None:
        if tag in ("vehicle", "trip", "flow"):
            self.inside = None
        elif tag in ("vTypeDistribution", "routeDistribution"):
            self.mixture = ""
            if self.inside is not None and self.alternatives:
                texts, weights = zip(*self.alternatives, strict=True)
                if not sum(weights) > 0:  # nan too
                    where = f"routeDistribution of {self.inside.get('id', '')!r}"
                    raise self._fault("no route has a probability above 0", where, "give one")
                drawn = self.rng.choice(len(texts), p=np.array(weights) / sum(weights))
                self.inside["route"], self.inside["edges"] = "", str(texts[drawn])
                self.alternatives = []
        elif tag == "vType":
            self.vtype = ""
        elif tag in ("taz", "tazSource", "tazSink"):
            self.zones.append(f"</{tag}>")

    def data(self, text: str) -> None:
        """Text between tags says nothing in a route file."""

    def close(self) -> None:
        """All is kept in the reader."""

    # --- elements
    def _fault(self, what: str, where: str, remedy: str) -> InputError:
        return InputError(what, where=f"{self.path}: {where}", remedy=remedy)

    def _route(self, a: dict[str, str]) -> None:
        owner = self.inside.get("id", "") if self.inside is not None else a.get("id", "")
        if "refId" in a:
            self.mixtures[self.mixture].append((a["refId"], _float(a.get("probability", "1"))))
            return
        again = a.get("repeat") or "0"
        if not again.isdecimal():
            raise self._fault(
                f"repeat={again!r} is no number", f"route of {owner!r}", "give a whole number ≥ 0"
            )
        text = " ".join([a.get("edges", "")] * (1 + int(again)))
        edges = self._edges(text, f"route of {owner!r}")
        if self.inside is not None and self.mixture:  # one of those that duarouter weighed
            self.alternatives.append((text, _float(a.get("probability", "1"))))
        elif self.inside is not None:
            self.inside["route"] = ""
            self.inside["edges"] = text
        else:
            self.routes[a.get("id", "")] = edges
            if self.mixture:
                name = a.get("id") or f"{self.mixture}/{len(self.mixtures[self.mixture])}"
                self.routes[name] = edges
                self.mixtures[self.mixture].append((name, _float(a.get("probability", "1"))))

    def _edges(self, text: str, where: str) -> tuple[str, ...]:
        found = self.known.get(text)
        if found is None:
            found = tuple(text.split())
            if not found:
                raise self._fault("the route has no edge", where, "give at least one edge")
            for edge in found:
                if edge not in self.network.edges:
                    raise self._fault(
                        f"the road {edge!r} is not in the network {self.network.name!r}",
                        where,
                        "use the routes made for this network",
                    )
            self.known[text] = found
        return found

    def _vtype(self, a: dict[str, str]) -> None:
        name = a.get("id", "")
        vclass = a.get("vClass", "passenger")
        length, gap, width, accel, top, dev, pcu = _CLASSES.get(vclass, _CLASSES["passenger"])
        top = _SPEED.get(vclass, top)
        mean, low, high = 1.0, 0.2, 2.0
        given = a.get("speedFactor", "")
        match = re.fullmatch(r"norm(c?)\(([^)]*)\)", given)
        try:
            if match:
                numbers = [float(x) for x in match.group(2).split(",")]
                mean, dev = numbers[0], numbers[1]
                if match.group(1) and len(numbers) == 4:
                    low, high = numbers[2], numbers[3]
            elif given:
                mean = float(given)
                dev = 0.0 if "speedDev" not in a else dev
            self.types[name] = VehicleClass(
                id=name,
                vclass=vclass,
                length=float(a.get("length", length)),
                min_gap=float(a.get("minGap", gap)),
                width=float(a.get("width", width)),
                min_gap_lat=float(a.get("minGapLat", 0.6)),
                tau=float(a.get("tau", 1.0)),
                accel=float(a.get("accel", accel)),
                sigma=float(a.get("sigma", 0.5)),
                max_speed=min(float(a.get("maxSpeed", top)), float(a.get("desiredMaxSpeed", top))),
                speed_factor=mean,
                speed_dev=float(a.get("speedDev", dev)),
                speed_low=low,
                speed_high=high,
                pcu=pcu,
            )
        except ValueError as error:
            raise self._fault(
                f"a value is not a number ({error})", f"vType {name!r}", "give a number"
            ) from None
        self.vtype = name
        if self.mixture:
            self.mixtures[self.mixture].append((name, _float(a.get("probability", "1"))))

    def _param(self, a: dict[str, str]) -> None:
        key = a.get("key", "")
        if self.vtype and key in ("pcu", "persons"):
            value = _float(a.get("value", ""))
            if not value >= 0.0:
                raise self._fault(
                    f"the {key} {a.get('value')!r} is no number", f"vType {self.vtype!r}", "give a number ≥ 0"
                )
            old = self.types[self.vtype]
            self.types[self.vtype] = replace(old, pcu=value) if key == "pcu" else replace(old, persons=value)

    def _distribution(self, tag: str, a: dict[str, str]) -> None:
        self.mixture = a.get("id", "") or "of a vehicle"
        names = a.get("vTypes" if tag == "vTypeDistribution" else "routes", "").split()
        weights = [_float(w) for w in a.get("probabilities", "").split()] or [1.0] * len(names)
        if len(weights) != len(names):
            raise self._fault(
                f"{len(names)} names and {len(weights)} probabilities",
                f"{tag} {self.mixture!r}",
                "give one each",
            )
        self.mixtures[self.mixture] = list(zip(names, weights, strict=True))

    # --- assembly
    def demand(self, net_file: Path | None) -> Demand:
        """Departures of all elements read; trips are routed now."""
        rows: list[_Row] = []
        trips: list[tuple[int, tuple[tuple[str, str], ...]]] = []
        numbers: dict[str, int] = {}
        for tag, a, path in self.pending:
            self.path = path
            where = f"{tag} {a.get('id', '')!r}"
            if a.get("depart") in _TRIGGERED:  # it leaves with a person or container, whom no queue model has
                self.ignored["triggered vehicle"] = self.ignored.get("triggered vehicle", 0) + 1
                continue
            departs = self._departures(tag, a, where)
            key = _trip_key(a) if not a.get("edges") and not a.get("route") else ()
            for count, depart in enumerate(departs):
                kind = self._draw(a.get("type", "DEFAULT_VEHTYPE"), self.types)
                if kind not in self.types:
                    raise self._fault(
                        f"the vehicle type {kind!r} is not defined", where, "define it as a vType"
                    )
                number = numbers.setdefault(kind, len(numbers))
                route: tuple[str, ...] = ()
                if a.get("edges"):
                    route = self._edges(a["edges"], where)
                elif a.get("route"):
                    name = self._draw(a["route"], self.routes)
                    if name not in self.routes:
                        raise self._fault(f"the route {name!r} is not defined", where, "define it")
                    route = self.routes[name]
                elif not key:
                    raise self._fault("there is no route, and no origin and destination", where, "give one")
                elif self.first <= depart < self.last:
                    trips.append((len(rows), (*key, ("type", kind))))
                name = a.get("id", "") if tag != "flow" else f"{a.get('id', '')}.{count}"
                rows.append(
                    (
                        depart,
                        number,
                        route,
                        _lane(a.get("departLane", "")),
                        _float(a.get("departSpeed", "avg")) == 0.0,
                        a.get("departPos", "base") in ("random", "random_free", "free"),
                        name,
                    )
                )
        if trips:
            self._route_trips(rows, trips, net_file)
        types = tuple(self.types[name] for name in numbers) or (self.types["DEFAULT_VEHTYPE"],)
        return _assemble(rows, types, self.first, self.last, self.ignored)

    def _route_trips(
        self,
        rows: list[_Row],
        trips: list[tuple[int, tuple[tuple[str, str], ...]]],
        net_file: Path | None,
    ) -> None:
        if net_file is None:
            raise InputError(
                "there are trips without a route",
                where=str(self.path),
                remedy="give the network file too, or run duarouter first",
            )
        distinct = dict.fromkeys(key for _, key in trips)
        found = route_trips(net_file, list(distinct), list(self.types.values()), self.zones)
        for row, key in trips:
            rows[row] = (*rows[row][:2], found[key], *rows[row][3:])

    def _draw(self, name: str, plain: Mapping[str, object]) -> str:
        if name in plain or name not in self.mixtures:
            return name
        names, weights = zip(*self.mixtures[name], strict=True)
        return str(names[self.rng.choice(len(names), p=np.array(weights) / sum(weights))])

    def _departures(self, tag: str, a: dict[str, str], where: str) -> list[float]:
        spot = f"{self.path}: {where}"
        if tag != "flow":
            text = a.get("depart", "")
            if text == "begin":
                return [self.first]
            return [seconds(text, f"{spot}, depart")]
        begin = seconds(a.get("begin", str(self.first)), f"{spot}, begin")
        end = seconds(a.get("end", str(max(self.last, begin))), f"{spot}, end")
        number = int(_float(a["number"])) if "number" in a else None
        rate = 0.0
        for name in ("vehsPerHour", "perHour"):
            rate = _float(a[name]) / 3600.0 if name in a else rate
        period = a.get("period", "")
        random = re.fullmatch(r"exp\(([^)]*)\)", period)
        if "probability" in a:
            ticks = np.arange(math.ceil(begin), end)
            times = ticks[self.rng.random(len(ticks)) < _float(a["probability"])]
        elif random:
            mean = 1.0 / _float(random.group(1))
            count = number if number is not None else int((end - begin) / mean * 2 + 50)
            times = begin + np.cumsum(self.rng.exponential(mean, count))
            times = times if number is not None else times[times < end]
        else:
            step = _float(period) if period else (1.0 / rate if rate else (end - begin) / max(number or 0, 1))
            if not (step > 0.0 and math.isfinite(step)) or not (period or rate or number):
                raise InputError(
                    "the flow has no rate", where=spot, remedy="give period, vehsPerHour or number"
                )
            count = math.ceil((end - begin) / step - 1e-9)
            times = begin + step * np.arange(count if number is None else min(number, count))
        return [float(t) for t in times]


_ORIGINS = ("from", "fromJunction", "fromTaz")
_DESTINATIONS = ("to", "toJunction", "toTaz")


def _trip_key(a: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What decides a trip's way; empty if it has no origin and destination."""
    key = tuple((name, a[name]) for name in (*_ORIGINS, *_DESTINATIONS, "via") if name in a)
    return key if {*_ORIGINS} & set(a) and {*_DESTINATIONS} & set(a) else ()


def _lane(text: str) -> int:
    """departLane: its number, 0 for "first", or ANY_LANE."""
    if text == "first":
        return 0
    return int(text) if text.isdigit() else ANY_LANE


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
