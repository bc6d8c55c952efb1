"""The network with the expected flow of each movement, from which plans are computed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from denxanh.sim.demand.demand import movement_flows
from denxanh.sim.demand.demand_reader import read_demand
from denxanh.sim.network import Network
from denxanh.sim.scenario import Scenario


def with_flows(network: Network, scenario: Scenario) -> Network:
    """The network with ``Movement.flow`` set from the scenario's demand, its scale included.

    The flow is in veh/s; in SUMO's sublane model, where two-wheelers ride side by side in a lane, in PCU/s, since what
    follows from it (Webster's Y, critical flows) compares it with a lane of vehicles one behind another.
    """
    demand = read_demand(
        scenario.routes,
        network,
        scenario.begin,
        scenario.end,
        net_file=scenario.net,
        type_files=scenario.additional,
        options=scenario.options,
    )
    scale = float(scenario.options.get("scale", "1"))
    worth = None
    if float(scenario.options.get("lateral-resolution", "0")) > 0:
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
