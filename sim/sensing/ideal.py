"""Ideal sensing: every vehicle within ``range_m`` of the stop line, with the link that it will take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.sim.controller import Array, Observation, Vehicles
from denxanh.sim.network import Approach, Intersection
from denxanh.sim.sensing.faults import check
from denxanh.sim.sensing.requests import Requests
from denxanh.sim.sensing.sensor import RANGE, Shown
from denxanh.sim.world import HALTED_SPEED, OnLane, World

_NO_EXITS = (np.zeros(0), np.zeros(0), np.zeros(0))


@dataclass(frozen=True)
class Ideal:
    """Every vehicle within range, its speed, waiting time and next link, without error or delay."""

    name: ClassVar[str] = "ideal"

    range_m: float = RANGE

    def __post_init__(self) -> None:
        check(self, ())

    def start(self, world: World, sees: frozenset[str], seed: int = 0) -> _IdealSensor:
        """A sensor for one run; ``seed`` is not used, since it has no errors."""
        return _IdealSensor(world, sees, self.range_m)


class _IdealSensor:
    every_step = False

    def __init__(self, world: World, sees: frozenset[str], range_m: float) -> None:
        self.world = world
        self.sees = sees
        self.range_m = range_m
        self._requests = Requests(world)
        self._finders: dict[str, _Finder] = {}
        self._exit_lengths: dict[str, Array] = {}  # (exits,) m

    def sample(self) -> None:
        """Nothing to do: the world is read when an observation is made."""

    def fail(self, intersection: str, failed: bool) -> None:
        """Nothing to do: ideal sensing does not fail, so the same events fit runs with and without detectors."""

    def observe(
        self, intersection: Intersection, shown: Shown, elsewhere: Callable[[str], Observation]
    ) -> Observation:
        """The observation of one intersection now."""
        world = self.world
        count, halted, room = self._exits(intersection) if "exits" in self.sees else _NO_EXITS
        return Observation(
            intersection=intersection,
            time=world.begin + world.steps * world.step,
            phase=shown.phase,
            elapsed=shown.elapsed,
            vehicles=self._vehicles(intersection) if "vehicles" in self.sees else Vehicles.none(),
            exit_count=count,
            exit_halted=halted,
            exit_room=room,
            red=shown.red,
            requests=self._requests.of(intersection.id) if "requests" in self.sees else (),
            step=world.step,
            range_m=self.range_m,
            elsewhere=elsewhere,
            onward=world.next_edge,
        )

    def _exits(self, intersection: Intersection) -> tuple[Array, Array, Array]:
        """(count, halted, room m) of the exit lanes, most of which are empty most of the time."""
        count, halted = np.zeros(len(intersection.exits)), np.zeros(len(intersection.exits))
        room = self._lengths(intersection).copy()
        for k, lane in enumerate(intersection.exits):
            if found := self.world.on_lane(lane):
                count[k] = sum(not vehicle.stopped for vehicle in found)
                halted[k] = sum(vehicle.speed < HALTED_SPEED and not vehicle.stopped for vehicle in found)
                room[k] -= sum(vehicle.space for vehicle in found)
        return count, halted, room

    def _lengths(self, intersection: Intersection) -> Array:
        lengths = self._exit_lengths.get(intersection.id)
        if lengths is None:
            lanes = self.world.network.lanes
            lengths = self._exit_lengths[intersection.id] = np.array(
                [lanes[lane].length for lane in intersection.exits]
            )
        return lengths

    def _vehicles(self, intersection: Intersection) -> Vehicles:
        finder = self._finders.get(intersection.id)
        if finder is None:
            finder = self._finders[intersection.id] = _Finder(self.world, intersection, self.range_m)
        rows: list[tuple[int, float, str, int, float, float, float]] = []
        range_m, on_lane, next_edge = self.range_m, self.world.on_lane, self.world.next_edge
        for lane, length, own, edge, targets in finder.lanes:
            for vehicle in on_lane(lane):
                if vehicle.stopped:
                    continue  # it asks for no green until it goes on
                if length - vehicle.position > range_m:
                    continue  # however near the lane's end is to the stop line
                if own >= 0:
                    end = next_edge(vehicle.id, edge)
                    if not end:
                        continue  # its trip ends before the stop line
                    approach, link, distance = own, targets.get(end, -1), length - vehicle.position
                else:
                    found = finder.find(vehicle, lane)
                    if found is None:
                        continue
                    approach, link, beyond = found
                    distance = beyond + length - vehicle.position
                if distance <= range_m:
                    rows.append(
                        (approach, distance, vehicle.id, link, vehicle.speed, vehicle.wait, vehicle.space)
                    )
        if not rows:
            return Vehicles.none()
        rows.sort()
        approaches, distances, ids, links, speeds, waits, spaces = zip(*rows, strict=True)
        return Vehicles(
            approach=np.array(approaches, dtype=np.int64),
            link=np.array(links, dtype=np.int64),
            distance=np.array(distances),
            speed=np.array(speeds),
            wait=np.array(waits),
            length=np.array(spaces),
            id=ids,
        )


class _Finder:
    """Finds the approach and the link that a vehicle upstream of a junction will take."""

    def __init__(self, world: World, intersection: Intersection, range_m: float) -> None:
        self.world = world
        self.intersection = intersection
        self.edge_of = [world.network.lanes[a.lane].edge for a in intersection.approaches]
        self.targets = [self._targets(approach) for approach in intersection.approaches]
        lanes: dict[str, tuple[str, float, int, str, dict[str, int]]] = {}
        """lane → its length, m, the approach it is the stop line of, or −1, and that one's edge and targets"""
        for number, approach in enumerate(intersection.approaches):
            for segment in approach.segments:
                if segment.beyond <= range_m:
                    own = number if segment.beyond == 0.0 else -1
                    length = world.network.lanes[segment.lane].length
                    edge, targets = self.edge_of[number], self.targets[number]
                    lanes.setdefault(segment.lane, (segment.lane, length, own, edge, targets))
        self.lanes = tuple(lanes.values())
        self.beyond: dict[str, dict[int, float]] = {}
        for i, approach in enumerate(intersection.approaches):
            for segment in approach.segments:
                self.beyond.setdefault(segment.lane, {})[i] = segment.beyond

    def _targets(self, approach: Approach) -> dict[str, int]:
        lanes = self.world.network.lanes
        return {
            lanes[link.end].edge: link.index
            for link in reversed(self.intersection.links)
            if link.start == approach.lane and link.end in lanes
        }

    def find(self, vehicle: OnLane, lane: str) -> tuple[int, int, float] | None:
        """(approach, link, m from the lane's end to the stop line) of a vehicle on a lane before the stop-line lanes.

        None if it does not reach this signal.
        """
        best: tuple[int, int, float] | None = None
        for number, beyond in self.beyond[lane].items():
            end = self.world.next_edge(vehicle.id, self.edge_of[number])
            if not end:
                continue
            link = self.targets[number].get(end, -1)
            if link >= 0 and (best is None or beyond < best[2]):
                best = (number, link, beyond)
        return best
