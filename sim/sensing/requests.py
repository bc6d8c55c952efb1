"""Priority requests: the signals ahead of each ambulance, motorcade or bus, and their distances.

Transponders and satellite positioning reach far beyond the range of detectors.
"""

from __future__ import annotations

from denxanh.sim.controller import Request
from denxanh.sim.network import Network
from denxanh.sim.world import PriorityVehicle, World

REACH = 1000.0  # m of its route ahead within which a vehicle sends requests


class Requests:
    """The requests of one run, computed once an instant for all signals."""

    def __init__(self, world: World, reach: float = REACH) -> None:
        self._world = world
        self._reach = reach
        self._at = -1
        self._now: dict[str, list[Request]] = {}
        self._way = _Way(world.network)

    def of(self, intersection: str) -> tuple[Request, ...]:
        """The requests at one signal now, by vehicle id."""
        if self._at != self._world.steps:
            self._at = self._world.steps
            self._now = {}
            for vehicle in self._world.priority_vehicles():
                for signal, request in self._way.requests(vehicle, self._reach):
                    self._now.setdefault(signal, []).append(request)
        return tuple(self._now.get(intersection, ()))


class _Way:
    """The signals on a route over the edges of a network."""

    def __init__(self, network: Network) -> None:
        self.edges = network.edges
        self.movement = {
            (movement.start, movement.end): (name, number)
            for name, intersection in network.intersections.items()
            for number, movement in enumerate(intersection.movements)
        }
        lanes = network.lanes
        self.between = {
            (lanes[link.start].edge, lanes[link.end].edge): link
            for link in network.all_links
            if link.start in lanes and link.end in lanes
        }

    def requests(self, vehicle: PriorityVehicle, reach: float) -> list[tuple[str, Request]]:
        """(signal, request) for the signals of the next ``reach`` m."""
        out = []
        distance, free = -vehicle.position, 0.0
        for number, (edge, onward) in enumerate(zip(vehicle.edges, vehicle.edges[1:], strict=False)):
            road = self.edges[edge]
            distance += road.length
            free += (road.length - (vehicle.position if number == 0 else 0.0)) / road.speed
            if distance > reach:
                break
            if (edge, onward) in self.movement:
                signal, movement = self.movement[edge, onward]
                request = Request(
                    vehicle.id, vehicle.vclass, movement, max(distance, 0.0), vehicle.speed, max(free, 0.0)
                )
                out.append((signal, request))
            link = self.between.get((edge, onward))
            if link is not None:
                distance += link.length
                free += link.length / max(link.turn_speed, 1.0)
        return out
