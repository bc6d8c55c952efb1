"""What a sensing is: a frozen description, and for each run a sensor that turns the world into Observations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sim.network import Intersection
from sim.protocol import Array, Observation
from sim.world import World

HALTED = 0.1  # m/s: SUMO calls a vehicle halted below it
RANGE = 200.0  # m; beyond it the arrival time says little about the next decision
TWO_WHEELERS = frozenset({"motorcycle", "moped", "bicycle", "scooter"})  # SUMO vehicle classes


@dataclass(frozen=True)
class Shown:
    """What the loop itself knows of a signal: the green phase, for how long, and each link's red time."""

    phase: int
    elapsed: float  # s
    red: Array  # (n_links,) s


class Sensor(Protocol):
    """One run's sensing: turns the world as it is now into what a controller may see of it."""

    every_step: bool
    """Whether ``sample`` must be called after each step: detectors work while nobody asks."""

    def sample(self) -> None:
        """Take in the step that the world has just done."""
        ...

    def fail(self, intersection: str, failed: bool) -> None:
        """The detectors of an intersection fail from now on, or work again."""
        ...

    def observe(
        self, where: Intersection, shown: Shown, elsewhere: Callable[[str], Observation]
    ) -> Observation:
        """The observation of one intersection now."""
        ...


class Sensing(Protocol):
    """A description of what can be sensed; frozen."""

    name: ClassVar[str]

    def start(self, world: World, sees: frozenset[str], seed: int = 0) -> Sensor:
        """A sensor for one run; fields outside ``sees`` stay empty. ``seed`` draws its errors."""
        ...
