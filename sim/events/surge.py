"""Surge: more demand for a time, as after a match; ``factor`` 1.5 adds a copy of every second vehicle.

The vehicles added are copies of those that depart within the time, on the same route, spread evenly over them, each
half a headway later. They are the same for every controller and seed, and written as a route file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from denxanh.sim.demand.demand import Demand
from denxanh.sim.demand.demand_reader import scenario_demand
from denxanh.sim.errors import InputError
from denxanh.sim.events.event import EventBase, EventContext, check_ids


@dataclass(frozen=True)
class Surge(EventBase):
    """``factor`` times the demand; of the vehicles that start on ``edges`` where they are given."""

    kind: ClassVar[str] = "surge"

    begin: float
    end: float
    factor: float
    edges: tuple[str, ...] = ()

    def check(self, context: EventContext) -> None:
        """Raise InputError for a factor that adds nothing, or an unknown edge."""
        super().check(context)
        if not 1.0 < self.factor <= 10.0:
            raise InputError(f"the factor is {self.factor:g}", remedy="give one above 1, up to 10")
        if self.edges:
            check_ids(self.edges, context.network.edges, "edge")

    def traffic(self, context: EventContext, path: Path, label: str) -> bool:
        """Write the vehicles added."""
        scenario = context.scenario
        stop = min(self.end, scenario.end)
        demand = scenario_demand(scenario, context.network, (self.begin, stop))
        root = Element("routes")
        for number, (depart, kind, edges) in enumerate(self._added(demand, stop)):
            vehicle = ElementTree.SubElement(
                root,
                "vehicle",
                id=f"surge-{label}-{number}",
                depart=f"{depart:.2f}",
                departLane="best",
                departSpeed="max",
            )
            if kind != "DEFAULT_VEHTYPE":
                vehicle.set("type", kind)
            ElementTree.SubElement(vehicle, "route", edges=" ".join(edges))
        if not len(root):
            raise InputError(
                f"no vehicle departs from {self.begin:g} s to {stop:g} s that could be copied",
                remedy="give another time, or other edges",
            )
        ElementTree.indent(root, "    ")
        ElementTree.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)
        return True

    def _added(self, demand: Demand, stop: float) -> list[tuple[float, str, tuple[str, ...]]]:
        """(departure, type, route) of each vehicle added, by departure."""
        chosen = [
            k
            for k, route in enumerate(demand.route)
            if not self.edges or demand.routes[route][0] in self.edges
        ]
        copies = np.diff(np.floor((self.factor - 1.0) * np.arange(len(chosen) + 1) + 1e-9)).astype(int)
        headway = (stop - self.begin) / max(len(chosen), 1)
        out = []
        for k, count in zip(chosen, copies, strict=True):
            for number in range(count):
                depart = float(demand.depart[k]) + headway * (number + 0.5)
                if depart < stop:
                    out.append((depart, demand.types[demand.type[k]].id, demand.routes[demand.route[k]]))
        return sorted(out, key=lambda row: row[0])

    def describe(self) -> str:
        """A description without the time."""
        where = f" from {', '.join(self.edges)}" if self.edges else ""
        return f"demand{where} × {self.factor:g}"
