"""A network that knows the flow expected on each movement: what plans are computed from."""

from __future__ import annotations

from dataclasses import replace

from sim.demand import movement_flows
from sim.demand_reader import read_demand
from sim.network import Network
from sim.scenario import Scenario


def with_flows(network: Network, scenario: Scenario) -> Network:
    """The network with ``Movement.flow`` (veh/s) set from the scenario's demand, its scale included."""
    demand = read_demand(
        scenario.routes,
        network,
        scenario.begin,
        scenario.end,
        net_file=scenario.net,
        type_files=scenario.additional,
    )
    scale = float(scenario.options.get("scale", "1"))
    flows = movement_flows(demand, network)
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
