"""Riders of two-wheelers who start before green: a share of those that stand disregards the last seconds of red.

SUMO has no attribute of a vehicle type for it. It has a speed mode of a vehicle (TraCI, Change Vehicle State, "speed
mode"), in which it still follows the vehicle ahead and gives way to foes, but does not stop at a red light.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Protocol

from denxanh.sim.network import GREEN, Intersection
from denxanh.sim.simulation import Process, Simulation
from denxanh.sim.sumo.riders import TWO_WHEELERS, Riders
from denxanh.sim.world import HALTED_SPEED, World


class Street(World, Protocol):
    """A world in which vehicles can disregard red lights."""

    def ignore_red(self, vehicles: Collection[str], ignore: bool) -> None:
        """Let vehicles pass red lights, or obey them again; those that have left the network are passed over."""
        ...

    def upcoming(self, intersection: str) -> tuple[float, str]:
        """The s until the engine's own program switches a signal, and the state that follows."""
        ...


class EarlyStarts:
    """Lets riders start before green at the signals of a simulation, whether a policy controls them or SUMO.

    ``riders.early_start`` seconds before a green, but not before the last interval of the change to it (the all-red,
    where there is one), the share ``riders.early_share`` of the two-wheelers that stand on a lane about to get green
    may enter. Who belongs to the share depends on the vehicle's id and ``seed`` only, so that a rider starts early at
    every signal or at none.
    """

    def __init__(self, simulation: Simulation, world: Street, riders: Riders, seed: int) -> None:
        self._simulation = simulation
        self._world = world
        self._steps = round(riders.early_start / world.step)
        self._share = riders.early_share
        self._seed = seed
        self._left = [i for name, i in world.network.intersections.items() if name not in simulation.signals]
        # the step of the switch that was last seen coming, of signals that SUMO runs
        self._until: dict[str, int] = {}

    def start(self) -> None:
        """Join the simulation."""
        self._simulation.on_change.append(self._expect)
        if self._left:
            self._simulation.every(self._world.step, self._look_ahead)

    def _expect(self, intersection: Intersection, phase: int, intervals: Sequence[int]) -> None:
        """Expect a green after ``intervals`` (steps), which begin now."""
        if intervals and self._steps:
            early = min(self._steps, intervals[-1])
            state = intersection.phases[phase].state
            self._simulation.env.process(self._let_start(intersection, state, sum(intervals) - early, early))

    def _look_ahead(self) -> None:
        """Look whether signals that SUMO runs are about to switch."""
        now = int(self._simulation.env.now)
        for intersection in self._left:
            seconds, state = self._world.upcoming(intersection.id)
            left = round(seconds / self._world.step)
            if 0 < left <= self._steps and self._until.get(intersection.id) != now + left:
                self._until[intersection.id] = now + left
                self._simulation.env.process(self._let_start(intersection, state, 0, left))

    def _let_start(self, intersection: Intersection, state: str, pause: int, early: int) -> Process:
        """After ``pause`` steps let those start whom ``state``, ``early`` steps later, lets go."""
        yield self._simulation.env.timeout(pause)
        if starting := list(self._starting(intersection, state)):
            self._world.ignore_red(starting, True)
            yield self._simulation.env.timeout(early)
            self._world.ignore_red(starting, False)

    def _starting(self, intersection: Intersection, after: str) -> Iterator[str]:
        """The two-wheelers of the share that stand before a red light which the state ``after`` turns green."""
        world = self._world
        shown = world.shows(intersection.id)
        ways: dict[str, set[str]] = {}  # the edges that the links about to get green lead to, by lane
        for link in intersection.links:
            if not link.crossing and shown[link.index] in "ru" and after[link.index] in GREEN:
                ways.setdefault(link.start, set()).add(_edge(link.end))
        for lane in sorted(ways):
            for one in world.on_lane(lane):
                if (
                    one.speed < HALTED_SPEED
                    and not one.stopped
                    and self._is_early(one.id)
                    and world.vehicle_class(one.id) in TWO_WHEELERS
                    and world.next_edge(one.id, _edge(lane)) in ways[lane]
                ):
                    yield one.id

    def _is_early(self, vehicle: str) -> bool:
        """Whether a vehicle belongs to the share."""
        return zlib.crc32(f"{self._seed} {vehicle}".encode()) / 2**32 < self._share


def _edge(lane: str) -> str:
    return lane.rpartition("_")[0]
