"""Loops: stop-line and advance detectors that measure counts and occupancy only (docs/sensing.md).

At each lane's stop line a loop of ``line`` m senses presence and counts departures; ``advance`` m before it a loop
counts arrivals. A controller sees the vehicles that have arrived and not departed (denxanh.sim.sensing.queue); where a
lane serves several movements, the movement of a vehicle is not known and drawn by equal shares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from denxanh.sim.controller import Array, Observation, Vehicles
from denxanh.sim.network import GREEN, Approach, Intersection
from denxanh.sim.sensing.faults import Late, Outages, check, constant_call, draw, late_steps
from denxanh.sim.sensing.passages import Passages, Point, Watched, Zone
from denxanh.sim.sensing.queue import LaneQueue
from denxanh.sim.sensing.requests import Requests
from denxanh.sim.sensing.sensor import Shown
from denxanh.sim.sensing.turns import Turns, spread
from denxanh.sim.world import HALTED_SPEED, QUEUE_SPACING, World

LOOP = 2.0  # m, the length of an advance detector
BEHIND = 0.01  # m behind the stop line: a vehicle that stands on the line has not left


@dataclass(frozen=True)
class Loops:
    """Stop-line and advance loops: counts and occupancy only."""

    name: ClassVar[str] = "loops"

    advance: float = 80.0  # m from the stop line; where the road is shorter, at its begin
    line: float = 6.0  # m in front of the stop line that its detector covers
    missed: float = 0.02  # share of all vehicles that a detector does not notice
    missed_two_wheelers: float = 0.2  # share of two-wheelers that it does not notice
    latency: float = 0.0  # s until a controller sees a detector's data
    outages: float = 0.0  # per hour and intersection
    outage: float = 300.0  # s that one lasts in the mean

    def __post_init__(self) -> None:
        check(self, shares=("missed", "missed_two_wheelers"))

    def start(self, world: World, sees: frozenset[str], seed: int = 0) -> LoopSensor:
        """The detectors of one run."""
        return LoopSensor(self, world, sees, seed)


class LoopSensor:
    """One run's loops at all intersections."""

    every_step = True

    def __init__(self, settings: Loops, world: World, sees: frozenset[str], seed: int) -> None:
        self._world, self._sees, self._seed, self._settings = world, sees, seed, settings
        self._requests = Requests(world)
        self._outages = Outages(seed, settings.outages, settings.outage, world.begin)
        steps = late_steps(settings.latency, world.step)
        self._behind = steps * world.step
        self._late: Late[list[Callable[[], None]]] = Late(steps)
        self._events: list[Callable[[], None]] = []
        self._lanes: dict[str, Watched] = {}
        wanted = bool(sees & {"vehicles", "exits"})
        self._sites = {
            name: _Site(self, intersection)
            for name, intersection in world.network.intersections.items()
            if wanted
        }
        self._passages = Passages(world, list(self._lanes.values()))
        self._feeds: dict[str, list[tuple[str, int, float, float]]] = {}
        """By lane, the detectors that see it: (intersection, approach, m from its end to the stop line, share)."""
        for name, intersection in world.network.intersections.items():
            for i, approach in enumerate(intersection.approaches):
                for segment in approach.segments:
                    self._feeds.setdefault(segment.lane, []).append((name, i, segment.beyond, segment.share))

    def sample(self) -> None:
        """Process the step: counts first, then occupancy, each after its latency."""
        self._passages.step()
        for site in self._sites.values():
            self._events += site.occupancies(self._now)
        due, self._events = self._late.through(self._events), []
        for event in due or ():
            event()

    def fail(self, intersection: str, failed: bool) -> None:
        """A failed site gives a constant call on every lane."""
        self._outages.fail(intersection, failed)

    def observe(
        self, intersection: Intersection, shown: Shown, elsewhere: Callable[[str], Observation]
    ) -> Observation:
        """The observation of one intersection now."""
        count, halted, room = self._exits(intersection) if "exits" in self._sees else (np.zeros(0),) * 3
        return Observation(
            intersection=intersection,
            time=self._now,
            phase=shown.phase,
            elapsed=shown.elapsed,
            vehicles=self._vehicles(intersection, shown) if "vehicles" in self._sees else Vehicles.none(),
            exit_count=count,
            exit_halted=halted,
            exit_room=room,
            red=shown.red,
            requests=self._requests.of(intersection.id) if "requests" in self._sees else (),
            step=self._world.step,
            range_m=self._settings.advance,
            elsewhere=elsewhere,
        )

    @property
    def _now(self) -> float:
        return self._world.begin + self._world.steps * self._world.step

    @property
    def _then(self) -> float:
        """The time of the data that are available now, s."""
        return self._now - self._behind

    def lane(self, name: str) -> Watched:
        """The watched lane of that name, made at its first use."""
        if name not in self._lanes:
            road = self._world.network.lanes[name]
            self._lanes[name] = Watched(name, road.edge, road.length, road.speed)
        return self._lanes[name]

    def detects(self, detector: str, vehicle: str, two_wheeler: bool) -> bool:
        """Whether this detector notices this vehicle: drawn once for both, whenever it is asked."""
        share = self._settings.missed_two_wheelers if two_wheeler else self._settings.missed
        return share <= 0.0 or draw(self._seed, detector, vehicle) >= share

    def later(self, event: Callable[[], None]) -> None:
        """Call ``event`` when the latency is over."""
        self._events.append(event)

    def _vehicles(self, intersection: Intersection, shown: Shown) -> Vehicles:
        if self._outages.out(intersection.id, self._now):
            return constant_call(intersection, shown)
        return self._sites[intersection.id].vehicles(self._then, shown)

    def _exits(self, intersection: Intersection) -> tuple[Array, Array, Array]:
        """(count, halted, room m) of the exit lanes by the next signal's detectors; 0 without detectors."""
        lengths = [self._world.network.lanes[lane].length for lane in intersection.exits]
        count, halted = np.zeros(len(lengths)), np.zeros(len(lengths))
        for k, lane in enumerate(intersection.exits):
            for name, i, beyond, share in self._feeds.get(lane, ()):
                if self._outages.out(name, self._now):
                    continue
                for distance, speed in self._sites[name].on_lane(i, self._then):
                    if beyond < distance <= beyond + lengths[k]:
                        count[k] += share
                        halted[k] += share * (speed < HALTED_SPEED)
        return count, halted, np.array(lengths) - count * QUEUE_SPACING


