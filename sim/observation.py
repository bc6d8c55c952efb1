"""What a controller sees of an intersection at one instant: its vehicles, exits, priority requests and calls.

A ``Sensing`` (denxanh.sim.sensing) makes an Observation from the world; a test makes one by hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.network import Intersection
from denxanh.sim.world import HALTED_SPEED

_T = TypeVar("_T")
Array = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Vehicles:
    """The vehicles on the approaches of one intersection, sorted by approach and distance; shape (n,)."""

    approach: Ints  # index into Intersection.approaches
    link: Ints  # link index it will take, −1 where that is not known
    distance: Array  # m from its front to the stop line
    speed: Array  # m/s
    wait: Array  # s it has been standing
    length: Array  # m with its minimum gap: the room it takes in a queue
    id: tuple[str, ...] = ()

    @staticmethod
    def none() -> Vehicles:
        """No vehicle; always the same object."""
        return _NO_VEHICLES

    def sealed(self) -> Vehicles:
        """The same with read-only arrays."""
        for name in ("approach", "link", "distance", "speed", "wait", "length"):
            _seal(self, name)
        return self


@dataclass(frozen=True)
class Request:
    """A request for priority of a vehicle that approaches the signal: an ambulance, a motorcade, a bus.

    The fields are those of SAE J2735's signal request message: vehicle, class, movement, distance. A bus sends
    requests only to the signals before its next stop.
    """

    vehicle: str
    vclass: str  # SUMO's vehicle class
    movement: int  # index into Intersection.movements
    distance: float  # m along its route from its front to the stop line
    speed: float  # m/s
    free: float  # s to the stop line at the speed limits of its route


def _seal(described: object, name: str) -> None:
    """Make an array read-only; a view becomes a copy, since the array behind it is writable."""
    array = vars(described)[name]
    if array.flags.writeable:
        if array.base is not None:
            vars(described)[name] = array = array.copy()
        array.setflags(write=False)


_NO_VEHICLES = Vehicles(
    np.zeros(0, dtype=np.int64),
    np.zeros(0, dtype=np.int64),
    np.zeros(0),
    np.zeros(0),
    np.zeros(0),
    np.zeros(0),
).sealed()


def _no_neighbours(_: str) -> Observation:
    raise LookupError("this observation was made by hand and has no neighbours")


@dataclass(frozen=True)
class Observation:
    """One intersection at one instant. Fields outside the controller's ``sees`` stay empty."""

    intersection: Intersection
    time: float  # s, the scenario's clock
    phase: int  # index of the phase that is green now
    elapsed: float  # s it has been green
    vehicles: Vehicles = _NO_VEHICLES
    exit_count: Array = field(default_factory=lambda: np.zeros(0))  # (exits,) vehicles
    exit_halted: Array = field(default_factory=lambda: np.zeros(0))  # (exits,) halted vehicles
    exit_room: Array = field(default_factory=lambda: np.zeros(0))  # (exits,) m free of vehicles
    red: Array = field(default_factory=lambda: np.zeros(0))  # (n_links,) s since the link was last green
    requests: tuple[Request, ...] = ()  # by vehicle id
    calls: Array = field(default_factory=lambda: np.zeros(0))
    """(n_links,) s since the pedestrian call of a crossing, 0 without one; (0,) where the demand has no pedestrians."""
    step: float = 1.0  # s, of the world: answers are multiples of it
    range_m: float = math.inf  # m before the stop line within which vehicles are seen
    elsewhere: Callable[[str], Observation] = field(default=_no_neighbours, repr=False, compare=False)
    onward: Callable[[str, str], str] | None = field(default=None, repr=False, compare=False)
    """(vehicle, edge) → the next edge of its route, "" where the route ends; None where routes are not sensed."""

    @property
    def minimum_left(self) -> float:
        """What is left of the present phase's minimum green, in whole steps, s."""
        return self.whole(self.intersection.phases[self.phase].min_green - self.elapsed)

    def least_green(self, phase: int) -> float:
        """The minimum green of a phase in whole steps, at least one step, s."""
        return max(self.step, self.whole(self.intersection.phases[phase].min_green))

    def whole(self, seconds: float) -> float:
        """``seconds`` rounded up to whole steps, s; 0 for a negative time."""
        return max(0.0, math.ceil(seconds / self.step - 1e-6) * self.step)

    def halted(self, slower_than: float = HALTED_SPEED) -> Array:
        """Vehicles slower than ``slower_than`` m/s by approach, shape (approaches,)."""
        return self.count(self.vehicles.speed < slower_than)

    def count(self, among: NDArray[np.bool_] | None = None) -> Array:
        """Vehicles by approach, shape (approaches,); the mask ``among`` (n,) selects some."""
        chosen = self.vehicles.approach if among is None else self.vehicles.approach[among]
        return np.bincount(chosen, minlength=len(self.intersection.approaches)).astype(np.float64)

    def sealed(self, intersection: Intersection, calls: Array | None = None) -> Observation:
        """The observation with read-only arrays, of ``intersection``, and with these ``calls`` where they are given."""
        twin = object.__new__(type(self))  # a tenth of the time of dataclasses.replace
        parts = vars(twin)
        parts.update(vars(self), intersection=intersection)
        if calls is not None:
            parts["calls"] = calls
        self.vehicles.sealed()
        for name in ("exit_count", "exit_halted", "exit_room", "red", "calls"):
            _seal(twin, name)
        return twin

    def count_by_link(self, among: NDArray[np.bool_] | None = None) -> Array:
        """Vehicles by the link they will take, shape (n_links,)."""
        link = self.vehicles.link if among is None else self.vehicles.link[among]
        return np.bincount(link[link >= 0], minlength=self.intersection.n_links).astype(np.float64)
