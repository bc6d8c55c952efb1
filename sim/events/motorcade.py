"""Motorcade: a convoy on a route. A priority layer sees its requests and holds the greens ahead of it.

Its vehicles are of SUMO's class "authority", which asks signals for priority; without such a layer they stop at red.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from denxanh.sim.errors import InputError
from denxanh.sim.events.event import EventBase, EventContext, check_ids


@dataclass(frozen=True)
class Motorcade(EventBase):
    """``vehicles`` cars, the first at ``begin`` and then every ``headway`` s, along ``edges``; ``end`` is its last."""

    kind: ClassVar[str] = "motorcade"

    begin: float
    edges: tuple[str, ...]
    vehicles: int = 6
    headway: float = 2.0  # s

    @property
    def end(self) -> float:
        """s, when the last vehicle departs."""
        return self.begin + self.vehicles * self.headway

    def check(self, context: EventContext) -> None:
        """Raise InputError unless the edges form a route."""
        if not 1 <= self.vehicles <= 100:
            raise InputError(f"it has {self.vehicles} vehicles", remedy="give 1 to 100")
        if not 0.5 <= self.headway <= 60.0:
            raise InputError(f"its headway is {self.headway:g} s", remedy="give 0.5 to 60 s")
        super().check(context)
        check_ids(self.edges, context.network.edges, "edge")
        lanes = context.network.lanes
        onward = {
            (lane.edge, lanes[end].edge) for lane in lanes.values() for end in lane.next if end in lanes
        }
        for before, after in pairwise(self.edges):
            if (before, after) not in onward:
                raise InputError(
                    f"no connection leads from {before!r} to {after!r}", remedy="name every road of its way"
                )

    def traffic(self, context: EventContext, path: Path, label: str) -> bool:
        """Write the vehicles of the motorcade."""
        root = Element("routes")
        kind, route = f"motorcade-{label}", f"motorcade-route-{label}"
        ElementTree.SubElement(root, "vType", id=kind, vClass="authority", guiShape="passenger", speedDev="0")
        ElementTree.SubElement(root, "route", id=route, edges=" ".join(self.edges))
        for number in range(self.vehicles):
            ElementTree.SubElement(
                root,
                "vehicle",
                id=f"motorcade-{label}-{number}",
                type=kind,
                route=route,
                depart=f"{self.begin + number * self.headway:.2f}",
                departLane="best",
                departSpeed="max",
            )
        ElementTree.indent(root, "    ")
        ElementTree.ElementTree(root).write(path, encoding="UTF-8", xml_declaration=True)
        return True

    def describe(self) -> str:
        """A description without the time."""
        return f"a motorcade of {self.vehicles} from {self.edges[0]} to {self.edges[-1]}"
