"""The one place where a World becomes an Observation: what a controller sees is what its sensing gives.

``Ideal`` is the truth: every vehicle within ``range_m`` of the stop line, with the link that it will take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.network import Approach, Intersection
from sim.protocol import Array, Observation, Vehicles
from sim.world import OnLane, World

RANGE = 200.0  # m; beyond it the arrival time says little about the next decision


@dataclass(frozen=True)
class Shown:
    """What the loop itself knows of a signal: the green phase, for how long, and each link's red time."""

    phase: int
    elapsed: float  # s
    red: Array  # (n_links,) s


@dataclass(frozen=True)
class Ideal:
    """Every vehicle within range, its speed, waiting time and next link, without error or delay."""

    range_m: float = RANGE

    def observe(
        self,
        world: World,
        where: Intersection,
        shown: Shown,
        sees: frozenset[str],
        elsewhere: Callable[[str], Observation],
    ) -> Observation:
        """The observation of one intersection now; fields outside ``sees`` stay empty."""
        exits = [world.on_lane(lane) for lane in where.exits] if "exits" in sees else []
        return Observation(
            where=where,
            time=world.begin + world.steps * world.step,
            phase=shown.phase,
            elapsed=shown.elapsed,
            vehicles=self._vehicles(world, where) if "vehicles" in sees else Vehicles.none(),
            exit_count=np.array([len(lane) for lane in exits], dtype=np.float64),
            exit_halted=np.array([sum(v.speed < 0.1 for v in lane) for lane in exits], dtype=np.float64),
            exit_room=np.array(
                [
                    world.network.lanes[name].length - sum(v.space for v in lane)
                    for name, lane in zip(where.exits, exits, strict=bool(exits))
                ]
                if exits
                else [],
                dtype=np.float64,
            ),
            red=shown.red,
            step=world.step,
            elsewhere=elsewhere,
        )

    def _vehicles(self, world: World, where: Intersection) -> Vehicles:
        finder = _Finder(world, where)
        rows = []
        done = set()
        for number, approach in enumerate(where.approaches):
            for segment in approach.segments:
                if segment.beyond > self.range_m or segment.lane in done:
                    continue
                done.add(segment.lane)
                length = world.network.lanes[segment.lane].length
                for vehicle in world.on_lane(segment.lane):
                    own = number if segment.beyond == 0.0 else -1
                    found = finder.find(vehicle, segment.lane, own)
                    if found is None:
                        continue
                    chosen, link, beyond = found
                    distance = beyond + length - vehicle.position
                    if distance <= self.range_m:
                        rows.append((chosen, distance, link, vehicle))
        rows.sort(key=lambda row: (row[0], row[1], row[3].id))
        if not rows:
            return Vehicles.none()
        return Vehicles(
            approach=np.array([row[0] for row in rows], dtype=np.int64),
            link=np.array([row[2] for row in rows], dtype=np.int64),
            distance=np.array([row[1] for row in rows]),
            speed=np.array([row[3].speed for row in rows]),
            wait=np.array([row[3].wait for row in rows]),
            length=np.array([row[3].space for row in rows]),
            id=tuple(row[3].id for row in rows),
        )


class _Finder:
    """Which approach and link a vehicle upstream of a junction is bound for."""

    def __init__(self, world: World, where: Intersection) -> None:
        self.world = world
        self.where = where
        self.edge_of = [world.network.lanes[a.lane].edge for a in where.approaches]
        self.beyond: dict[str, dict[int, float]] = {}
        for i, approach in enumerate(where.approaches):
            for segment in approach.segments:
                self.beyond.setdefault(segment.lane, {})[i] = segment.beyond
        self.targets = [self._targets(approach) for approach in where.approaches]

    def _targets(self, approach: Approach) -> dict[str, int]:
        lanes = self.world.network.lanes
        return {
            lanes[link.end].edge: link.index
            for link in reversed(self.where.links)
            if link.start == approach.lane and link.end in lanes
        }

    def find(self, vehicle: OnLane, lane: str, own: int) -> tuple[int, int, float] | None:
        """(approach, link or −1, m from the lane's end to the stop line), or None if it does not come here.

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
