"""The World: the calls that the loop makes to an engine, which is SUMO or a model without SUMO.

The clock counts whole simulation steps from the scenario's begin, so that rounding never moves an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from denxanh.sim.network import Network

HALTED_SPEED = 0.1  # m/s: a slower vehicle is halted (SUMO's SUMO_const_haltingSpeed)
NEAR_LINE = 60.0  # m: a vehicle this near to the stop line counts as queued in max-pressure and for learners
QUEUE_SPACING = 7.5  # m of a queue that SUMO's default car takes: length 5 m and minimum gap 2.5 m


class OnLane(NamedTuple):
    """A vehicle on a lane."""

    id: str
    position: float  # m from the lane's start to its front
    speed: float  # m/s
    wait: float  # s it has been standing
    space: float  # m: its length and minimum gap
    # it stands at a stop of its own (a bus stop, a parking place): no demand, and no queue
    stopped: bool = False


class Standing(NamedTuple):
    """A halted vehicle on a lane that is not at a stop of its own."""

    id: str
    position: float  # m from the lane's start to its front
    space: float  # m: its length and minimum gap


class Delay(NamedTuple):
    """Delay until an instant: lost time of all inserted vehicles, and waiting of all that are due and not inserted."""

    seconds: float  # s, summed over the vehicles
    vehicles: int  # that were due to depart until then


class Pedestrian(NamedTuple):
    """A pedestrian on a walking area."""

    bound_for: str  # the next edge of the route
    wait: float  # s standing


class PriorityVehicle(NamedTuple):
    """A vehicle of PRIORITY_CLASSES and the rest of its route."""

    id: str
    vclass: str  # SUMO's vehicle class
    position: float  # m from the start of its edge to its front; 0 while it crosses the junction before it
    speed: float  # m/s
    edges: tuple[str, ...]  # from its present edge to its next stop or its destination


PRIORITY_CLASSES = frozenset({"army", "authority", "bus", "coach", "emergency", "tram", "vip"})
"""SUMO's vehicle classes whose vehicles may ask signals for priority."""


class Roads(Protocol):
    """Changes of a running engine by events; the second method of each pair reverts the first."""

    def close(self, lane: str) -> None:
        """Close a lane: no vehicle may enter it."""
        ...

    def open(self, lane: str) -> None:
        """Open a closed lane."""
        ...

    def weather(self, speed: float, headway: float) -> None:
        """Set factors of all speed limits and saturation headways; 1 and 1 is a dry road."""
        ...

    def switch_off(self, signal: str, state: str) -> None:
        """Show ``state`` at a signal that the engine runs."""
        ...

    def switch_on(self, signal: str) -> None:
        """Return a signal to its program."""
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
        """Show a state at a signal until the next call."""
        ...

    def shows(self, intersection: str) -> str:
        """The state that a signal shows now, read from the engine."""
        ...

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        """The vehicles on a lane, the rearmost first."""
        ...

    def next_edge(self, vehicle: str, edge: str) -> str:
        """The edge that a vehicle takes after ``edge``, "" if its route ends there or is not known."""
        ...

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        """The vehicles of PRIORITY_CLASSES in the network, by id."""
        ...

    def vehicle_class(self, vehicle: str) -> str:
        """SUMO's class of a vehicle on the road: "passenger", "motorcycle", "bus", …."""
        ...

    def halted(self, lane: str) -> int:
        """Vehicles slower than HALTED_SPEED on a lane, except those at a stop of their own."""
        ...
