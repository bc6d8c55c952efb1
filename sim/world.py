"""The seam: all that the loop may ask of an engine, be it SUMO or a model without SUMO.

The clock counts whole simulation steps from the scenario's begin, so that no rounding ever moves an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sim.network import Network


class OnLane(NamedTuple):
    """A vehicle on a lane."""

    id: str
    position: float  # m from the lane's start to its front
    speed: float  # m/s
    wait: float  # s it has stood without moving
    space: float  # m: its length and minimum gap


class OnFoot(NamedTuple):
    """Somebody on a walking area."""

    bound_for: str  # the edge that comes next on the way
    wait: float  # s of standing


class Bound(NamedTuple):
    """A vehicle of one of the classes that signals may serve first, and where it is bound for."""

    id: str
    vclass: str  # SUMO's vehicle class
    position: float  # m from the start of its edge to its front; 0 while it crosses the junction before it
    speed: float  # m/s
    edges: tuple[str, ...]  # its way, from the edge it is on to its next stop or its destination


PRIORITY_CLASSES = frozenset({"army", "authority", "bus", "coach", "emergency", "tram", "vip"})
"""SUMO's vehicle classes whose vehicles may ask signals for priority."""


class Roads(Protocol):
    """What events may change in an engine that has it; all of it is undone by the second of each pair."""

    def close(self, lane: str) -> None:
        """Nobody may enter a lane."""
        ...

    def open(self, lane: str) -> None:
        """It is open as before."""
        ...

    def weather(self, speed: float, headway: float) -> None:
        """Factors of all speed limits and saturation headways; 1 and 1 is a dry road."""
        ...

    def switch_off(self, signal: str, state: str) -> None:
        """Show ``state`` at a signal that the engine runs itself."""
        ...

    def switch_on(self, signal: str) -> None:
        """Give it back to its program."""
        ...


class World(Protocol):
    """An engine with its own clock. ``show`` holds from the next step on."""

    network: Network
    begin: float  # s
    step: float  # s that one step takes
    steps: int  # steps done since begin

    def advance(self, steps: int) -> None:
        """Run until ``steps`` steps since begin are done."""
        ...

    def show(self, intersection: str, state: str) -> None:
        """Let a signal show a state until further notice."""
        ...

    def shows(self, intersection: str) -> str:
        """The state that a signal shows now, as the engine itself has it."""
        ...

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        """The vehicles on a lane, the rearmost first."""
        ...

    def next_edge(self, vehicle: str, edge: str) -> str:
        """The edge that a vehicle takes after ``edge``, "" if its route ends there or is not known."""
        ...

    def bound(self) -> Sequence[Bound]:
        """The vehicles of PRIORITY_CLASSES that are on their way, by id."""
        ...

    def vehicle_class(self, vehicle: str) -> str:
        """SUMO's class of a vehicle on the road: "passenger", "motorcycle", "bus", …."""
        ...

    def halted(self, lane: str) -> int:
        """Vehicles slower than 0.1 m/s on a lane."""
        ...
