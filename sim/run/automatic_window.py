"""The warm-up and the flush of a run that are known before it: the free travel time of its longest route."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from denxanh.sim.demand.demand_reader import scenario_demand
from denxanh.sim.demand.vehicle_class import VehicleClass
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import network_of
from denxanh.sim.run.preparation import check_demand
from denxanh.sim.scenario import Scenario
from denxanh.sim.timing.free_travel import Driver, dawdled, longest_free_travel

MOST = 0.25
"""Share of the duration that a warm-up, and a flush, take at most: half of every run is measured."""
_MINUTE = 60.0  # s, to which both are rounded up, as the rows of intervals.parquet


@dataclass(frozen=True)
class AutomaticWindow:
    """The warm-up of a run, and its flush, which is as long."""

    seconds: float  # s
    longest: float  # s, undelayed travel time of the longest route
    reason: str = ""  # why nothing is left out, where warm-up and flush are 0 though there is traffic

    @property
    def shortened(self) -> bool:
        """Whether the run is too short for the longest route at both ends."""
        return not self.reason and self.seconds < self.longest


def driver_of(kind: VehicleClass, step: float, speed_factor: float | None = None) -> Driver:
    """How a vehicle of a type drives in steps of ``step`` s, by its own speed factor or the mean of its type."""
    factor = kind.speed_factor if speed_factor is None else speed_factor
    return Driver(factor, kind.max_speed, kind.accel, kind.decel, dawdled(kind.sigma, kind.accel, step))


def automatic_window(scenario: Scenario) -> AutomaticWindow:
    """The undelayed travel time of the longest route, in whole minutes, or MOST of the duration if that is less.

    The network is then filled when the measured window begins, and the vehicles that depart in it have the time to
    finish. Each vehicle of the route files counts with the mean speed of its type; trips take the fastest way.
    0 with the reason where no vehicle would depart in the window, or where the vehicles are not known before SUMO
    simulates them. Raises InputError for files that cannot be used.
    """
    network = network_of(scenario)
    check_demand(scenario, network)
    try:
        demand = scenario_demand(scenario, network)
    except InputError as error:  # what a run refuses, check_demand has refused above
        return AutomaticWindow(0.0, 0.0, f"the routes are not known before the run ({error.what})")
    drivers = [driver_of(kind, scenario.step) for kind in demand.types]
    pairs = np.unique(np.column_stack([demand.route, demand.type]), axis=0) if len(demand) else ()
    longest = longest_free_travel(network, ((demand.routes[route], drivers[kind]) for route, kind in pairs))
    most = MOST * (scenario.end - scenario.begin)
    seconds = min(math.ceil(longest / _MINUTE) * _MINUTE, most)
    measured = (demand.depart >= scenario.begin + seconds) & (demand.depart < scenario.end - seconds)
    if len(demand) and not measured.any():
        return AutomaticWindow(0.0, longest, "no vehicle departs between them")
    return AutomaticWindow(seconds, longest)
