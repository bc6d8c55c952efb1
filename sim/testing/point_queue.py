"""A world without SUMO: vertical queues at stop lines that discharge at saturation flow. For tests and teaching.

Vehicles drive at the limit to the stop line, stand there (drawn as a queue so that distances make sense),
and leave one by one while their link is green. No lane change, no spillback, no yielding.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.sim.network import (
    GREEN,
    Approach,
    Edge,
    Intersection,
    Lane,
    Link,
    Movement,
    Network,
    Phase,
    Segment,
)
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.world import HALTED_SPEED, QUEUE_SPACING, OnLane, PriorityVehicle

START_LOSS = 2.0  # s before the first waiting vehicle of a green has crossed


def corridor(
    signals: int = 1,
    *,
    length: float = 200.0,
    speed: float = 12.5,
    green: tuple[float, float] = (27.0, 27.0),
    yellow: float = 3.0,
    min_green: float = 5.0,
    saturation_flow: float = 0.5,
    flow: float = 0.1,
) -> Network:
    """A one-way street W→E with ``signals`` cross streets S→N, all of one lane; phase 0 is the street.

    Lanes are ``W_0`` (entry), ``J0J1_0`` …, ``E_0`` (exit) and ``S0_0``, ``N0_0``, …; m, m/s, s, veh/s.
    ``flow`` is noted as the expected flow of every movement.
    """
    names = [f"J{i}" for i in range(signals)]
    street = ["W", *(f"{a}{b}" for a, b in itertools.pairwise(names)), "E"]
    roads = {road: (length * (i - 0.5), 0.0) for i, road in enumerate(street)}
    roads |= {
        f"{side}{i}": (length * i, y) for i in range(signals) for side, y in (("S", -100.0), ("N", 100.0))
    }
    onward = dict(itertools.pairwise(street)) | {f"S{i}": f"N{i}" for i in range(signals)}
    lanes = {
        f"{road}_0": Lane(
            f"{road}_0",
            road,
            length,
            speed,
            (at, at),
            (f"{onward[road]}_0",) if road in onward else (),
            True,
            frozenset(),
        )
        for road, at in roads.items()
    }
    edges = {
        road: Edge(road, "", f"from {road}", f"to {road}", (f"{road}_0",), length, speed, 0, (at, at))
        for road, at in roads.items()
    }
    timing = Timing(
        (
            Stage("Gr", green[0], (Interval("yr", yellow),)),
            Stage("rG", green[1], (Interval("ry", yellow),)),
        )
    )
    crossing = np.array([[False, True], [True, False]])
    intersections = {}
    for i, name in enumerate(names):
        ways = ((street[i], street[i + 1]), (f"S{i}", f"N{i}"))
        intersections[name] = Intersection(
            id=name,
            name=name,
            position=(length * i, 0.0),
            junctions=(name,),
            links=tuple(
                Link(k, f"{a}_0", f"{b}_0", "", "s", 0.0, speed, crossing=False)
                for k, (a, b) in enumerate(ways)
            ),
            n_links=2,
            approaches=tuple(
                Approach(f"{a}_0", (k,), speed, length, (Segment(f"{a}_0", 0.0, 1.0),), saturation_flow)
                for k, (a, _) in enumerate(ways)
            ),
            exits=tuple(f"{b}_0" for _, b in ways),
            movements=tuple(
                Movement(f"{a}>{b}", a, b, "s", (k,), (k,), (k,), saturation_flow, flow)
                for k, (a, b) in enumerate(ways)
            ),
            phases=tuple(
                Phase(k, stage.state, "WE"[k], min_green, math.inf) for k, stage in enumerate(timing.stages)
            ),
            program=timing,
            program_id="0",
            yellow=yellow,
            all_red=0.0,
            foes=crossing,
            yields=np.zeros((2, 2), dtype=np.bool_),
        )
    links = tuple(link for intersection in intersections.values() for link in intersection.links)
    return Network("corridor", edges, lanes, intersections, {}, links)


def steady(lane: str, flow: float, end: float) -> dict[str, list[float]]:
    """Arrivals at even headways of 1/``flow`` (veh/s) on a lane until ``end`` (s)."""
    return {lane: [(k + 0.5) / flow for k in range(int(end * flow))]}


@dataclass
class _Vehicle:
    name: str
    due: float  # s after begin: when it reaches the stop line on free road
    since: float = math.inf  # s after begin: when it came to a stand


class PointQueueWorld:
    """Vertical queues (a World). ``arrivals``: by lane, the times (s after begin) at which vehicles enter it.

    Every lane leads to its first link, or out of the network. The i-th vehicle of a lane is named "LANE.i";
    ``classes`` are the vehicle classes of those that may ask for priority. ``waited`` sums the delay of all vehicles so
    far in veh·s, ``left`` counts those that left the network, ``shown`` lists (time, intersection, state).
    """

    def __init__(
        self,
        network: Network,
        arrivals: Mapping[str, Sequence[float]],
        *,
        begin: float = 0.0,
        step: float = 1.0,
        classes: Mapping[str, str] = {},
    ) -> None:
        self.network = network
        self.begin = begin
        self.step = step
        self.steps = 0
        self.classes = classes
        self.waited = 0.0
        self.left = 0
        self.shown: list[tuple[float, str, str]] = []
        self._link = {
            x.start: (tl, x)
            for tl, intersection in network.intersections.items()
            for x in reversed(intersection.links)
        }
        self._flow = {a.lane: a.saturation_flow for w in network.intersections.values() for a in w.approaches}
        self._state = {tl: "r" * intersection.n_links for tl, intersection in network.intersections.items()}
        self._ready = dict.fromkeys(self._link, 0.0)  # s: when the lane's next vehicle may cross
        self._lanes: dict[str, deque[_Vehicle]] = {lane: deque() for lane in network.lanes}
        self._coming = sorted(
            ((time, lane, i) for lane, times in arrivals.items() for i, time in enumerate(times)),
            reverse=True,
        )

    def advance(self, steps: int) -> None:
        """Run until ``steps`` steps since begin are done."""
        while self.steps < steps:
            self._advance(self.steps * self.step)
            self.steps += 1

    def _advance(self, now: float) -> None:
        end = now + self.step
        while self._coming and self._coming[-1][0] < end:
            time, lane, number = self._coming.pop()
            self._enter(lane, f"{lane}.{number}", time)
        for lane in sorted(self._lanes):
            queue = self._lanes[lane]
            if lane not in self._link:
                while queue and queue[0].due <= end:
                    queue.popleft()
                    self.left += 1
                continue
            signal, link = self._link[lane]
            green = self._state[signal][link.index] in GREEN
            while queue and green:
                crosses = max(self._ready[lane], queue[0].due)
                if crosses >= end:
                    break
                vehicle = queue.popleft()
                self._ready[lane] = crosses + 1.0 / self._flow[lane]
                self._enter(link.end, vehicle.name, crosses)
                for other in queue:  # who waits moves up
                    other.since = crosses if other.due <= crosses else math.inf
            for vehicle in queue:
                if vehicle.due < end:
                    if math.isinf(vehicle.since):
                        vehicle.since = vehicle.due
                    self.waited += min(end - vehicle.due, self.step)

    def _enter(self, lane: str, name: str, time: float) -> None:
        road = self.network.lanes[lane]
        self._lanes[lane].append(_Vehicle(name, time + road.length / road.speed))

    def show(self, intersection: str, state: str) -> None:
        """Let a signal show a state; a green that starts on a queue loses START_LOSS first."""
        now = self.steps * self.step
        before, self._state[intersection] = self._state[intersection], state
        self.shown.append((self.begin + now, intersection, state))
        for link in self.network.intersections[intersection].links:
            if state[link.index] in GREEN and before[link.index] not in GREEN:
                queue = self._lanes[link.start]
                held = bool(queue) and queue[0].since < now
                self._ready[link.start] = max(self._ready[link.start], now + START_LOSS * held)

    def shows(self, intersection: str) -> str:
        """The state that a signal shows now."""
        return self._state[intersection]

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        """The vehicles on a lane, the rearmost first; those that wait are drawn one behind the other."""
        now, road = self.steps * self.step, self.network.lanes[lane]
        out = []
        for rank, vehicle in enumerate(self._lanes[lane]):
            stop = max(road.length - rank * QUEUE_SPACING, 0.0)
            at = min(road.length - (vehicle.due - now) * road.speed, stop)
            standing = at >= stop and vehicle.due < now
            wait = max(now - vehicle.since, 0.0) if standing else 0.0
            out.append(
                OnLane(vehicle.name, max(at, 0.0), 0.0 if standing else road.speed, wait, QUEUE_SPACING)
            )
        return out[::-1]

    def next_edge(self, vehicle: str, edge: str) -> str:
        """The edge after ``edge``: every lane leads to its first link."""
        for lane in self.network.edges[edge].lanes:
            if lane in self._link:
                return self.network.lanes[self._link[lane][1].end].edge
        return ""

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        """The vehicles named in ``classes`` that are on their way."""
        out = []
        for lane, queue in self._lanes.items():
            if any(vehicle.name in self.classes for vehicle in queue):
                way = [self.network.lanes[lane].edge]
                while onward := self.next_edge("", way[-1]):
                    way.append(onward)
                out += [
                    PriorityVehicle(v.id, self.classes[v.id], v.position, v.speed, tuple(way))
                    for v in self.on_lane(lane)
                    if v.id in self.classes
                ]
        return sorted(out)

    def vehicle_class(self, vehicle: str) -> str:
        """All are cars."""
        return "passenger"

    def halted(self, lane: str) -> int:
        """Vehicles that stand on a lane."""
        return sum(vehicle.speed < HALTED_SPEED for vehicle in self.on_lane(lane))
