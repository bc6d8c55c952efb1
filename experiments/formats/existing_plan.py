"""The existing plan of a place as a Plan, so that it can be edited and run."""

from __future__ import annotations

from denxanh.sim.network import Network
from denxanh.sim.network_reader import timings
from denxanh.sim.plan import Plan

NOTE = "existing plan of {place}, written by 'denxanh plan'; edit greens, changes and offsets (docs/plan.md)"


def existing_plan(network: Network) -> Plan:
    """The program of every controlled signal; signals left to SUMO are not part of it."""
    return Plan(timings(network), NOTE.format(place=network.name))
