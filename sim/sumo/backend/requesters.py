"""The vehicles of PRIORITY_CLASSES in SUMO and the rest of their routes; the same code for libsumo and TraCI."""

from __future__ import annotations

from typing import Any

from denxanh.sim.world import PRIORITY_CLASSES, PriorityVehicle


class PriorityVehicles:
    """Finds the vehicles of PRIORITY_CLASSES in one simulation; SUMO is asked once for the class of each."""

    def __init__(self, vehicles: Any) -> None:
        self._vehicles = vehicles  # the vehicle domain of libsumo or of a TraCI connection
        self._known: dict[str, str] = {}

    def now(self) -> list[PriorityVehicle]:
        """Those in the network now, by id. A vehicle on a junction counts as at the start of its next edge."""
        sumo, known, out = self._vehicles, self._known, []
        for name in sorted(sumo.getIDList()):
            if name not in known:
                known[name] = sumo.getVehicleClass(name)
            if known[name] not in PRIORITY_CLASSES:
                continue
            route, index = sumo.getRoute(name), max(sumo.getRouteIndex(name), 0)
            inside = sumo.getRoadID(name).startswith(":")
            route = route[index + inside :]
            stops = sumo.getStops(name, 1)
            if stops:
                edge = stops[0].lane.rpartition("_")[0]
                route = route[: route.index(edge) + 1] if edge in route else route
            position = 0.0 if inside else sumo.getLanePosition(name)
            out.append(PriorityVehicle(name, known[name], position, sumo.getSpeed(name), tuple(route)))
        return out
