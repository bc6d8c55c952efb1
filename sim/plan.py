"""Plan: signal timings as data. A timing is a function of the clock, so it comes back after any disturbance.

Position in the cycle is ``(t − offset) mod cycle`` with t the scenario's absolute time in s, which is how
SUMO reads a static program (checked at a begin of 25200 s).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from denxanh.sim.errors import InputError

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
    """The position of a timing: step 0 of ``stage`` is the green, step k its k-th change interval."""

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

    @property
    def one_state(self) -> bool:
        """Whether all its greens show the same state, as where nothing conflicts."""
        return len({stage.state for stage in self.stages}) == 1

    def at(self, time: float) -> Moment:
        """The position of the timing at absolute ``time`` (s).

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
        """(state, duration in s) of each state of a cycle, in order."""
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
    def from_json(data: object, *, location: str) -> Plan:
        """The plan of a file's data. Raises InputError, which names the location of the fault."""
        return Plan(*_parse(data, location))


def _parse(data: object, location: str) -> tuple[dict[str, Timing], str]:
    root = _dict(data, location)
    if root.get("schema") != SCHEMA:
        raise InputError(
            f"the schema is {root.get('schema')!r}, not {SCHEMA!r}",
            location=location,
            remedy="give a plan.json written by 'denxanh optimize', see docs/plan.md",
        )
    timings = {}
    for name, entry in _dict(root.get("intersections"), f"{location}: intersections").items():
        spot = f"{location}: intersections.{name}"
        body = _dict(entry, spot)
        rows = body.get("stages")
        if not isinstance(rows, list) or not rows:
            raise InputError("there is no stage", location=spot, remedy="list at least one stage")
        stages = tuple(_stage(row, f"{spot}.stages[{i}]") for i, row in enumerate(rows))
        width = {len(s.state) for s in stages} | {len(i.state) for s in stages for i in s.change}
        if len(width) != 1:
            raise InputError(
                f"states have different lengths {sorted(width)}",
                location=spot,
                remedy="every state needs one letter for each link of the signal",
            )
        timings[name] = Timing(stages, _number(body.get("offset", 0), f"{spot}.offset", least=None))
    return timings, str(root.get("note", ""))


def _stage(row: object, location: str) -> Stage:
    body = _dict(row, location)
    rows = body.get("change", [])
    if not isinstance(rows, list):
        raise InputError(
            "the change is not a list", location=f"{location}.change", remedy="give a list of intervals"
        )
    change = []
    for i, item in enumerate(rows):
        spot = f"{location}.change[{i}]"
        interval = _dict(item, spot)
        change.append(
            Interval(
                _state(interval.get("state"), f"{spot}.state"),
                _number(interval.get("duration"), f"{spot}.duration", least=0.0),
            )
        )
    return Stage(
        _state(body.get("state"), f"{location}.state"),
        _number(body.get("green"), f"{location}.green", least=0.0),
        tuple(change),
    )


def _dict(value: object, location: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InputError(
            "this is not a table of names", location=location, remedy="see docs/plan.md for the form"
        )
    return value


def _state(value: object, location: str) -> str:
    letters = set("rGgyYuosO")
    if not isinstance(value, str) or not value or set(value) - letters:
        raise InputError(
            f"{value!r} is not a signal state", location=location, remedy="use SUMO's letters rGgyus"
        )
    return value


def _number(value: object, location: str, *, least: float | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise InputError(f"{value!r} is not a time in s", location=location, remedy="give a finite number")
    if least is not None and value <= least:
        raise InputError(
            f"{value} s is not longer than {least:g} s", location=location, remedy="give a positive time"
        )
    return float(value)
