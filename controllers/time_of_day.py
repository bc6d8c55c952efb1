"""Time of day: a set of fixed plans and the hours they hold, as engineers hand them over."""

from __future__ import annotations

import bisect
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from controllers.fixed_time import read_plan
from sim.clock import by_the_clock
from sim.errors import InputError
from sim.network import Intersection, Network
from sim.plan import Plan
from sim.protocol import Green, Observation, Policy

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
        """The first plan of the day, whose stages are everybody's."""
        return self._read()[0][1]

    def start(self, network: Network) -> Mapping[str, Policy]:
        """A policy for each intersection of the plans; it changes plan at the first green that fits."""
        day = self._read()
        starts = [start for start, _ in day]
        return {
            name: _by_the_hour(
                starts, [_at(network.intersections[name], plan, self.schedule) for _, plan in day]
            )
            for name in day[0][1].timings
        }

    def files(self) -> tuple[Path, ...]:
        """The plans that the schedule names: they are part of what the controller is."""
        return tuple(dict.fromkeys(plan for _, plan in self._rows()))

    def _read(self) -> list[tuple[float, Plan]]:
        """(s since midnight, plan) in the order of the day."""
        return [(start, read_plan(str(plan))) for start, plan in self._rows()]

    def _rows(self) -> list[tuple[float, Path]]:
        """(s since midnight, the plan's file) in the order of the day."""
        path = Path(self.schedule).absolute()
        try:
            rows = json.loads(path.read_text("utf-8"))
            day = sorted((seconds_of(row["from"]), path.parent / row["plan"]) for row in rows)
        except OSError as error:
            raise InputError(
                f"the schedule cannot be read ({error.strerror})",
                where=self.schedule,
                remedy="give a JSON file",
            ) from None
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                f"this is no schedule ({error!r})",
                where=self.schedule,
                remedy='write [{"from": "07:00", "plan": "morning.json"}, …]',
            ) from None
        if not day:
            raise InputError("the schedule is empty", where=self.schedule, remedy="name at least one plan")
        return day


def _by_the_hour(starts: list[float], wheres: list[Intersection]) -> Policy:
    policies = [by_the_clock(where) for where in wheres]

    def policy(seen: Observation) -> Green:
        now = bisect.bisect_right(starts, seen.time % DAY) - 1  # before the first time: the last plan (−1)
        return policies[now](seen)

    return policy


def _at(where: Intersection, plan: Plan, schedule: str) -> Intersection:
    """The intersection under one of the plans. Raises InputError if its stages are not the others'."""
    timing = plan.timings.get(where.id)
    states = [stage.state for stage in timing.stages] if timing else []
    if timing is None or states != [phase.state for phase in where.phases]:
        raise InputError(
            f"the plans have different stages at signal {where.id!r}",
            where=schedule,
            remedy="give plans that differ in greens and offsets only",
        )
    return replace(where, program=timing)


def seconds_of(clock: str) -> float:
    """Seconds since midnight of "hh:mm" or "hh:mm:ss".

    >>> seconds_of("07:30")
    27000.0
    """
    hours, minutes, *rest = (float(part) for part in clock.split(":"))
    return hours * 3600.0 + minutes * 60.0 + sum(rest)
