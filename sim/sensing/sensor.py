"""The protocols of sensing: a frozen description, and for each run a sensor that makes Observations from the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from denxanh.sim.controller import Array, Observation
from denxanh.sim.network import Intersection
from denxanh.sim.world import World

RANGE = 200.0  # m; beyond it the arrival time says little about the next decision
TWO_WHEELERS = frozenset({"motorcycle", "moped", "bicycle", "scooter"})  # SUMO vehicle classes


@dataclass(frozen=True)
class Shown:
    """The state of a signal as the loop has it: the green phase, its elapsed time, and each link's red time."""

    phase: int
    elapsed: float  # s
    red: Array  # (n_links,) s


class Sensor(Protocol):
    """The sensing of one run: makes observations from the present state of the world."""

    every_step: bool
    """Whether ``sample`` must be called after each step, since detectors work between questions."""

    def sample(self) -> None:
        """Process the step that the world has just made."""
        ...

    def fail(self, intersection: str, failed: bool) -> None:
        """Let the detectors of an intersection fail from now on, or work again."""
        ...

    def observe(
        self, intersection: Intersection, shown: Shown, elsewhere: Callable[[str], Observation]
    ) -> Observation:
        """The observation of one intersection now."""
        ...


class Sensing(Protocol):
    """A frozen description of a sensing."""

    name: ClassVar[str]

    def start(self, world: World, sees: frozenset[str], seed: int = 0) -> Sensor:
        """A sensor for one run; fields outside ``sees`` stay empty. ``seed`` draws its errors."""
        ...
