"""Passages: each vehicle's way from one signal to past the next one, and what it would have taken without delay.

A passage begins where the one before has ended, just past the junction of the last signal, or where the vehicle
departs; it ends just past the junction of its own signal. So all that a vehicle loses up to its last signal is in
exactly one passage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.network import Network
from denxanh.sim.sumo.passage_loops import Crossings
from denxanh.sim.timing.free_travel import Driver, FreeTravel, lost_by_speeding_up

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Departure:
    """Where and when a vehicle entered the network, and how it drives."""

    time: float  # s
    wait: float  # s before it could enter
    edge: str
    position: float  # m
    driver: Driver


class Remaining(NamedTuple):
    """A vehicle that is in front of a stop line, or on the junction behind it, at the end of a run."""

    vehicle: str
    lane: str  # stop-line lane
    after: str  # the edge it takes next
    position: float  # m from the begin of the lane to its front; the lane's length on the junction


@dataclass(frozen=True)
class Passages:
    """One row per passage, shape (n,), in the order of their ends; unfinished ones come last. Times s."""

    vehicle: tuple[str, ...]
    start_edge: tuple[str, ...]  # of the movement
    end_edge: tuple[str, ...]
    lane: tuple[str, ...]  # stop-line lane
    begin: Array  # entered this passage; the wait before a departure lies before it
    arrival: Array  # when the vehicle would have come to the stop line without delay
    stop_line: Array  # when it crossed the stop line, inf if it has not
    end: Array  # when it was past the junction, inf if it is not
    delay: Array  # control delay, s; so far, for those who are not past the junction

    def __len__(self) -> int:
        return len(self.vehicle)

    def take(self, rows: Sequence[int]) -> Passages:
        """The passages of these numbers."""
        texts = (self.vehicle, self.start_edge, self.end_edge, self.lane)
        vehicle, start, end, lane = (tuple(text[k] for k in rows) for text in texts)
        which = np.asarray(rows, dtype=np.int64)
        numbers = (self.begin, self.arrival, self.stop_line, self.end, self.delay)
        return Passages(vehicle, start, end, lane, *(number[which] for number in numbers))


@dataclass
class _Way:
    """A vehicle between two signals."""

    time: float
    edge: str
    position: float
    wait: float = 0.0
    owed: float = 0.0  # s that speeding up costs it yet, which the passage before has in its delay
    stop_line: tuple[float, str] | None = None  # s, lane


def passages(
    network: Network,
    crossings: Crossings,
    departures: Mapping[str, Departure],
    remaining: Sequence[Remaining] = (),
    *,
    end: float,
) -> Passages:
    """The passages of all vehicles. ``remaining`` are those who have not passed their signal's junction at ``end`` s.

    Control delay is the time of the passage less the undelayed one, with the wait before a departure, and with what
    speeding up to the wanted speed costs after the junction. A vehicle that crosses a junction on a way that no
    signal drives begins anew.
    """
    travel = FreeTravel(network)
    ways = {name: _Way(one.time, one.edge, one.position, one.wait) for name, one in departures.items()}
    texts: list[tuple[str, str, str, str]] = []  # the first columns of Passages
    numbers: list[tuple[float, float, float, float, float]] = []  # and the others

    def row(
        name: str,
        way: _Way,
        lane: str,
        after: str,
        stop: float,
        past: float,
        speed: float,
        to_go: float = 0.0,
    ) -> float:
        driver, before = departures[name].driver, network.lanes[lane].edge
        path = travel.path(way.edge, before) or (before,)
        free = travel.seconds(path, driver, start=way.position)
        owed = lost_by_speeding_up(speed, driver.speed(network.edges[after].speed), driver.accel)
        turn = travel.turn_seconds(before, after, driver)
        spent = min(past, end) - way.time - way.owed
        if past < np.inf:
            delay = way.wait + spent - free - turn + owed
        else:  # less than the whole way is behind it: ``to_go`` m to the stop line, or a part of the junction
            ahead = to_go / driver.speed(network.edges[before].speed)
            crossed = min(end - stop, turn) if stop < np.inf else 0.0
            delay = max(way.wait + spent - (free - ahead) - crossed, way.wait)
        texts.append((name, before, after, lane))
        numbers.append((way.time, way.time + way.owed + free, stop, past, delay))
        return owed

    for name, lane, beyond, time, speed in zip(
        crossings.vehicle, crossings.lane, crossings.beyond, crossings.time, crossings.speed, strict=True
    ):
        if name not in ways:
            continue
        way = ways[name]
        if not beyond:
            way.stop_line = float(time), lane
            continue
        after, owed = network.lanes[lane].edge, 0.0
        if way.stop_line is not None:
            stop, before = way.stop_line
            owed = row(name, way, before, after, stop, float(time), float(speed))
        ways[name] = _Way(float(time), after, 0.0, owed=owed)
    for name, lane, after, position in remaining:
        if name in ways and after in network.edges:
            way = ways[name]
            stop = way.stop_line[0] if way.stop_line else np.inf
            row(name, way, lane, after, stop, np.inf, 0.0, network.lanes[lane].length - position)
    vehicles, starts, ends, lanes = (tuple(text[k] for text in texts) for k in range(4))
    begin, arrival, stop_line, finish, delays = np.array(numbers, dtype=np.float64).reshape(-1, 5).T
    return Passages(vehicles, starts, ends, lanes, begin, arrival, stop_line, finish, delays)
