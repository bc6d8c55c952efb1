"""The network with the expected flow of each movement, from which plans are computed."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np

from denxanh.sim.demand.demand import Demand, Floats, movement_flows, within
from denxanh.sim.demand.demand_reader import scenario_demand
from denxanh.sim.network import Network
from denxanh.sim.scenario import Scenario


def with_flows(network: Network, scenario: Scenario) -> Network:
    """The network with ``Movement.flow`` set from the scenario's demand, its scale included.

    The flow is in veh/s; in SUMO's sublane model, where two-wheelers ride side by side in a lane, in PCU/s, since what
    follows from it (Webster's Y, critical flows) compares it with a lane of vehicles one behind another.
    """
    demand, scale = _read(network, scenario)
    worth = None
    if scenario.sublane:
        worth = np.array([vehicle_type.pcu for vehicle_type in demand.types])
    flows = movement_flows(demand, network, worth)
    return replace(
        network,
        intersections={
            name: replace(
                intersection,
                movements=tuple(
                    replace(movement, flow=float(flow) * scale)
                    for movement, flow in zip(intersection.movements, flows[name], strict=True)
                ),
            )
            for name, intersection in network.intersections.items()
        },
    )


def period_flows(network: Network, scenario: Scenario, period: float) -> tuple[dict[str, Floats], float]:
    """Flow of each movement by signal in equal parts of the scenario, and their length, s: about ``period``, not less.

    Flows are PCU/h, shape (periods, movements), counted by departure: saturation flows are those of cars.
    """
    demand, scale = _read(network, scenario)
    worth = np.array([vehicle_type.pcu for vehicle_type in demand.types])
    count = max(1, int((scenario.end - scenario.begin) // period))
    edges = np.linspace(scenario.begin, scenario.end, count + 1)
    found = [
        movement_flows(within(demand, first, last), network, worth)
        for first, last in itertools.pairwise(edges.tolist())
    ]
    flows = {name: 3600.0 * scale * np.array([one[name] for one in found]) for name in network.intersections}
    return flows, float(edges[1] - edges[0])


def _read(network: Network, scenario: Scenario) -> tuple[Demand, float]:
    """The demand and its scale."""
    return scenario_demand(scenario, network), float(scenario.options.get("scale", "1"))
