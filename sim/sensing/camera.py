"""Camera: vehicles from the stop line up to ``range_m``, with misses, occlusion and noise (docs/sensing.md).

It measures position, speed and waiting time of vehicles, but not their route: until a vehicle has left, its movement
is drawn by the turning shares of the vehicles before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from denxanh.sim.controller import Array, Observation, Vehicles
from denxanh.sim.network import Intersection
from denxanh.sim.sensing.faults import Late, Outages, check, constant_call, draw, generator, late_steps
from denxanh.sim.sensing.requests import Requests
from denxanh.sim.sensing.sensor import TWO_WHEELERS, Shown
from denxanh.sim.sensing.turns import Turns
from denxanh.sim.world import HALTED_SPEED, OnLane, World

LONG = 9.0  # m with its gap: trucks and buses, which hide vehicles behind them within …
SHADOW = 12.0  # … m: a camera 6 m up at the far side sees over 3 m of truck about so far behind it
NEAR = 15.0  # m: a vehicle last seen so near the stop line and now gone has crossed it


@dataclass(frozen=True)
class Camera:
    """A camera at each intersection: vehicles within range, some missed, none of them known by its route."""

    name: ClassVar[str] = "camera"

    range_m: float = 80.0  # m from the stop line, and into the exits
    missed: float = 0.0  # share of all vehicles that are not noticed
    missed_two_wheelers: float = 0.2  # share of two-wheelers that are not noticed
    occluded: float = 0.5  # share of those close behind a truck or bus that it hides
    noise: float = 1.0  # m, standard deviation of a vehicle's place
    # standard deviation of its speed, as a share; halted vehicles are seen as halted
    speed_noise: float = 0.1
    latency: float = 0.0  # s until a controller sees the picture
    outages: float = 0.0  # per hour and intersection
    outage: float = 300.0  # s that one lasts in the mean

    def __post_init__(self) -> None:
        check(self, shares=("missed", "missed_two_wheelers", "occluded"))

    def start(self, world: World, sees: frozenset[str], seed: int = 0) -> CameraSensor:
        """The cameras of one run."""
        return CameraSensor(self, world, sees, seed)


class CameraSensor:
    """One run's cameras at all intersections."""

    def __init__(self, settings: Camera, world: World, sees: frozenset[str], seed: int) -> None:
        self._settings, self._world, self._sees, self._seed = settings, world, sees, seed
        self._requests = Requests(world)
        self._outages = Outages(seed, settings.outages, settings.outage, world.begin)
        steps = late_steps(settings.latency, world.step)
        self.every_step = steps > 0
        self._late: Late[Mapping[str, Sequence[OnLane]]] = Late(steps)
        self._sites = {
            name: _Site(settings, world, intersection, seed)
            for name, intersection in world.network.intersections.items()
        }
        wanted = bool(sees & {"vehicles", "exits"})
        self._lanes = sorted({lane for site in self._sites.values() for lane in site.lanes if wanted})
        self._then: Mapping[str, Sequence[OnLane]] = {}  # by lane, as it was ``latency`` ago

    def sample(self) -> None:
        """Take a picture; observations use the one of ``latency`` s ago."""
        picture = {lane: found for lane in self._lanes if (found := self._world.on_lane(lane))}
        self._then = self._late.through(picture) or {}

    def fail(self, intersection: str, failed: bool) -> None:
        """A failed camera gives a constant call on every lane."""
        self._outages.fail(intersection, failed)

    def observe(
        self, intersection: Intersection, shown: Shown, elsewhere: Callable[[str], Observation]
    ) -> Observation:
        """The observation of one intersection now."""
        world, site = self._world, self._sites[intersection.id]
        now = world.begin + world.steps * world.step
        out = self._outages.out(intersection.id, now)
        vehicles, exits = Vehicles.none(), (np.zeros(0),) * 3
        if "vehicles" in self._sees:
            vehicles = constant_call(intersection, shown) if out else site.vehicles(self._on_lane)
        if "exits" in self._sees:
            exits = site.exits((lambda _: ()) if out else self._on_lane)
        return Observation(
            intersection=intersection,
            time=now,
            phase=shown.phase,
            elapsed=shown.elapsed,
            vehicles=vehicles,
            exit_count=exits[0],
            exit_halted=exits[1],
            exit_room=exits[2],
            red=shown.red,
            requests=self._requests.of(intersection.id) if "requests" in self._sees else (),
            step=world.step,
            range_m=self._settings.range_m,
            elsewhere=elsewhere,
        )

    def _on_lane(self, lane: str) -> Sequence[OnLane]:
        return self._then.get(lane, ()) if self.every_step else self._world.on_lane(lane)


