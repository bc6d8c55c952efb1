"""A SUMO tlLogic as a Timing: its greens, and the change intervals between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from denxanh.sim.network import GREEN, Phase
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.sumo.netfile import RawPhase, RawProgram

MIN_GREEN = 5.0  # s, the floor where a program gives none (the 5 s of NTCIP examples and of the benchmarks)
YELLOW = 3.0  # s, for a program without yellow: ITE's value for 40–50 km/h
NO_MAXIMUM = float("inf")
WALKING = 1.07  # m/s (3.5 ft/s), MUTCD 2009, section 4E.06: the speed that pedestrian clearance presumes
CLEARING = 5.0  # s, netconvert's tls.crossing-clearance.time


@dataclass(frozen=True)
class Reading:
    """A program read: its timing and phases, or the reason why it is left to SUMO."""

    timing: Timing | None
    phases: tuple[Phase, ...]
    yellow: float  # s
    all_red: float  # s
    refusal: str = ""


def is_change(state: str) -> bool:
    """Whether a state only leads from one green to the next: it has yellow or red-yellow, or no green."""
    return bool(set(state) & set("yYu")) or not set(state) & GREEN


def pedestrians_clear(before: RawPhase, row: RawPhase, crossings: Mapping[int, float]) -> bool:
    """Whether ``row`` is only a pedestrian clearance: as ``before``, but with crossings red.

    That is the end of the phase before it, not a phase to choose, as long as it is no longer than the walk across
    takes at WALKING, or than netconvert makes it. ``crossings``: length in m by link index.
    """
    changed = [k for k, (a, b) in enumerate(zip(before.state, row.state, strict=False)) if a != b]
    if not changed or not set(changed) <= crossings.keys() or is_change(before.state):
        return False
    ending = all(before.state[k] in GREEN and row.state[k] not in GREEN for k in changed)
    return ending and row.duration <= max(CLEARING, *(crossings[k] / WALKING for k in changed))


def read_program(
    program: RawProgram, begin: float = 0.0, crossings: Mapping[int, float] | None = None
) -> Reading:
    """Understand one program; several equal states stay several phases, as the program has them.

    ``begin`` (s) is when the run begins, for a program whose offset counts from there. ``crossings``: the lengths of
    the crossings in m by link index.
    """
    rows = program.phases
    leads = [
        is_change(row.state) or pedestrians_clear(rows[i - 1], row, crossings or {})
        for i, row in enumerate(rows)
    ]
    refusal = _refusal(program, leads)
    if refusal:
        return Reading(None, (), YELLOW, 0.0, refusal)
    first = leads.index(False)
    stages: list[tuple[RawPhase, list[Interval]]] = []
    turned = [*zip(rows, leads, strict=True)]
    for row, leading in turned[first:] + turned[:first]:
        if leading:
            stages[-1][1].append(Interval(row.state, row.duration))
        else:
            stages.append((row, []))
    timing = Timing(
        tuple(Stage(row.state, row.duration, tuple(change)) for row, change in stages),
        offset=(begin if program.with_run else program.offset) + sum(row.duration for row in rows[:first]),
    )
    actuated = program.type != "static"
    phases = tuple(
        Phase(
            index=i,
            state=row.state,
            name=row.name or str(i),
            # a static program never ends a phase early: its minDur says nothing above the duration
            min_green=min(row.min_dur if row.min_dur is not None else MIN_GREEN, row.duration)
            if not actuated or row.min_dur is None
            else row.min_dur,
            max_green=row.max_dur if actuated and row.max_dur is not None else NO_MAXIMUM,
        )
        for i, (row, _) in enumerate(stages)
    )
    yellow, all_red = change_times(timing)
    return Reading(timing, phases, yellow, all_red)


def phases_of(timing: Timing, before: Sequence[Phase] = ()) -> tuple[Phase, ...]:
    """The phases that a plan brings itself; with the minimum greens of the phases ``before`` it, by their links."""
    return tuple(
        Phase(i, stage.state, str(i), min(least_green(stage.state, before), stage.green), NO_MAXIMUM)
        for i, stage in enumerate(timing.stages)
    )


def least_green(state: str, phases: Sequence[Phase]) -> float:
    """Minimum green (s) of a state made of the links of ``phases``: none is shown for less than its shortest there."""
    least = MIN_GREEN
    for link in (k for k, letter in enumerate(state) if letter in GREEN):
        serving = [phase.min_green for phase in phases if phase.state[link] in GREEN]
        least = max(least, min(serving, default=0.0))
    return least


def change_times(timing: Timing) -> tuple[float, float]:
    """The longest yellow of a link and the longest clearance between two greens of a timing, s.

    Yellows that follow each other do not add up.
    """
    yellow = [
        sum(i.duration for i in stage.change if i.state[link] in "yY")
        for stage in timing.stages
        for link in range(len(stage.state))
    ]
    return max(yellow, default=0.0) or YELLOW, max(_clearance(stage.change) for stage in timing.stages)


def _clearance(change: Sequence[Interval]) -> float:
    """What a change has after its last yellow, s: red-yellow is part of it, and links that continue stay green.

    Without yellow, as where only crossings lose their green: the time in which all are red.
    """
    last = max((k for k, i in enumerate(change) if set(i.state) & set("yY")), default=None)
    if last is None:
        return sum(i.duration for i in change if not set(i.state) & (GREEN | {"u"}))
    return sum(i.duration for i in change[last + 1 :])


def _refusal(program: RawProgram, leads: Sequence[bool]) -> str:
    rows = program.phases
    if program.type not in ("static", "actuated", "delay_based"):  # NEMA: rings, not phases, and no yellow
        return f"its program is of type {program.type!r}"
    if not rows:
        return "its program has no phase"
    if any(row.next not in ("", str((i + 1) % len(rows))) for i, row in enumerate(rows)):
        return "its phases follow each other in another order than they stand in ('next')"
    if any(set(row.state) & set("oO") for row in rows):
        return "its program switches links of it off (o, O) for a time"
    greens = len(rows) - sum(leads)
    if greens == 0:
        return "its program shows no green"
    if greens == 1:
        return "it has one green phase: there is nothing to decide"
    return ""
