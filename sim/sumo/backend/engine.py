"""The calls that both backends of SUMO offer, libsumo and TraCI."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from denxanh.sim.sumo.backend.road_changes import SumoRoads
from denxanh.sim.sumo.outputs import Incidents
from denxanh.sim.world import Delay, OnLane, Pedestrian, PriorityVehicle, Standing


class Engine(Protocol):
    """The calls that both backends, libsumo and TraCI, offer."""

    def step_to(self, time: float) -> None:
        """Simulate up to ``time`` (s). Raises ControlError if anything but the loop has given SUMO a command."""
        ...

    def time(self) -> float:
        """SUMO's clock, s."""
        ...

    def set_state(self, signal: str, state: str) -> None:
        """Show a state."""
        ...

    def state(self, signal: str) -> str:
        """The state that is shown."""
        ...

    def on_lane(self, lane: str, *, stops: bool) -> Sequence[OnLane]:
        """Vehicles on a lane, the rearmost first; ``stops``: there may be some at a stop of their own."""
        ...

    def standing(self, lane: str, *, stops: bool) -> Sequence[Standing]:
        """The halted vehicles on a lane; ``stops``: without those at a stop of their own, if there may be some."""
        ...

    def halted(self, lane: str) -> int:
        """Halted vehicles on a lane."""
        ...

    def vehicle_class(self, vehicle: str) -> str:
        """A vehicle's class."""
        ...

    def vehicle_type(self, vehicle: str) -> str:
        """The id of a vehicle's type."""
        ...

    def route(self, vehicle: str) -> tuple[str, ...]:
        """The edges of a vehicle's route."""
        ...

    def route_index(self, vehicle: str) -> int:
        """How far along its route a vehicle is."""
        ...

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        """The vehicles of PRIORITY_CLASSES, by id."""
        ...

    def pedestrians(self, area: str) -> Sequence[Pedestrian]:
        """The pedestrians on a walking area."""
        ...

    def ignore_red(self, vehicles: Collection[str], ignore: bool) -> None:
        """Let vehicles pass red lights, or obey them again; those that have left the network are passed over."""
        ...

    def upcoming(self, signal: str) -> tuple[float, str]:
        """The s until SUMO's own program switches a signal, and the state that follows."""
        ...

    def roads(self) -> SumoRoads:
        """The changes that events may make."""
        ...

    def incidents(self) -> Incidents:
        """What SUMO has counted since its start."""
        ...

    def delay(self) -> Delay:
        """The delay of all vehicles until now."""
        ...

    def close(self) -> None:
        """End the simulation and let SUMO finish its files."""
        ...
