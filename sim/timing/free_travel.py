"""Travel without other traffic: at the speed that a driver wants, slower in turns, never held by a signal."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from denxanh.sim.network import Network
from denxanh.sim.timing.saturation import DAWDLE


def dawdled(sigma: float, accel: float, step: float) -> float:
    """What drivers stay below the wanted speed on average, m/s: the ``DAWDLE`` of other vehicles than SUMO's car.

    In each step of ``step`` s SUMO takes between 0 and ``sigma`` times what an acceleration of ``accel`` m/s² gives.
    """
    return sigma * accel * step / 2


@dataclass(frozen=True)
class Driver:
    """How a vehicle drives where it is free to; the defaults are SUMO's car."""

    speed_factor: float = 1.0  # of the limits
    max_speed: float = 55.55  # m/s
    accel: float = 2.6  # m/s²
    decel: float = 4.5  # m/s²
    dawdle: float = DAWDLE  # m/s below the speed wanted, on average: see ``dawdled``

    def speed(self, limit: float) -> float:
        """Mean speed under a limit, m/s: what the driver dawdles is no delay by a signal."""
        return max(min(limit * self.speed_factor, self.max_speed) - self.dawdle, 0.1)


class FreeTravel:
    """Undelayed travel times on one network."""

    def __init__(self, network: Network) -> None:
        self._edges = network.edges
        # (m, m/s) of the longest way over the junction
        self._turns: dict[tuple[str, str], tuple[float, float]] = {}
        self._next: dict[str, set[str]] = {}
        for link in network.all_links:
            if link.start in network.lanes and link.end in network.lanes:
                pair = network.lanes[link.start].edge, network.lanes[link.end].edge
                self._turns[pair] = max(self._turns.get(pair, (0.0, 0.0)), (link.length, link.turn_speed))
                self._next.setdefault(pair[0], set()).add(pair[1])
        self._paths: dict[tuple[str, str], tuple[str, ...] | None] = {}

    def seconds(self, edges: Sequence[str], driver: Driver = Driver(), *, start: float = 0.0) -> float:
        """Time along consecutive ``edges`` from ``start`` m on the first one to the end of the last one, s."""
        rows = [self._edges[edge] for edge in edges]
        speeds = [driver.speed(row.speed) for row in rows]
        total = -start / speeds[0] if speeds else 0.0
        total += sum([row.length / speed for row, speed in zip(rows, speeds, strict=True)])
        turns = zip(itertools.pairwise(edges), itertools.pairwise(speeds), strict=True)
        return total + sum([self._turn_seconds(way, *around, driver) for way, around in turns])

    def turn_seconds(self, start: str, end: str, driver: Driver = Driver()) -> float:
        """Time over the junction from one edge to the next, s; with what slowing down and speeding up for it cost.

        0 where no connection is known.
        """
        if (start, end) not in self._turns:
            return 0.0
        before, after = (driver.speed(self._edges[edge].speed) for edge in (start, end))
        return self._turn_seconds((start, end), before, after, driver)

    def _turn_seconds(self, way: tuple[str, str], before: float, after: float, driver: Driver) -> float:
        """The same with the driver's speeds on the two edges, m/s."""
        length, limit = self._turns.get(way, (0.0, 0.0))
        if length <= 0:
            return 0.0
        turn = driver.speed(limit)
        slowed = max(before - turn, 0.0) ** 2 / (2 * before * driver.decel)
        return length / turn + slowed + lost_by_speeding_up(turn, after, driver.accel)

    def path(self, first: str, last: str) -> tuple[str, ...] | None:
        """The quickest consecutive edges from ``first`` to ``last``, both included; None if there are none."""
        if (first, last) not in self._paths:
            self._paths[first, last] = self._search(first, last)
        return self._paths[first, last]

    def _search(self, first: str, last: str) -> tuple[str, ...] | None:
        ahead: list[tuple[float, tuple[str, ...]]] = [(0.0, (first,))]
        seen: set[str] = set()
        while ahead:
            time, path = heapq.heappop(ahead)
            if path[-1] == last:
                return path
            if path[-1] in seen:
                continue
            seen.add(path[-1])
            for edge in sorted(self._next.get(path[-1], set()) - seen):
                heapq.heappush(
                    ahead, (time + self._edges[edge].length / self._edges[edge].speed, (*path, edge))
                )
        return None


def lost_by_speeding_up(speed: float, wanted: float, accel: float) -> float:
    """What a vehicle at ``speed`` loses until it drives at ``wanted`` (m/s), s."""
    return max(wanted - speed, 0.0) ** 2 / (2 * wanted * accel)


def longest_free_travel(network: Network, routes: Iterable[tuple[Sequence[str], Driver]]) -> float:
    """Undelayed travel time of the longest of the routes, s: when an empty network is filled at the earliest.

    ``routes`` are edges with how a vehicle drives along them.
    """
    travel = FreeTravel(network)
    return max((travel.seconds(route, driver) for route, driver in routes), default=0.0)
