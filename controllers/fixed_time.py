"""Fixed time: signals that follow the clock, and come back to it after any disturbance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from sim.change import change_intervals
from sim.errors import InputError
from sim.network import Intersection, Network
from sim.plan import Plan, Timing
from sim.protocol import Green, Observation, Policy

PLANNED = "denxanh"  # the program id that sim.sumonet.with_plan gives
_CLOSE = 1e-6  # s: rounding of clock arithmetic


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


def by_the_clock(where: Intersection) -> Policy:
    """The policy that shows what ``where.program`` shows at that time of day.

    It has no memory. When the signal is elsewhere than the clock (after a priority call, an outage), it
    waits for the first green that it can still join for at least its minimum, and is on time from then on.
    """
    change = [
        [
            sum(interval.duration for interval in change_intervals(where, i, j))
            for j in range(len(where.phases))
        ]
        for i in range(len(where.phases))
    ]

    def policy(seen: Observation) -> Green:
        timing, now = where.program, seen.time
        left = left_of_green(timing, seen.phase, now)
        if left >= max(seen.minimum_left, _CLOSE):
            return Green(seen.phase, left)
        ready = now + seen.minimum_left
        waits = [
            _until_joined(timing, p, ready + change[seen.phase][p], where.phases[p].min_green)
            for p in range(len(where.phases))
        ]
        wait, phase = min((wait, p) for p, wait in enumerate(waits) if p != seen.phase or wait > 0)
        if ready + wait - now > _CLOSE:
            return Green(seen.phase, round(ready + wait - now, 6))
        return Green(phase, left_of_green(timing, phase, now + change[seen.phase][phase]))

    return policy


def left_of_green(timing: Timing, stage: int, time: float) -> float:
    """How much of ``stage``'s green is left at ``time`` (s); 0 when the clock is elsewhere."""
    moment = timing.at(time + _CLOSE)
    return round(moment.left + _CLOSE, 6) if (moment.stage, moment.step) == (stage, 0) else 0.0


def _until_joined(timing: Timing, stage: int, time: float, at_least: float) -> float:
    """How long after ``time`` the green of ``stage`` can be joined with ``at_least`` s of it left, s."""
    if left_of_green(timing, stage, time) >= at_least:
        return 0.0
    wait = (timing.starts()[stage] + timing.offset - time) % timing.cycle
    return 0.0 if timing.cycle - wait < _CLOSE else round(wait, 6)
