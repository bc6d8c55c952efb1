"""The existing plan of a place as a Plan, so that it can be edited and run."""

from __future__ import annotations

import math

from denxanh.sim.network import Network
from denxanh.sim.network_reader import timings
from denxanh.sim.plan import Plan

NOTE = "existing plan of {place}, written by 'denxanh plan'; edit greens, changes and offsets (docs/plan.md)"


def existing_plan(network: Network) -> Plan:
    """The program of every controlled signal; signals left to SUMO are not part of it."""
    return Plan(timings(network), NOTE.format(place=network.name))


def actuated_signals(network: Network) -> tuple[str, ...]:
    """The signals whose program extends its greens; a plan holds the durations that the program gives."""
    return tuple(
        name
        for name, intersection in network.intersections.items()
        if any(math.isfinite(phase.max_green) for phase in intersection.phases)
    )
