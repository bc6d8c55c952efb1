"""From a SUMO tlLogic to a Timing: which phases are greens, and which only lead from green to green.

What a state is, the links that change say. A link that is never red (a free right turn) or never changes its letter (a
flashing arrow) shows the same during a phase and during the all-red after it. A state whose greens all go on from the
phase before to the phase after keeps others apart, and serves nobody who would not be served without it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from denxanh.sim.network import GREEN, Phase
from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.sumo.netfile import RawPhase, RawProgram
from denxanh.sim.sumo.phase_sequence import repeated

MIN_GREEN = 5.0  # s, the floor where a program gives none (the 5 s of NTCIP examples and of the benchmarks)
YELLOW = 3.0  # s, for a program without yellow: ITE's value for 40–50 km/h
NO_MAXIMUM = float("inf")
WALKING = 1.07  # m/s (3.5 ft/s), MUTCD 2009, section 4E.06: the speed that pedestrian clearance presumes
CLEARING = 5.0  # s, netconvert's tls.crossing-clearance.time

RANK = {"g": 1, "G": 2}
"""How much right of way a letter gives; all others give none."""


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
    if not changed or not set(changed) <= crossings.keys():
        return False
    ending = all(before.state[k] in GREEN and row.state[k] not in GREEN for k in changed)
    return ending and row.duration <= max(CLEARING, *(crossings[k] / WALKING for k in changed))


def leading(rows: Sequence[RawPhase], crossings: Mapping[int, float]) -> list[bool]:
    """By row of a program, whether it only leads from one phase to the next.

    Links that are never red say nothing of it; only where there would be nothing to choose without them, those of
    them count that change between ``G`` and ``g``, as a left turn does that is protected for a time.
    """
    letters = [set(column) for column in zip(*(row.state for row in rows), strict=False)]
    changing = {k for k, shown in enumerate(letters) if len(shown) > 1}
    leads = _leading(rows, {k for k in changing if letters[k] - GREEN}, crossings)
    return leads if leads.count(False) > 1 else _leading(rows, changing, crossings)


def _leading(
    rows: Sequence[RawPhase], counted: Collection[int], crossings: Mapping[int, float]
) -> list[bool]:
    """The same where only the letters of the links ``counted`` count."""
    silent = set(range(max(len(row.state) for row in rows))) - set(counted)
    kept = [without(row.state, silent) for row in rows]
    changes = [is_change(state) for state in kept]
    leads = [
        change or (not changes[i - 1] and pedestrians_clear(rows[i - 1], rows[i], crossings))
        for i, change in enumerate(changes)
    ]
    return [lead or _goes_on(kept, leads, i) for i, lead in enumerate(leads)]


def _goes_on(states: Sequence[str], leads: Sequence[bool], i: int) -> bool:
    """Whether all that is green in state ``i`` is so without a break from the phase before it to the one after."""
    size = len(states)
    others = [k for k in range(1, size) if not leads[(i + k) % size] and states[(i + k) % size] != states[i]]
    if not others:
        return False
    around = [states[k % size] for k in range(i + others[-1] - size, i + others[0] + 1)]
    green = [(k, RANK[letter]) for k, letter in enumerate(states[i]) if letter in RANK]
    return all(RANK.get(state[k], 0) >= rank for state in around for k, rank in green)


def read_program(
    program: RawProgram, begin: float = 0.0, crossings: Mapping[int, float] | None = None
) -> Reading:
    """Understand one program; several equal states stay several phases, as the program has them.

    ``begin`` (s) is when the run begins, for a program whose offset counts from there. ``crossings``: the lengths of
    the crossings in m by link index.
    """
    loop = repeated(program, begin) if program.phases else program
    program, in_order = loop or program, loop is not None
    rows = program.phases
    unreadable = _unreadable(program, in_order=in_order)
    leads = [] if unreadable else leading(rows, crossings or {})
    refusal = unreadable or _nothing_to_decide(rows, leads)
    if refusal:
        return Reading(None, (), YELLOW, 0.0, refusal)
    first = leads.index(False)
    stages: list[tuple[RawPhase, list[Interval]]] = []
    turned = [*zip(rows, leads, strict=True)]
    for row, lead in turned[first:] + turned[:first]:
        if lead:
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


@lru_cache(maxsize=1024)
def steady_letters(timing: Timing) -> Mapping[int, str]:
    """The letters that a timing never changes, by link: a free right turn's ``G``, a flashing arrow's ``y``."""
    columns = enumerate(zip(*(state for state, _ in timing.steps()), strict=True))
    return {link: shown[0] for link, shown in columns if len(set(shown)) == 1}


def change_times(timing: Timing) -> tuple[float, float]:
    """The longest yellow of a link and the longest clearance between two greens of a timing, s.

    Yellows that follow each other do not add up.
    """
    steady = [link for link, letter in steady_letters(timing).items() if letter not in GREEN]
    changes = [
        [Interval(without(interval.state, steady), interval.duration) for interval in stage.change]
        for stage in timing.stages
    ]
    yellow = [
        sum(i.duration for i in change if i.state[link] in "yY")
        for change in changes
        for link in range(len(timing.stages[0].state) - len(steady))
    ]
    return max(yellow, default=0.0) or YELLOW, max(map(_clearance, changes))


def without(state: str, links: Collection[int]) -> str:
    """The letters of a state but those of ``links``."""
    return "".join(letter for k, letter in enumerate(state) if k not in links)


def _clearance(change: Sequence[Interval]) -> float:
    """What a change has after its last yellow, s: red-yellow is part of it, and links that continue stay green.

    Without yellow, as where only crossings lose their green: the time in which all are red.
    """
    last = max((k for k, i in enumerate(change) if set(i.state) & set("yY")), default=None)
    if last is None:
        return sum(i.duration for i in change if not set(i.state) & (GREEN | {"u"}))
    return sum(i.duration for i in change[last + 1 :])


def _unreadable(program: RawProgram, *, in_order: bool) -> str:
    """Why nothing can be said of the phases of a program; empty if something can."""
    rows = program.phases
    if program.type not in ("static", "actuated", "delay_based"):  # NEMA: rings, not phases, and no yellow
        return f"its program is of type {program.type!r}"
    if not rows:
        return "its program has no phase"
    if len({len(row.state) for row in rows}) > 1:
        return "its phases have states of different lengths"
    if not in_order:
        return "its phases follow each other in another order than they stand in ('next')"
    if any(
        set(column) & set("oO") and len(set(column)) > 1
        for column in zip(*(r.state for r in rows), strict=True)
    ):
        return "its program switches links of it off (o, O) for a time"
    return ""


def _nothing_to_decide(rows: Sequence[RawPhase], leads: list[bool]) -> str:
    """Why there are not two phases to choose from; empty if there are."""
    if not any(set(row.state) & GREEN for row in rows):
        return "its program shows no green"
    if leads.count(False) < 2:
        return "it has one green phase: there is nothing to decide"
    return ""
