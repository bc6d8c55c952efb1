"""Passages of vehicles over points of the road, from their positions at each step: each counted once, with its time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from denxanh.sim.sensing.sensor import TWO_WHEELERS
from denxanh.sim.world import OnLane, World

_LEEWAY = 1.3  # vehicles drive up to so much faster than the limit (speedFactor)
_OF_SPACE = 0.75  # of the room that a vehicle takes in a queue is its length, the rest its gap


@dataclass(frozen=True)
class Point:
    """A detector that counts: ``passed`` is called with the time (s) at which a front crosses ``position``."""

    position: float  # m from the lane's start; its length is the stop line
    passed: Callable[[float], None]
    detects: Callable[[str, bool], bool]  # (vehicle, whether it is a two-wheeler)


@dataclass
class Zone:
    """A detector that senses presence between two positions; ``occupied`` is its share of the last step."""

    begin: float  # m
    end: float  # m
    detects: Callable[[str, bool], bool]
    occupied: float = 0.0


@dataclass
class Watched:
    """A lane with its detectors.

    ``left`` is called for vehicles that cross the junction without a position on its stop-line lane, which may be
    shorter than the distance of a step; ``beyond`` m lie between this lane and the stop line.
    """

    id: str
    edge: str
    length: float  # m
    speed: float  # m/s
    points: list[Point] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    left: Callable[[float], None] | None = None
    beyond: float = 0.0


@dataclass(slots=True)
class _Track:
    lane: Watched
    position: float
    space: float
    two: bool
    stays: bool  # its trip ends on this road, before the stop line


class Passages:
    """One run's detectors on ``lanes``; ``step`` must be called after each step of the world."""

    def __init__(self, world: World, lanes: Sequence[Watched]) -> None:
        self._world = world
        self._lanes = lanes
        self._before: dict[str, _Track] = {}

    def step(self) -> None:
        """Report passages since the last step to the points, and measure the zones' occupancy."""
        world, before = self._world, self._before
        end = world.begin + world.steps * world.step
        now: dict[str, _Track] = {}
        for lane in self._lanes:
            for zone in lane.zones:
                zone.occupied = 0.0
            for vehicle in world.on_lane(lane.id):
                now[vehicle.id] = self._seen(vehicle, lane, before.get(vehicle.id), end)
        for name, old in before.items():
            if name not in now and not old.stays:
                self._gone(name, old, end)
        self._before = now

    def _seen(self, vehicle: OnLane, lane: Watched, old: _Track | None, end: float) -> _Track:
        at = vehicle.position
        if old is None or old.lane.edge != lane.edge:
            stays = not self._world.next_edge(vehicle.id, lane.edge)
            two = old.two if old else self._world.vehicle_class(vehicle.id) in TWO_WHEELERS
            track = _Track(lane, at, vehicle.space, two, stays)
            start = at - vehicle.speed * self._world.step  # from its present speed
            if old is not None:
                self._pass(vehicle.id, track, old.lane, old.position, inf, at - start, end)
        else:  # the same road, perhaps another lane
            track = _Track(lane, at, vehicle.space, old.two, old.stays)
            start = old.position
        self._pass(vehicle.id, track, lane, start, at, at - start, end)
        return track

    def _gone(self, name: str, old: _Track, end: float) -> None:
        """A vehicle left the watched lanes: over the junction if within a step's distance, else removed by SUMO."""
        lane = old.lane
        reach = lane.speed * _LEEWAY * self._world.step + old.space
        left = lane.length - old.position
        if left > reach:
            return
        self._pass(name, old, lane, old.position, inf, reach, end)
        if lane.left is not None and left + lane.beyond <= reach:
            lane.left(end)

    def _pass(
        self, name: str, track: _Track, lane: Watched, start: float, stop: float, way: float, end: float
    ) -> None:
        """Process the path from ``start`` to ``stop`` on a lane in the step that ended at ``end``, ``way`` m in all."""
        for point in lane.points:
            if start < point.position <= stop and point.detects(name, track.two):
                part = min((point.position - start) / way, 1.0) if way > 0 else 1.0
                point.passed(end - self._world.step * (1.0 - part))
        length = track.space * _OF_SPACE
        for zone in lane.zones:
            first, last = max(start, zone.begin), min(stop, start + way, zone.end + length)
            stands = float(zone.begin <= start <= zone.end + length)
            share = max(last - first, 0.0) / way if way > 0 else stands
            if share > 0.0 and zone.occupied < 1.0 and zone.detects(name, track.two):
                zone.occupied = min(zone.occupied + share, 1.0)
