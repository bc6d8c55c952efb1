"""SUMO's values of the measures of an objective, read from the output files of one run.

Delay is (time lost by every inserted vehicle + waiting before insertion of every vehicle) over all vehicles,
including those that never finished or never entered. CO2 is SUMO's emission model (HBEFA4 unless the vehicle types
say otherwise) on all roads and inside junctions, over the kilometres driven: a plan that keeps vehicles
out of the network gains nothing by it. Queues come from lane area detectors that cover the named roads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.objective import Term
from denxanh.sim.demand.equivalents import Equivalent, weights
from denxanh.sim.errors import RunError
from denxanh.sim.network import Network
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.run_input import TRIPINFO
from denxanh.sim.sumo.tripinfo import Trips, read_trips

Array = NDArray[np.float64]

OUTPUTS = "outputs.add.xml"
_CO2, _QUEUES = "co2.xml", "queues.xml"
_MINUTE = 60.0  # s, interval for which a detector reports its longest queue
_FULL = 0.9  # share of a lane occupied by its queue above which it counts as full


@dataclass(frozen=True)
class RunOutput:
    """Output of one run in bare SUMO, as far as an objective needs it."""

    folder: Path
    scenario: Scenario
    network: Network
    equivalents: dict[str, Equivalent] = field(default_factory=dict)

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
        name, hours = term.measure.name, (self.scenario.end - self.scenario.begin) / 3600.0
        if name.startswith("delay"):
            pcu, persons, vehicles = weights(trips.type, self.equivalents)
            weight = {"delay": vehicles, "delay-pcu": pcu, "delay-person": persons}[name]
            return float(trips.delay @ weight) / max(float(weight.sum()), 1e-9)
        if name == "stops":
            vehicles = weights(trips.type, self.equivalents)[2]
            return float(trips.stops[trips.inserted] @ vehicles[trips.inserted]) / float(vehicles.sum())
        if name == "throughput":
            return float(weights(trips.type, self.equivalents)[2][~trips.arrived].sum()) / hours
        if name == "emissions":
            grams = sum(float(e.get("CO2_abs", "0")) for e in _rows(self.folder / _CO2, "edge")) / 1000.0
            return grams / max(float(trips.length[trips.inserted].sum()) / 1000.0, 1e-9)
        return self._on_links(term)

    def _on_links(self, term: Term) -> float:
        """The longest queue on the roads, m; or the share of minutes in which one of their lanes is full, %."""
        lanes = {lane for link in term.links for lane in self.network.edges[link].lanes}
        minutes: dict[str, float] = {}  # begin → queue of the fullest lane
        for row in _rows(self.folder / _QUEUES, "interval"):
            lane = row.get("id", "")
            if lane in lanes:
                queue = float(row.get("maxJamLengthInMeters", "0"))
                share = queue / self.network.lanes[lane].length
                value = queue if term.measure.name == "queue" else share
                minutes[row["begin"]] = max(minutes.get(row["begin"], 0.0), value)
        found = np.array(list(minutes.values()))
        if not len(found):
            raise RunError("SUMO measured no queue on the named roads")
        return float(found.max() if term.measure.name == "queue" else 100.0 * (found >= _FULL).mean())


def outputs(terms: Sequence[Term], network: Network) -> str:
    """An additional file that requests the outputs these terms need besides tripinfo; "" if none."""
    root = Element("additional")
    if any(term.measure.name == "emissions" for term in terms):
        ElementTree.SubElement(
            root,
            "edgeData",
            id="co2",
            type="emissions",
            file=_CO2,
            withInternal="true",
            excludeEmpty="true",
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


def _rows(path: Path, tag: str) -> list[dict[str, str]]:
    try:
        return [row.attrib for row in ElementTree.parse(path).getroot().iter(tag)]
    except (OSError, ParseError) as error:
        raise RunError(f"SUMO wrote no readable {path.name} ({error})") from None
