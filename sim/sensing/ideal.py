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
        rows = []
        for lane, length, own in finder.lanes:
            for vehicle in self.world.on_lane(lane):
                if vehicle.stopped:
                    continue  # it asks for no green until it goes on
                found = finder.find(vehicle, lane, own)
                if found is None:
                    continue
                approach, link, beyond = found
                distance = beyond + length - vehicle.position
                if distance <= self.range_m:
                    rows.append((approach, distance, vehicle.id, link, vehicle))
        if not rows:
            return Vehicles.none()
        rows.sort(key=lambda row: row[:3])
        return Vehicles(
            approach=np.array([row[0] for row in rows], dtype=np.int64),
            link=np.array([row[3] for row in rows], dtype=np.int64),
            distance=np.array([row[1] for row in rows]),
            speed=np.array([row[4].speed for row in rows]),
            wait=np.array([row[4].wait for row in rows]),
            length=np.array([row[4].space for row in rows]),
            id=tuple(row[2] for row in rows),
        )


class _Finder:
    """Finds the approach and the link that a vehicle upstream of a junction will take."""

    def __init__(self, world: World, intersection: Intersection, range_m: float) -> None:
        self.world = world
        self.intersection = intersection
        lanes: dict[
            str, tuple[str, float, int]
        ] = {}  # lane → its length and the approach it is the stop line of
        for number, approach in enumerate(intersection.approaches):
            for segment in approach.segments:
                if segment.beyond <= range_m:
                    own = number if segment.beyond == 0.0 else -1
                    length = world.network.lanes[segment.lane].length
                    lanes.setdefault(segment.lane, (segment.lane, length, own))
        self.lanes = tuple(lanes.values())
        self.edge_of = [world.network.lanes[a.lane].edge for a in intersection.approaches]
        self.beyond: dict[str, dict[int, float]] = {}
        for i, approach in enumerate(intersection.approaches):
            for segment in approach.segments:
                self.beyond.setdefault(segment.lane, {})[i] = segment.beyond
        self.targets = [self._targets(approach) for approach in intersection.approaches]

    def _targets(self, approach: Approach) -> dict[str, int]:
        lanes = self.world.network.lanes
        return {
            lanes[link.end].edge: link.index
            for link in reversed(self.intersection.links)
            if link.start == approach.lane and link.end in lanes
        }

    def find(self, vehicle: OnLane, lane: str, own: int) -> tuple[int, int, float] | None:
        """(approach, link or −1, m from the lane's end to the stop line), or None if it does not reach this signal.

        ``own`` is the approach of which ``lane`` is the stop-line lane, or −1.
        """
        if own >= 0:
            end = self.world.next_edge(vehicle.id, self.edge_of[own])
            if not end:
                return None  # its trip ends before the stop line
            return own, self.targets[own].get(end, -1), 0.0
        best: tuple[int, int, float] | None = None
        for number, beyond in self.beyond[lane].items():
            end = self.world.next_edge(vehicle.id, self.edge_of[number])
            if not end:
                continue
            link = self.targets[number].get(end, -1)
            if link >= 0 and (best is None or beyond < best[2]):
                best = (number, link, beyond)
        return best
