"""A network that knows the flow expected on each movement: what plans are computed from."""

from __future__ import annotations

from dataclasses import replace

from sim.demand import movement_flows
from sim.demand_reader import read_demand
from sim.equivalents import read_equivalents, weights
from sim.network import Network
from sim.scenario import Scenario


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
    )
    scale = float(scenario.options.get("scale", "1"))
    worth = None
    if float(scenario.options.get("lateral-resolution", "0")) > 0:
        known = read_equivalents((*scenario.additional, *scenario.routes))
        worth = weights([vehicle_type.id for vehicle_type in demand.types], known)[0]
    flows = movement_flows(demand, network, worth)
    return replace(
        network,
        intersections={
            name: replace(
                where,
                movements=tuple(
                    replace(movement, flow=float(flow) * scale)
                    for movement, flow in zip(where.movements, flows[name], strict=True)
                ),
            )
            for name, where in network.intersections.items()
        },
    )
