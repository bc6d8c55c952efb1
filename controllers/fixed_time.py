"""Fixed time: signals that follow the clock, and come back to it after any disturbance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sim.clock import by_the_clock
from sim.errors import InputError
from sim.network import Network
from sim.plan import Plan
from sim.protocol import Policy

PLANNED = "denxanh"  # the program id that sim.sumonet.with_plan gives


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
        return {
            name: by_the_clock(where)
            for name, where in network.intersections.items()
            if where.program_id == PLANNED
        }


def read_plan(file: str) -> Plan:
    """The plan in a plan.json. Raises InputError."""
    try:
        text = Path(file).read_text("utf-8")
    except OSError as error:
        raise InputError(
            f"the plan cannot be read ({error.strerror})", where=file, remedy="give a plan.json"
        ) from None
    try:
        return Plan.from_json(json.loads(text), where=file)
    except ValueError as error:
        raise InputError(f"this is not JSON ({error})", where=file, remedy="give a plan.json") from None
