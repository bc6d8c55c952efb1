"""Which of SUMO's vehicles may ask signals for priority, and where they are bound for: one code for both doors."""

from __future__ import annotations

from typing import Any

from sim.world import PRIORITY_CLASSES, Bound


class Classes:
    """Which vehicles are of PRIORITY_CLASSES; each is asked once."""

    def __init__(self, vehicles: Any) -> None:
        self._vehicles = vehicles  # the vehicle domain of libsumo or of a TraCI connection
        self._known: dict[str, str] = {}

    def bound(self) -> list[Bound]:
        """Those that are on their way now. A vehicle on a junction stands at the start of its next edge."""
        sumo, known, out = self._vehicles, self._known, []
        for name in sorted(sumo.getIDList()):
            if name not in known:
                known[name] = sumo.getVehicleClass(name)
            if known[name] not in PRIORITY_CLASSES:
                continue
            way, index = sumo.getRoute(name), max(sumo.getRouteIndex(name), 0)
            inside = sumo.getRoadID(name).startswith(":")
            way = way[index + inside :]
            stops = sumo.getStops(name, 1)
            if stops:
                edge = stops[0].lane.rpartition("_")[0]
                way = way[: way.index(edge) + 1] if edge in way else way
            position = 0.0 if inside else sumo.getLanePosition(name)
            out.append(Bound(name, known[name], position, sumo.getSpeed(name), tuple(way)))
        return out
