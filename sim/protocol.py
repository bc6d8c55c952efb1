"""The question and its answer: what a controller sees, and what it may say.

A controller is a frozen description; ``start`` gives one run's memory: a policy, a plain callable, for each
intersection it wants to control. A policy answers an Observation with ``Green(phase, seconds)``: show this
phase, and ask me again when it has been green for so long from now on. Who controls the whole network shares
memory between its policies and looks at the others through ``seen.elsewhere``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sim.network import Intersection, Network

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

SENSES = frozenset({"vehicles", "exits", "flow", "requests"})
"""What a controller may ask to see: vehicles on the approaches, exit lanes, the expected demand, requests."""


@dataclass(frozen=True)
class Green:
    """Show ``phase`` and ask again after ``seconds`` of it (counted from now if it is green already)."""

    phase: int
    seconds: float


@dataclass(frozen=True)
class Vehicles:
    """The vehicles on the approaches of one intersection, sorted by approach and distance; shape (n,)."""

    approach: Ints  # index into Intersection.approaches
    link: Ints  # link index it will take, −1 where that is not known
    distance: Array  # m from its front to the stop line
    speed: Array  # m/s
    wait: Array  # s it has stood without moving
    length: Array  # m with its minimum gap: the room it takes in a queue
    id: tuple[str, ...] = ()

    @staticmethod
    def none() -> Vehicles:
        """No vehicle."""
        whole, real = np.zeros(0, dtype=np.int64), np.zeros(0)
        return Vehicles(whole, whole, real, real, real, real)


@dataclass(frozen=True)
class Request:
    """A vehicle on its way to the signal that may ask for priority: an ambulance, a motorcade, a bus.

    It says what SAE J2735's signal request message says: who, what kind, by which movement, how far.
    A bus asks only for the signals before its next stop.
    """

    vehicle: str
    vclass: str  # SUMO's vehicle class
    movement: int  # index into Intersection.movements
    distance: float  # m along its route from its front to the stop line
    speed: float  # m/s
    free: float  # s to the stop line at the speed limits of its way


_NOBODY = Vehicles.none()


def _nowhere(_: str) -> Observation:
    raise LookupError("this observation was made by hand and has no neighbours")


@dataclass(frozen=True)
class Observation:
    """What one intersection looks like at one instant. Fields a controller did not ask for stay empty."""

    where: Intersection
    time: float  # s, the scenario's clock
    phase: int  # index of the phase that is green now
    elapsed: float  # s it has been green
    vehicles: Vehicles = _NOBODY
    exit_count: Array = field(default_factory=lambda: np.zeros(0))  # (exits,) vehicles
    exit_halted: Array = field(default_factory=lambda: np.zeros(0))  # (exits,) halted vehicles
    exit_room: Array = field(default_factory=lambda: np.zeros(0))  # (exits,) m not taken by a vehicle
    red: Array = field(default_factory=lambda: np.zeros(0))  # (n_links,) s since the link was last green
    requests: tuple[Request, ...] = ()  # by vehicle id
    calls: Array = field(default_factory=lambda: np.zeros(0))
    """(n_links,) s since somebody on foot pressed the button of a crossing, 0 where nobody did; (0,) without people."""
    step: float = 1.0  # s, of the world: answers are multiples of it
    elsewhere: Callable[[str], Observation] = field(default=_nowhere, repr=False, compare=False)
    onward: Callable[[str, str], str] | None = field(default=None, repr=False, compare=False)
    """The edge that a vehicle in sight takes after an edge, "" where its route ends; None: routes are not sensed."""

    @property
    def minimum_left(self) -> float:
        """For how long the present phase must stay green yet: its minimum green, in whole steps, s."""
        return self.whole(self.where.phases[self.phase].min_green - self.elapsed)

    def least_green(self, phase: int) -> float:
        """The minimum green of a phase in whole steps, at least one, s."""
        return max(self.step, self.whole(self.where.phases[phase].min_green))

    def whole(self, seconds: float) -> float:
        """A time rounded up to whole steps, s; none is negative."""
        return max(0.0, math.ceil(seconds / self.step - 1e-6) * self.step)

    def halted(self, slower_than: float = 0.1) -> Array:
        """Halted vehicles by approach, shape (approaches,); SUMO halts below 0.1 m/s."""
        return self.count(self.vehicles.speed < slower_than)

    def count(self, among: NDArray[np.bool_] | None = None) -> Array:
        """Vehicles by approach, shape (approaches,); ``among`` (n,) picks some."""
        chosen = self.vehicles.approach if among is None else self.vehicles.approach[among]
        return np.bincount(chosen, minlength=len(self.where.approaches)).astype(np.float64)

    def count_by_link(self, among: NDArray[np.bool_] | None = None) -> Array:
        """Vehicles by the link they will take, shape (n_links,)."""
        link = self.vehicles.link if among is None else self.vehicles.link[among]
        return np.bincount(link[link >= 0], minlength=self.where.n_links).astype(np.float64)


Policy = Callable[[Observation], Green]


@runtime_checkable
class Controller(Protocol):
    """A strategy: frozen parameters. ``sees`` names what its observations must hold (subset of SENSES)."""

    name: ClassVar[str]
    sees: ClassVar[frozenset[str]]

    def start(self, network: Network) -> Mapping[str, Policy]:
        """Fresh policies by intersection id; intersections left out keep the network's own plan."""
        ...


def parameters(controller: Controller) -> dict[str, Any]:
    """The parameters that determine what a controller does, by name."""
    from dataclasses import asdict, is_dataclass

    if is_dataclass(controller) and not isinstance(controller, type):
        return asdict(controller)
    return {}
