"""Surge: more demand for a time, as after a match: vehicles that depart then are doubled, or one in two of them is.

The vehicles added are copies of those that depart within the time, on the same route, spread evenly over them, each
half a headway later: the same for every controller and seed, and written as a route file that bare SUMO reads too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from sim.demand import Demand
from sim.demand_reader import read_demand
from sim.errors import InputError
from sim.events.base import Plain, Scene, ids


@dataclass(frozen=True)
class Surge(Plain):
    """``factor`` times the demand; of the vehicles that start on ``edges`` where they are given."""

    kind: ClassVar[str] = "surge"

    begin: float
    end: float
    factor: float
    edges: tuple[str, ...] = ()

    def check(self, scene: Scene) -> None:
        """The factor must add something, the roads must exist."""
        super().check(scene)
        if not 1.0 < self.factor <= 10.0:
            raise InputError(f"the factor is {self.factor:g}", remedy="give one above 1, up to 10")
        if self.edges:
            ids(self.edges, scene.network.edges, "edge")

    def traffic(self, scene: Scene, path: Path, label: str) -> bool:
        """Write the vehicles added."""
        scenario = scene.scenario
        stop = min(self.end, scenario.end)
        demand = read_demand(
            scenario.routes,
            scene.network,
            self.begin,
            stop,
            net_file=scenario.net,
            type_files=scenario.additional,
        )
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
                f"nobody departs from {self.begin:g} s to {stop:g} s whose number could rise",
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
        """In words."""
        where = f" from {', '.join(self.edges)}" if self.edges else ""
        return f"demand{where} × {self.factor:g}"