class _Site:
    """The loops of one intersection."""

    def __init__(self, sensor: LoopSensor, intersection: Intersection) -> None:
        self._sensor, self._intersection = sensor, intersection
        self._turns = Turns(intersection)
        self._green = [-1.0] * len(
            intersection.approaches
        )  # s of green by approach when it was last asked for
        self._queues: list[LaneQueue] = []
        self._lines: list[Zone] = []
        self._advances: list[list[Zone]] = []
        self._passed: dict[str, int] = {}
        for i, approach in enumerate(intersection.approaches):
            self._place(i, approach)

    def _place(self, i: int, approach: Approach) -> None:
        """Place the detectors of an approach on its lanes."""
        sensor, settings = self._sensor, self._sensor._settings
        lane = sensor.lane(approach.lane)
        name = f"{self._intersection.id}/{i}"
        detects = partial(sensor.detects, f"{name}/line")
        self._lines.append(Zone(max(lane.length - settings.line, 0.0), lane.length, detects))
        lane.zones.append(self._lines[i])
        lane.points.append(Point(lane.length + BEHIND, partial(self._leaves, i), detects))
        reach = min(
            settings.advance, max(s.beyond + sensor.lane(s.lane).length for s in approach.segments) - 1.0
        )
        queue = LaneQueue(max(reach, 1.0), approach.speed, QUEUE_SPACING)
        self._queues.append(queue)
        self._advances.append([])
        for segment in approach.segments:
            road = sensor.lane(segment.lane)
            at = road.length - (queue.reach - segment.beyond)
            if segment.beyond < queue.reach <= segment.beyond + road.length:
                detects = partial(sensor.detects, f"{segment.lane}/advance")
                zone = Zone(at, min(at + LOOP, road.length), detects)
                self._advances[i].append(zone)
                road.zones.append(zone)
                if segment.lane not in self._passed:
                    self._passed[segment.lane] = 0
                    road.points.append(Point(at, partial(self._comes, segment.lane), detects))
            if segment.beyond > 0.0:
                road.left, road.beyond = self._skips, segment.beyond

    def _comes(self, lane: str, time: float) -> None:
        """A vehicle passed an advance detector: the next in turn, by shares, of the approaches that it leads to."""
        self._passed[lane] += 1
        at = spread(self._passed[lane])
        i, _ = self._turns.approach(lane, at)
        link = self._turns.link(i, spread(self._queues[i].number))
        self._sensor.later(partial(self._queues[i].enter, time, link))

    def _leaves(self, i: int, time: float) -> None:
        self._sensor.later(partial(self._queues[i].leave, time))

    def _skips(self, time: float) -> None:
        """A vehicle crossed a short stop-line lane within a step: remove the one that was due first."""
        waiting = [queue for queue in self._queues if queue.inside]
        if waiting:
            first = min(waiting, key=lambda queue: queue.inside[0].due)
            self._sensor.later(partial(first.leave, time))

    def occupancies(self, time: float) -> list[Callable[[], None]]:
        """The corrections of the counts by the present occupancies."""
        return [
            partial(
                queue.correct,
                time,
                line.occupied,
                max((zone.occupied for zone in zones), default=0.0),
                self._sensor._world.step,
                self._turns.link(i, spread(queue.number)),
            )
            for i, (queue, line, zones) in enumerate(
                zip(self._queues, self._lines, self._advances, strict=True)
            )
        ]

    def on_lane(self, i: int, time: float) -> list[tuple[float, float]]:
        """(distance m, speed m/s) of the vehicles of an approach."""
        return [(distance, speed) for distance, speed, _, _ in self._queues[i].rows(time, self._green[i])]

    def vehicles(self, time: float, shown: Shown) -> Vehicles:
        """The vehicles counted in and not out as of ``time``, sorted by approach and distance."""
        state = self._intersection.phases[shown.phase].state
        rows = []
        for i, (queue, approach) in enumerate(zip(self._queues, self._intersection.approaches, strict=True)):
            green = any(state[k] in GREEN and shown.red[k] == 0.0 for k in approach.links)
            self._green[i] = max(shown.elapsed - self._sensor._behind, 0.0) if green else -1.0
            for distance, speed, wait, vehicle in queue.rows(time, self._green[i]):
                rows.append((i, distance, vehicle.number, vehicle.link, speed, wait))
        if not rows:
            return Vehicles.none()
        rows.sort()
        return Vehicles(
            approach=np.array([row[0] for row in rows], dtype=np.int64),
            link=np.array([row[3] for row in rows], dtype=np.int64),
            distance=np.array([row[1] for row in rows]),
            speed=np.array([row[4] for row in rows]),
            wait=np.array([row[5] for row in rows]),
            length=np.full(len(rows), QUEUE_SPACING),
            id=tuple(f"{self._intersection.id}/{row[0]}/{row[2]}" for row in rows),
        )
