"""Fixed time: signals follow a plan by the clock, and return to it after any disturbance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from denxanh.sim.controller import Policy
from denxanh.sim.input.text_files import read_json
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.signals.fixed_time import fixed_time_policy


@dataclass(frozen=True)
class FixedTime:
    """Fixed time: a plan from a file (``plan``: the path of a plan.json, see docs/plan.md). Sees nothing."""

    name: ClassVar[str] = "fixed-time"
    sees: ClassVar[frozenset[str]] = frozenset()

    plan: str

    def make_plan(self, network: Network) -> Plan:
        """Read the plan."""
        return read_plan(self.plan)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy for each intersection of the plan; ``network`` has the plan's phases."""
        return planned_policies(network)


def planned_policies(network: Network) -> dict[str, Policy]:
    """A fixed-time policy for each intersection that has a plan in place of the network's own program."""
    return {
        name: fixed_time_policy(intersection)
        for name, intersection in network.intersections.items()
        if intersection.planned
    }


def read_plan(file: str) -> Plan:
    """The plan in a plan.json. Raises InputError."""
    data = read_json(Path(file), kind="plan", remedy="give a plan.json")
    return Plan.from_json(data, location=file)
