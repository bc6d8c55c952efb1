"""Reading a demand from SUMO's route files.

Vehicles keep the routes the files give. Trips and flows between roads are routed once for each distinct
origin, destination and type by the wheel's duarouter on the empty network, as SUMO does when it inserts
them (docs/decisions/0301-routing-by-duarouter.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np

from denxanh.sim.demand.demand import ANY_LANE, Demand, Row, assemble
from denxanh.sim.demand.flow_departures import as_number, flow_departures
from denxanh.sim.demand.routing import route_trips
from denxanh.sim.demand.vehicle_class import DEFAULT_TYPES, VehicleClass, read_vtype
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.sumo.netfile import seconds
from denxanh.sim.sumo.xmlfile import parse

_TRIGGERED = ("triggered", "containerTriggered", "split")
_ORIGINS = ("from", "fromJunction", "fromTaz")
_DESTINATIONS = ("to", "toJunction", "toTaz")


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
        for name, vclass in DEFAULT_TYPES.items():
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
                    location = f"routeDistribution of {self.inside.get('id', '')!r}"
                    raise self._fault("no route has a probability above 0", location, "give one")
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
    def _fault(self, what: str, location: str, remedy: str) -> InputError:
        return InputError(what, location=f"{self.path}: {location}", remedy=remedy)

    def _route(self, a: dict[str, str]) -> None:
        owner = self.inside.get("id", "") if self.inside is not None else a.get("id", "")
        if "refId" in a:
            self.mixtures[self.mixture].append((a["refId"], as_number(a.get("probability", "1"))))
            return
        again = a.get("repeat") or "0"
        if not again.isdecimal():
            raise self._fault(
                f"repeat={again!r} is no number", f"route of {owner!r}", "give a whole number ≥ 0"
            )
        text = " ".join([a.get("edges", "")] * (1 + int(again)))
        edges = self._edges(text, f"route of {owner!r}")
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
        name = a.get("id", "")
        try:
            self.types[name] = read_vtype(a)
        except ValueError as error:
            raise self._fault(
                f"a value is not a number ({error})", f"vType {name!r}", "give a number"
            ) from None
        self.vtype = name
        if self.mixture:
            self.mixtures[self.mixture].append((name, as_number(a.get("probability", "1"))))

    def _param(self, a: dict[str, str]) -> None:
        key = a.get("key", "")
        if self.vtype and key in ("pcu", "persons"):
            value = as_number(a.get("value", ""))
            if not value >= 0.0:
                raise self._fault(
                    f"the {key} {a.get('value')!r} is no number", f"vType {self.vtype!r}", "give a number ≥ 0"
                )
            old = self.types[self.vtype]
            self.types[self.vtype] = replace(old, pcu=value) if key == "pcu" else replace(old, persons=value)

    def _distribution(self, tag: str, a: dict[str, str]) -> None:
        self.mixture = a.get("id", "") or "of a vehicle"
        names = a.get("vTypes" if tag == "vTypeDistribution" else "routes", "").split()
        weights = [as_number(w) for w in a.get("probabilities", "").split()] or [1.0] * len(names)
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
        rows: list[Row] = []
        trips: list[tuple[int, tuple[tuple[str, str], ...]]] = []
        numbers: dict[str, int] = {}
        for tag, a, path in self.pending:
            self.path = path
            location = f"{tag} {a.get('id', '')!r}"
            if (
                a.get("depart") in _TRIGGERED
            ):  # it departs with a person or container, which no queue model has
                self.ignored["triggered vehicle"] = self.ignored.get("triggered vehicle", 0) + 1
                continue
            departs = self._departures(tag, a, f"{path}: {location}")
            key = _trip_key(a) if not a.get("edges") and not a.get("route") else ()
            for count, depart in enumerate(departs):
                kind = self._draw(a.get("type", "DEFAULT_VEHTYPE"), self.types)
                if kind not in self.types:
                    raise self._fault(
                        f"the vehicle type {kind!r} is not defined", location, "define it as a vType"
                    )
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
                    trips.append((len(rows), (*key, ("type", kind))))
                name = a.get("id", "") if tag != "flow" else f"{a.get('id', '')}.{count}"
                rows.append(
                    (
                        depart,
                        number,
                        route,
                        _lane(a.get("departLane", "")),
                        as_number(a.get("departSpeed", "avg")) == 0.0,
                        a.get("departPos", "base") in ("random", "random_free", "free"),
                        name,
                    )
                )
        if trips:
            self._route_trips(rows, trips, net_file)
        types = tuple(self.types[name] for name in numbers) or (self.types["DEFAULT_VEHTYPE"],)
        return assemble(rows, types, self.first, self.last, self.ignored)

    def _route_trips(
        self,
        rows: list[Row],
        trips: list[tuple[int, tuple[tuple[str, str], ...]]],
        net_file: Path | None,
    ) -> None:
        if net_file is None:
            raise InputError(
                "there are trips without a route",
                location=str(self.path),
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

    def _departures(self, tag: str, a: Mapping[str, str], location: str) -> list[float]:
        if tag == "flow":
            return flow_departures(a, self.first, self.last, self.rng, location)
        text = a.get("depart", "")
        return [self.first if text == "begin" else seconds(text, f"{location}, depart")]


def _trip_key(a: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The attributes that decide a trip's route; empty if it has no origin and destination."""
    key = tuple((name, a[name]) for name in (*_ORIGINS, *_DESTINATIONS, "via") if name in a)
    return key if {*_ORIGINS} & set(a) and {*_DESTINATIONS} & set(a) else ()


def _lane(text: str) -> int:
    """departLane: its number, 0 for "first", or ANY_LANE."""
    if text == "first":
        return 0
    return int(text) if text.isdigit() else ANY_LANE
