"""SUMO as a World, over one of its backends."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from denxanh.sim.errors import WorldError
from denxanh.sim.network import Network
from denxanh.sim.sumo.backend.engine import Engine
from denxanh.sim.sumo.backend.readings import halted_of
from denxanh.sim.sumo.backend.road_changes import SumoRoads
from denxanh.sim.sumo.outputs import Incidents
from denxanh.sim.world import Delay, OnLane, Pedestrian, PriorityVehicle, Standing

_SAME_TIME = 1e-3  # s: SUMO counts whole milliseconds


class SumoWorld:
    """A World over one of the backends. ``reroutes``: vehicles may change their routes on the way; ``stops``: they may
    stand at stops of their own."""

    def __init__(
        self,
        engine: Engine,
        network: Network,
        begin: float,
        step: float,
        *,
        reroutes: bool = False,
        stops: bool = True,
    ) -> None:
        self.network = network
        self.begin = begin
        self.step = step
        self.steps = 0
        self._engine = engine
        self._reroutes = reroutes
        self._stops = stops
        self._next: dict[str, dict[str, str]] = {}
        self._class: dict[str, str] = {}
        self._type: dict[str, str] = {}
        self._lanes: dict[str, Sequence[OnLane]] = {}
        self._standing: dict[str, Sequence[Standing]] = {}
        self._halted: dict[str, int] = {}

    def advance(self, steps: int) -> None:
        """Run until ``steps`` steps since begin are done; SUMO makes several steps in one call."""
        if steps <= self.steps:
            return
        self._lanes.clear()
        self._standing.clear()
        self._halted.clear()
        self._compare_clocks(self.begin + self.steps * self.step)
        time = self.begin + steps * self.step
        self._engine.step_to(time)
        self._compare_clocks(time)
        self.steps = steps

    def _compare_clocks(self, time: float) -> None:
        """Raise WorldError if SUMO's clock is not at ``time`` (s)."""
        clock = self._engine.time()
        if abs(clock - time) > _SAME_TIME:
            raise WorldError(
                f"SUMO's clock is at {clock:g} s where the run's is at {time:g} s: something beside the run has "
                "advanced it; a controller must not call SUMO"
            )

    def show(self, intersection: str, state: str) -> None:
        """Let a signal show a state until further notice."""
        self._engine.set_state(intersection, state)

    def shows(self, intersection: str) -> str:
        """The state that a signal shows now, as SUMO has it."""
        return self._engine.state(intersection)

    def on_lane(self, lane: str) -> Sequence[OnLane]:
        """The vehicles on a lane, the rearmost first; read once an instant."""
        found = self._lanes.get(lane)
        if found is None:
            found = self._lanes[lane] = self._engine.on_lane(lane, stops=self._stops)
        return found

    def standing(self, lane: str) -> Sequence[Standing]:
        """The vehicles that ``halted`` counts on a lane, the rearmost front first; read once an instant."""
        if lane not in self._standing:
            known = self._lanes.get(lane)
            if known is None:
                found = self._engine.standing(lane, stops=self._stops)
            else:
                found = halted_of(known, stops=self._stops)
            self._standing[lane] = found
        return self._standing[lane]

    def halted(self, lane: str) -> int:
        """Vehicles slower than 0.1 m/s on a lane, except those at a stop of their own, which SUMO counts too.

        Read once an instant.
        """
        count = self._halted.get(lane)
        if count is None:
            count = self._engine.halted(lane)
            if count and self._stops:
                count = len(self.standing(lane))
            self._halted[lane] = count
        return count

    def vehicle_class(self, vehicle: str) -> str:
        """A vehicle's class, asked for once."""
        if vehicle not in self._class:
            self._class[vehicle] = self._engine.vehicle_class(vehicle)
        return self._class[vehicle]

    def vehicle_type(self, vehicle: str) -> str:
        """The id of a vehicle's type, asked for once."""
        if vehicle not in self._type:
            self._type[vehicle] = self._engine.vehicle_type(vehicle)
        return self._type[vehicle]

    def next_edge(self, vehicle: str, edge: str) -> str:
        """The edge after ``edge`` on a vehicle's route."""
        after = self._next.get(vehicle)
        if after is None or self._reroutes:
            route = self._engine.route(vehicle)
            after = dict(zip(route, (*route[1:], ""), strict=True))
            if len(after) < len(route):  # it passes an edge twice: only what lies ahead counts
                ahead = route[max(self._engine.route_index(vehicle), 0) :]
                return dict(zip(reversed(ahead), ("", *reversed(ahead[1:])), strict=True)).get(edge, "")
            self._next[vehicle] = after
        return after.get(edge, "")

    def priority_vehicles(self) -> Sequence[PriorityVehicle]:
        """The vehicles of PRIORITY_CLASSES that are on their way, by id."""
        return self._engine.priority_vehicles()

    def pedestrians(self, area: str) -> Sequence[Pedestrian]:
        """The pedestrians on a walking area (SUMO's edge)."""
        return self._engine.pedestrians(area)

    def ignore_red(self, vehicles: Collection[str], ignore: bool) -> None:
        """Let vehicles pass red lights, or obey them again; those that have left the network are passed over."""
        self._engine.ignore_red(vehicles, ignore)

    def upcoming(self, intersection: str) -> tuple[float, str]:
        """The s until SUMO's own program switches a signal that SUMO runs, and the state that follows."""
        return self._engine.upcoming(intersection)

    def roads(self) -> SumoRoads:
        """The changes that events may make."""
        return self._engine.roads()

    def incidents(self) -> Incidents:
        """What SUMO has counted since its start."""
        return self._engine.incidents()

    def delay(self) -> Delay:
        """The delay of all vehicles until now; takes two calls for each vehicle in the network."""
        return self._engine.delay()

    def close(self) -> None:
        """End the simulation; SUMO finishes its files."""
        self._engine.close()
