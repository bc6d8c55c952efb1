"""SUMO's values of the measures of an objective, read from the output files of one run.

Delay is (time lost by every inserted vehicle + waiting before insertion of every vehicle) over all vehicles,
including those that never finished or never entered. CO2 is SUMO's emission model (HBEFA4 unless the vehicle types
say otherwise) on all roads and inside junctions, over the kilometres driven, both of real vehicles: a plan that keeps
vehicles out of the network gains nothing by it. Queues come from lane area detectors that cover the named roads.

All are of the measured window: vehicles that wanted to depart in it, and what happens in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.objective import Term
from denxanh.sim.demand.equivalents import Equivalent, weighted_types, weights
from denxanh.sim.errors import RunError
from denxanh.sim.network import Network
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.run_input import TRIPINFO
from denxanh.sim.sumo.tripinfo import Trips, read_trips

Array = NDArray[np.float64]

OUTPUTS = "outputs.add.xml"
_CO2, _TRAFFIC, _QUEUES = "co2{}.xml", "traffic{}.xml", "queues.xml"
_MINUTE = 60.0  # s, interval for which a detector reports its longest queue
_FULL = 0.9  # share of a lane occupied by its queue above which it counts as full


@dataclass(frozen=True)
class RunOutput:
    """Output of one run in bare SUMO, as far as an objective needs it."""

    folder: Path
    scenario: Scenario
    network: Network
    equivalents: dict[str, Equivalent] = field(default_factory=dict)
    cuts: tuple[float, float] = (0.0, 0.0)  # s, warm-up and flush

    @property
    def window(self) -> tuple[float, float]:
        """Begin and end of the measured window, s."""
        return self.scenario.begin + self.cuts[0], self.scenario.end - self.cuts[1]

    def trips(self) -> Trips:
        """Every vehicle's trip. Raises RunError if there was none."""
        trips, _ = read_trips(self.folder / TRIPINFO)
        if not len(trips):
            raise RunError("no vehicle was simulated")
        return trips

    def values(self, terms: Sequence[Term]) -> Array:
        """The measures of the terms, shape (terms,)."""
        trips = self.trips()
        return np.array([self._value(term, trips) for term in terms], dtype=np.float64)

    def _value(self, term: Term, trips: Trips) -> float:
        name, (begin, end) = term.measure.name, self.window
        pcu, persons, vehicles = weights(trips.type, self.equivalents)
        wanted = trips.wanted_departure(self.scenario.end)
        kept = np.ones(len(trips), dtype=np.bool_)
        if begin > self.scenario.begin:
            kept &= wanted >= begin - 1e-6
        if end < self.scenario.end:
            kept &= wanted < end - 1e-6
        if not kept.any():
            raise RunError(f"no vehicle wanted to depart in the measured window ({begin:g} s to {end:g} s)")
        if name.startswith("delay"):
            weight = {"delay": vehicles, "delay-pcu": pcu, "delay-person": persons}[name][kept]
            return float(trips.delay[kept] @ weight) / max(float(weight.sum()), 1e-9)
        if name == "stops":
            inserted = kept & trips.inserted
            return float(trips.stops[inserted] @ vehicles[inserted]) / float(vehicles[kept].sum())
        if name == "throughput":
            return float(vehicles[kept & ~trips.arrived].sum()) / (end - begin) * 3600.0
        if name == "emissions":
            return self._co2_per_km()
        return self._on_links(term)

    def _co2_per_km(self) -> float:
        """CO2 of real vehicles over the kilometres that they drive in the window, g/km."""
        grams, metres = _totals(self.folder, "")
        for number, factor in enumerate(weighted_types(self.equivalents)):  # counted once already
            more = _totals(self.folder, f"-{number}")
            grams, metres = grams + (factor - 1) * more[0], metres + (factor - 1) * more[1]
        return grams / max(metres / 1000.0, 1e-9)

    def _on_links(self, term: Term) -> float:
        """The longest queue on the roads, m; or the share of minutes in which one of their lanes is full, %."""
        lanes = {lane for link in term.links for lane in self.network.edges[link].lanes}
        minutes: dict[str, float] = {}  # begin → queue of the fullest lane
        begin, end = self.window
        for row in _rows(self.folder / _QUEUES, "interval"):
            lane = row.get("id", "")
            if lane in lanes and begin - 1e-6 <= float(row["begin"]) and float(row["end"]) <= end + 1e-6:
                queue = float(row.get("maxJamLengthInMeters", "0"))
                share = queue / self.network.lanes[lane].length
                value = queue if term.measure.name == "queue" else share
                minutes[row["begin"]] = max(minutes.get(row["begin"], 0.0), value)
        found = np.array(list(minutes.values()))
        if not len(found):
            raise RunError("SUMO measured no queue on the named roads")
        return float(found.max() if term.measure.name == "queue" else 100.0 * (found >= _FULL).mean())


def outputs(
    terms: Sequence[Term],
    network: Network,
    window: tuple[float, float],
    equivalents: Mapping[str, Equivalent] = MappingProxyType({}),
) -> str:
    """An additional file that requests the outputs these terms need besides tripinfo; "" if none.

    Totals are of the ``window`` (begin, end), s, and once more for the types whose vehicles represent others.
    """
    root = Element("additional")
    if any(term.measure.name == "emissions" for term in terms):
        begin, end = (f"{time:.10g}" for time in window)
        common = {"begin": begin, "end": end, "withInternal": "true", "excludeEmpty": "true"}
        sets = {f"-{k}": names for k, names in enumerate(weighted_types(equivalents).values())}
        for suffix, names in {"": list[str](), **sets}.items():
            of_types = {**common, "vTypes": " ".join(names)} if names else common
            ElementTree.SubElement(
                root, "edgeData", of_types, id=f"co2{suffix}", type="emissions", file=_CO2.format(suffix)
            )
            ElementTree.SubElement(
                root, "edgeData", of_types, id=f"traffic{suffix}", file=_TRAFFIC.format(suffix)
            )
    lanes = {lane for term in terms for link in term.links for lane in network.edges[link].lanes}
    for lane in sorted(lane for lane in lanes if network.lanes[lane].vehicles):
        ElementTree.SubElement(
            root,
            "laneAreaDetector",
            id=lane,
            lane=lane,
            pos="0",
            endPos="-0.1",  # SUMO requires a position before the end of the lane
            friendlyPos="true",
            period=f"{_MINUTE:g}",
            file=_QUEUES,
        )
    return ElementTree.tostring(root, encoding="unicode") if len(root) else ""


def _totals(folder: Path, suffix: str) -> tuple[float, float]:
    """CO2, g, and distance driven, m, on all roads and in junctions."""
    grams = (
        sum(float(row.get("CO2_abs", "0")) for row in _rows(folder / _CO2.format(suffix), "edge")) / 1000.0
    )
    metres = sum(
        float(row.get("sampledSeconds", "0")) * float(row.get("speed", "0"))
        for row in _rows(folder / _TRAFFIC.format(suffix), "edge")
    )
    return grams, metres


def _rows(path: Path, tag: str) -> list[dict[str, str]]:
    try:
        return [row.attrib for row in ElementTree.parse(path).getroot().iter(tag)]
    except (OSError, ParseError) as error:
        raise RunError(f"SUMO wrote no readable {path.name} ({error})") from None
