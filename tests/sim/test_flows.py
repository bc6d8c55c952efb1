"""Expected flows of movements: vehicles in a lane, passenger-car units where they ride side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from denxanh.networks.scenarios import open_scenario
from denxanh.sim.demand.movement_flows import with_flows
from denxanh.sim.network_reader import network_of
from denxanh.sim.timing.critical_flow import critical_ratios, flows_of


def flow_ratios(place: str) -> dict[str, float]:
    """Webster's Y by signal."""
    scenario = open_scenario(place)
    network = with_flows(network_of(scenario), scenario)
    return {
        name: float(
            critical_ratios(
                intersection, [s.state for s in intersection.program.stages], flows_of(intersection)
            ).sum()
        )
        for name, intersection in network.intersections.items()
    }


def test_both_fidelities_of_a_place_ask_for_much_the_same_green() -> None:
    """A motorbike takes a fraction of a lane in `sublane`; counted as cars they would ask for twice the green."""
    lane, sublane = (flow_ratios(f"ha-noi/pho-hue:{fidelity}") for fidelity in ("lane", "sublane"))
    assert lane.keys() == sublane.keys()
    for name, ratio in lane.items():
        assert sublane[name] == pytest.approx(ratio, rel=0.25)


def test_without_the_sublane_model_every_vehicle_counts() -> None:
    scenario = open_scenario("ha-noi/pho-hue:sublane")
    options = {k: v for k, v in scenario.options.items() if k != "lateral-resolution"}
    one, other = (with_flows(network_of(s), s) for s in (scenario, replace(scenario, options=options)))
    name = next(iter(one.intersections))
    assert sum(flows_of(other.intersections[name])) > 2 * sum(flows_of(one.intersections[name]))