class _Site:
    """The camera of one intersection."""

    def __init__(self, settings: Camera, world: World, intersection: Intersection, seed: int) -> None:
        self._settings, self._world, self._intersection, self._seed = settings, world, intersection, seed
        self._turns = Turns(intersection)
        self._noticed: dict[str, bool] = {}  # of each vehicle met so far
        self._near: dict[str, tuple[int, int]] = {}  # (approach, link) of those close to the stop line
        self._targets = [
            {
                world.network.lanes[link.end].edge: link.index
                for link in reversed(intersection.links)
                if link.start == approach.lane and link.end in world.network.lanes
            }
            for approach in intersection.approaches
        ]
        segments = {
            segment.lane: segment.beyond
            for approach in intersection.approaches
            for segment in approach.segments
            if segment.beyond <= settings.range_m
        }
        self._ends = tuple(segments)
        self.lanes = {*self._ends, *intersection.exits}

    def vehicles(self, on_lane: Callable[[str], Sequence[OnLane]]) -> Vehicles:
        """The vehicles that the camera sees on the approaches, sorted by approach and distance."""
        rows = []
        near: dict[str, tuple[int, int]] = {}
        for lane in self._ends:
            length = self._world.network.lanes[lane].length
            for vehicle in self._seen(on_lane(lane)):
                if vehicle.stopped:  # it stands at a stop, whose place is known
                    continue
                at = draw(self._seed, self._intersection.id, vehicle.id, "turn")
                approach, beyond = self._turns.approach(lane, at)
                distance = beyond + length - vehicle.position
                if distance > self._settings.range_m:
                    continue
                rows.append((approach, distance, vehicle.id, self._turns.link(approach, at), vehicle))
                if beyond == 0.0 and distance <= NEAR:
                    self._watch(near, vehicle.id, approach)
        for name in sorted(self._near.keys() - near.keys()):  # the learnt shares depend on the order
            self._turns.learn(*self._near[name])
        self._near = near
        if not rows:
            return Vehicles.none()
        rows.sort(key=lambda row: row[:3])
        return self._blurred(rows)

    def _watch(self, near: dict[str, tuple[int, int]], vehicle: str, approach: int) -> None:
        """Follow a vehicle over the junction; its link is counted once it has left."""
        if vehicle in self._near:
            near[vehicle] = self._near[vehicle]
            return
        road = self._world.network.lanes[self._intersection.approaches[approach].lane].edge
        link = self._targets[approach].get(self._world.next_edge(vehicle, road))
        if link is not None:
            near[vehicle] = approach, link

    def _blurred(self, rows: Sequence[tuple[int, float, str, int, OnLane]]) -> Vehicles:
        rng = generator(self._seed, self._intersection.id, str(self._world.steps))
        distance = np.array([row[1] for row in rows])
        distance = np.maximum(distance + rng.normal(0.0, self._settings.noise, len(rows)), 0.0)
        speed = np.array([row[4].speed for row in rows])
        factor = np.maximum(1.0 + rng.normal(0.0, self._settings.speed_noise, len(rows)), 0.5)
        order = np.lexsort((distance, np.array([row[0] for row in rows])))
        return Vehicles(
            approach=np.array([row[0] for row in rows], dtype=np.int64)[order],
            link=np.array([row[3] for row in rows], dtype=np.int64)[order],
            distance=distance[order],
            speed=(speed * np.where(speed < HALTED_SPEED, 1.0, factor))[order],
            wait=np.array([row[4].wait for row in rows])[order],
            length=np.array([row[4].space for row in rows])[order],
            id=tuple(rows[k][2] for k in order),
        )

    def exits(self, on_lane: Callable[[str], Sequence[OnLane]]) -> tuple[Array, Array, Array]:
        """(count, halted, room m) of the exit lanes, as far as the camera sees into them."""
        count, halted, room = [], [], []
        for lane in self._intersection.exits:
            reach = min(self._world.network.lanes[lane].length, self._settings.range_m)
            seen = [v for v in self._seen(on_lane(lane)) if v.position <= reach]
            count.append(float(sum(not vehicle.stopped for vehicle in seen)))
            halted.append(
                float(sum(vehicle.speed < HALTED_SPEED and not vehicle.stopped for vehicle in seen))
            )
            room.append(reach - sum(vehicle.space for vehicle in seen))
        return np.array(count), np.array(halted), np.array(room)

    def _seen(self, lane: Sequence[OnLane]) -> list[OnLane]:
        """The vehicles of a lane (rearmost first) that are noticed; a long vehicle hides those close behind it."""
        out = []
        for rank, vehicle in enumerate(lane):
            ahead = lane[rank + 1] if rank + 1 < len(lane) else None
            if not self._notices(vehicle.id):
                continue
            if (
                ahead is not None
                and ahead.space >= LONG > vehicle.space
                and ahead.position - ahead.space - vehicle.position < SHADOW
                and draw(self._seed, self._intersection.id, vehicle.id, "hidden") < self._settings.occluded
            ):
                continue
            out.append(vehicle)
        return out

    def _notices(self, vehicle: str) -> bool:
        """Whether this camera notices a vehicle: drawn once, for all its time in sight."""
        known = self._noticed.get(vehicle)
        if known is None:
            two = self._world.vehicle_class(vehicle) in TWO_WHEELERS
            share = self._settings.missed_two_wheelers if two else self._settings.missed
            known = self._noticed[vehicle] = draw(self._seed, self._intersection.id, vehicle, "seen") >= share
        return known
