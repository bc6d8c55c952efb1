"""Conventional: the fixed-time plan that a signal engineer sets with textbook methods; the baseline of gains.

The place's own stages, splits by critical flow ratios (F. V. Webster, Traffic Signal Settings, Road Research Technical
Paper 39, 1958), the common cycle swept, offsets by MAXBAND (Little, Kelson and Gartner, Transportation Research Record
795, 1981) or by a hill-climb on offsets alone (D. I. Robertson, TRANSYT, RRL Report LR 253, 1969).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from denxanh.controllers.fixed.fixed_time import planned_policies, read_plan
from denxanh.sim.controller import Policy
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan


@dataclass(frozen=True)
class Conventional:
    """Conventional: a textbook plan of own stages: flow-ratio splits, swept cycle, coordinated offsets. Sees nothing.

    ``plan`` is the file of the plan. ``run``, ``compare`` and ``experiment`` compute it from the scenario where it is
    not given (experiments/optimize/job/conventional.py).
    """

    name: ClassVar[str] = "conventional"
    sees: ClassVar[frozenset[str]] = frozenset()
    plan_from_scenario: ClassVar[bool] = True

    plan: str = ""

    def make_plan(self, network: Network) -> Plan:
        """Read the plan. Raises InputError where none was computed."""
        if not self.plan:
            raise InputError(
                "the controller conventional has no plan",
                location=network.name,
                remedy="use it by its name in run, compare or experiment, or give plan=FILE",
            )
        return read_plan(self.plan)

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy for each intersection of the plan; ``network`` has the plan's phases."""
        return planned_policies(network)
