"""Between a Timing and what most formats know of it: green, yellow and all-red of each stage, and who has green."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from denxanh.sim.errors import InputError
from denxanh.sim.network import GREEN, Intersection
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.signals.change import change_between
from denxanh.sim.sumo.program import steady_letters

_CLOSE = 1e-6  # s


@dataclass(frozen=True)
class StageTimes:
    """Times of a stage, s; all-red is the whole change besides yellow."""

    green: float
    yellow: float
    all_red: float


@dataclass(frozen=True)
class StageRow:
    """A stage as phases of other programs describe it: its times and the movements with green."""

    times: StageTimes
    served: Mapping[str, str]  # "G" protected, "g" permitted, by name of the movement


def stage_times(timing: Timing) -> list[StageTimes]:
    """Green, yellow and all-red of each stage."""
    steady = steady_letters(timing)
    out = []
    for stage in timing.stages:
        yellow = sum(i.duration for i in stage.change if _has_yellow(i.state, steady))
        out.append(StageTimes(stage.green, yellow, stage.length - stage.green - yellow))
    return out


def stage_rows(intersection: Intersection, timing: Timing) -> list[StageRow]:
    """The stages of a timing with the movements that each serves."""
    return [
        StageRow(times, served_movements(intersection, stage.state))
        for times, stage in zip(stage_times(timing), timing.stages, strict=True)
    ]


def served_movements(intersection: Intersection, state: str) -> dict[str, str]:
    """The movements with green in a state: "G" where some link of it is protected, else "g"."""
    out = {}
    for movement in intersection.movements:
        letters = {state[link] for link in movement.links} & GREEN
        if letters:
            out[movement.name] = "G" if "G" in letters else "g"
    return out


def retimed(timing: Timing, times: Sequence[StageTimes], offset: float, *, location: str) -> Timing:
    """The timing with other times of its stages. Raises InputError where its change has no such interval."""
    if len(times) != len(timing.stages):
        raise InputError(
            f"{len(times)} stages are given, the plan of the signal has {len(timing.stages)}",
            location=location,
            remedy="give a row with the stages of the plan, or edit plan.json",
        )
    steady = steady_letters(timing)
    stages = []
    for number, (stage, new) in enumerate(zip(timing.stages, times, strict=True), 1):
        if new.green <= 0:
            raise InputError(
                f"stage {number} has a green of {new.green:g} s",
                location=location,
                remedy="give more than 0 s",
            )
        yellow = [i for i in stage.change if _has_yellow(i.state, steady)]
        red = [i for i in stage.change if not _has_yellow(i.state, steady)]
        if not yellow and new.yellow > _CLOSE:
            raise InputError(
                f"stage {number} has a yellow of {new.yellow:g} s, in the plan it ends without yellow",
                location=location,
                remedy="give 0, or edit plan.json",
            )
        if not red and new.all_red > _CLOSE:
            last = stage.change[-1] if stage.change else Interval(stage.state, 0.0)
            state = "".join("r" if c in "yYGg" and k not in steady else c for k, c in enumerate(last.state))
            red = [Interval(state, 0.0)]
        change = (
            *_lengthened(yellow, new.yellow, f"stage {number}, yellow", location),
            *_lengthened(red, new.all_red, f"stage {number}, all-red", location),
        )
        order = {id(i): k for k, i in enumerate(stage.change)}
        pairs = sorted(zip([*yellow, *red], change, strict=True), key=lambda p: order.get(id(p[0]), 99))
        stages.append(
            replace(stage, green=new.green, change=tuple(i for _, i in pairs if i.duration > _CLOSE))
        )
    return Timing(tuple(stages), offset)


def _lengthened(intervals: Sequence[Interval], total: float, what: str, location: str) -> list[Interval]:
    """The intervals with another total; the last one takes the difference. Raises InputError where it is too short."""
    have = sum(i.duration for i in intervals)
    if not intervals or abs(total - have) < _CLOSE:
        return list(intervals)
    rest = intervals[-1].duration + total - have
    if rest < -_CLOSE:
        raise InputError(
            f"{what} of {total:g} s is shorter than the {len(intervals) - 1} intervals before its last",
            location=location,
            remedy="give a longer time, or edit plan.json",
        )
    return [*intervals[:-1], replace(intervals[-1], duration=max(0.0, rest))]


def timing_of(
    intersection: Intersection, rows: Sequence[StageRow], offset: float, *, location: str
) -> Timing:
    """The timing of stages that other programs describe by movements.

    A stage with the movements of a stage of the program is that stage, with its crossings and change; another one gets
    a state of its movements, with the signal's yellow and all-red before its times are set. Raises InputError.
    """
    if len(rows) < 1:
        raise InputError("there is no stage", location=location, remedy="list at least one phase")
    known = [
        (served_movements(intersection, stage.state), stage.state) for stage in intersection.program.stages
    ]
    states = []
    for number, row in enumerate(rows):
        fitting = [state for served, state in known if served == dict(row.served)]
        own = intersection.program.stages[number].state if number < len(intersection.program.stages) else ""
        states.append(own if own in fitting else fitting[0] if fitting else _state(intersection, row.served))
    stages = intersection.program.stages
    if states == [stage.state for stage in stages]:
        base = Timing(stages)
    else:
        base = Timing(
            tuple(
                Stage(state, row.times.green, change_between(intersection, state, after))
                for state, after, row in zip(states, states[1:] + states[:1], rows, strict=True)
            )
        )
    return retimed(base, [row.times for row in rows], offset, location=location)


def _state(intersection: Intersection, served: Mapping[str, str]) -> str:
    letters = [intersection.never_red().get(k, intersection.unserved(k)) for k in range(intersection.n_links)]
    for movement in intersection.movements:
        for link in movement.links if movement.name in served else ():
            letters[link] = served[movement.name]
    return "".join(letters)


def _has_yellow(state: str, steady: Mapping[int, str]) -> bool:
    return any(letter in "yY" and k not in steady for k, letter in enumerate(state))
