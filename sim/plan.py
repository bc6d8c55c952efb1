"""Plan: signal timings as data. A timing is a function of the clock, so it comes back after any disturbance.

Position in the cycle is ``(t − offset) mod cycle`` with t the scenario's absolute time in s, which is how
SUMO reads a static program (checked at a begin of 25200 s).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.errors import InputError

SCHEMA = "denxanh-plan/1"


@dataclass(frozen=True)
class Interval:
    """A state shown for a fixed time between two greens: yellow, all-red, red-yellow."""

    state: str
    duration: float  # s


@dataclass(frozen=True)
class Stage:
    """A green state, how long it is shown, and the change intervals that follow it."""

    state: str
    green: float  # s
    change: tuple[Interval, ...] = ()

    @property
    def length(self) -> float:
        """Green and change together, s."""
        return self.green + sum(interval.duration for interval in self.change)


@dataclass(frozen=True)
class Moment:
    """Where a timing stands: in stage ``stage``, step 0 is the green, step k its k-th change interval."""

    stage: int
    step: int
    left: float  # s until this state ends


@dataclass(frozen=True)
class Timing:
    """The timing of one intersection: stages in their order and the offset of the first green's start."""

    stages: tuple[Stage, ...]
    offset: float = 0.0  # s

    @property
    def cycle(self) -> float:
        """Cycle length, s."""
        return sum(stage.length for stage in self.stages)

    def at(self, time: float) -> Moment:
        """Where the timing stands at absolute ``time`` (s).

        >>> Timing((Stage("Gr", 10, (Interval("yr", 3),)), Stage("rG", 7)), offset=5).at(16)
        Moment(stage=0, step=1, left=2)
        """
        position = (time - self.offset) % self.cycle
        for number, stage in enumerate(self.stages):
            for step, duration in enumerate((stage.green, *(i.duration for i in stage.change))):
                if position < duration:
                    return Moment(number, step, duration - position)
                position -= duration
        return Moment(0, 0, self.stages[0].green)  # rounding put the position on the cycle's end

    def steps(self) -> list[tuple[str, float]]:
        """What is shown in a cycle, state by state, each with its s."""
        return [
            row
            for stage in self.stages
            for row in ((stage.state, stage.green), *((i.state, i.duration) for i in stage.change))
        ]

    def starts(self) -> tuple[float, ...]:
        """Start of each stage's green within the cycle, s."""
        out, position = [], 0.0
        for stage in self.stages:
            out.append(position)
            position += stage.length
        return tuple(out)


@dataclass(frozen=True)
class Plan:
    """Timings by intersection id. Intersections that are not named keep the network's own program."""

    timings: Mapping[str, Timing]
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The documented file form (docs/plan.md)."""
        return {
            "schema": SCHEMA,
            "note": self.note,
            "intersections": {
                name: {
                    "offset": timing.offset,
                    "stages": [
                        {
                            "state": stage.state,
                            "green": stage.green,
                            "change": [{"state": i.state, "duration": i.duration} for i in stage.change],
                        }
                        for stage in timing.stages
                    ],
                }
                for name, timing in sorted(self.timings.items())
            },
        }

    @staticmethod
    def from_json(data: object, *, where: str) -> Plan:
        """Read the file form; every fault is an InputError that names its place."""
        return Plan(*_parse(data, where))


def _parse(data: object, where: str) -> tuple[dict[str, Timing], str]:
    root = _dict(data, where)
    if root.get("schema") != SCHEMA:
        raise InputError(
            f"the schema is {root.get('schema')!r}, not {SCHEMA!r}",
            where=where,
            remedy="give a plan.json written by 'denxanh optimize', see docs/plan.md",
        )
    timings = {}
    for name, entry in _dict(root.get("intersections"), f"{where}: intersections").items():
        spot = f"{where}: intersections.{name}"
        body = _dict(entry, spot)
        rows = body.get("stages")
        if not isinstance(rows, list) or not rows:
            raise InputError("there is no stage", where=spot, remedy="list at least one stage")
        stages = tuple(_stage(row, f"{spot}.stages[{i}]") for i, row in enumerate(rows))
        width = {len(s.state) for s in stages} | {len(i.state) for s in stages for i in s.change}
        if len(width) != 1:
            raise InputError(
                f"states have different lengths {sorted(width)}",
                where=spot,
                remedy="every state needs one letter for each link of the signal",
            )
        timings[name] = Timing(stages, _number(body.get("offset", 0), f"{spot}.offset", least=None))
    return timings, str(root.get("note", ""))


def _stage(row: object, where: str) -> Stage:
    body = _dict(row, where)
    rows = body.get("change", [])
    if not isinstance(rows, list):
        raise InputError(
            "the change is not a list", where=f"{where}.change", remedy="give a list of intervals"
        )
    change = []
    for i, item in enumerate(rows):
        spot = f"{where}.change[{i}]"
        interval = _dict(item, spot)
        change.append(
            Interval(
                _state(interval.get("state"), f"{spot}.state"),
                _number(interval.get("duration"), f"{spot}.duration", least=0.0),
            )
        )
    return Stage(
        _state(body.get("state"), f"{where}.state"),
        _number(body.get("green"), f"{where}.green", least=0.0),
        tuple(change),
    )


def _dict(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError("this is not a table of names", where=where, remedy="see docs/plan.md for the form")
    return value


def _state(value: object, where: str) -> str:
    letters = set("rGgyYuosO")
    if not isinstance(value, str) or not value or set(value) - letters:
        raise InputError(f"{value!r} is not a signal state", where=where, remedy="use SUMO's letters rGgyus")
    return value


def _number(value: object, where: str, *, least: float | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise InputError(f"{value!r} is not a time in s", where=where, remedy="give a finite number")
    if least is not None and value <= least:
        raise InputError(
            f"{value} s is not longer than {least:g} s", where=where, remedy="give a positive time"
        )
    return float(value)
