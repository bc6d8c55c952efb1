"""Time of day: a set of fixed plans and the hours at which each holds."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from denxanh.controllers.fixed.fixed_time import read_plan
from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.errors import InputError
from denxanh.sim.input.text_files import read_json
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Plan
from denxanh.sim.signals.fixed_time import fixed_time_policy

DAY = 86400.0  # s


@dataclass(frozen=True)
class TimeOfDay:
    """Time of day: fixed plans by the hour (``schedule``: a JSON file of times and plans). Sees nothing.

    The file is a list like ``[{"from": "07:00", "plan": "morning.json"}, …]``; the last plan holds until the
    first time of the next day. Paths are relative to the file. All plans have the same stages.
    """

    name: ClassVar[str] = "time-of-day"
    sees: ClassVar[frozenset[str]] = frozenset()

    schedule: str

    def make_plan(self, network: Network) -> Plan:
        """The first plan of the day; all plans have its stages."""
        return self._read()[0][1]

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy for each intersection of the plans; it changes plan at the first possible green."""
        day = self._read()
        starts = [start for start, _ in day]
        return {
            name: _time_of_day_policy(
                starts, [_at(network.intersections[name], plan, self.schedule) for _, plan in day]
            )
            for name in day[0][1].timings
        }

    def files(self) -> tuple[Path, ...]:
        """The plan files that the schedule names."""
        return tuple(dict.fromkeys(plan for _, plan in self._rows()))

    def _read(self) -> list[tuple[float, Plan]]:
        """(s since midnight, plan) in the order of the day."""
        return [(start, read_plan(str(plan))) for start, plan in self._rows()]

    def _rows(self) -> list[tuple[float, Path]]:
        return read_schedule(self.schedule)


def read_schedule(schedule: str) -> list[tuple[float, Path]]:
    """(s since midnight, the plan's file) of a JSON file of times and plans, in the order of the day.

    Raises InputError.
    """
    path = Path(schedule).absolute()
    rows = read_json(path, kind="schedule", remedy="give a JSON file of times and plans")
    try:
        day = sorted((seconds_of(row["from"]), path.parent / row["plan"]) for row in rows)
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(
            f"this is no schedule ({error!r})",
            location=schedule,
            remedy='write [{"from": "07:00", "plan": "morning.json"}, …]',
        ) from None
    if not day:
        raise InputError("the schedule is empty", location=schedule, remedy="name at least one plan")
    return day


def _time_of_day_policy(starts: list[float], by_plan: list[Intersection]) -> Policy:
    policies = [fixed_time_policy(intersection) for intersection in by_plan]

    def policy(seen: Observation) -> Green:
        now = bisect.bisect_right(starts, seen.time % DAY) - 1  # before the first time: the last plan (−1)
        return policies[now](seen)

    return policy


def _at(intersection: Intersection, plan: Plan, schedule: str) -> Intersection:
    """The intersection under one of the plans. Raises InputError if its stages differ."""
    timing = plan.timings.get(intersection.id)
    states = [stage.state for stage in timing.stages] if timing else []
    if timing is None or states != [phase.state for phase in intersection.phases]:
        raise InputError(
            f"the plans have different stages at signal {intersection.id!r}",
            location=schedule,
            remedy="give plans that differ in greens and offsets only",
        )
    return replace(intersection, program=timing)


def seconds_of(clock: str) -> float:
    """Seconds since midnight of "hh:mm" or "hh:mm:ss".

    >>> seconds_of("07:30")
    27000.0
    """
    hours, minutes, *rest = (float(part) for part in clock.split(":"))
    found = hours * 3600.0 + minutes * 60.0 + sum(rest)
    if not math.isfinite(found):
        raise ValueError(f"{clock[:20]!r} is no time")
    return found
