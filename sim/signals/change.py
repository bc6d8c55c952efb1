"""The change between two greens: yellow, clearance and all-red between any two phases of a signal.

Where the program goes that way itself its own intervals are used, letter for letter. Any other way is
built: links that lose green show yellow, links that stay green keep it, and nothing new turns green before
the yellow and the all-red are over. Vehicles and people on foot that lose green get at least the clearance that the
program gives them before each foe; where the program shows a phase in the course of it, so does the way. The result
is as safe as the two phases are: a conflict inside a phase is the phase's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable

import numpy as np

from denxanh.sim.network import GREEN, Intersection
from denxanh.sim.plan import Interval
from denxanh.sim.signals.clearance import kept_apart, pedestrian_clearance
from denxanh.sim.sumo.program import RANK, steady_letters


def change_intervals(intersection: Intersection, i: int, j: int) -> tuple[Interval, ...]:
    """The intervals shown between the greens of phases ``i`` and ``j``, in order; none if i = j.

    ``i`` and ``j`` index ``intersection.phases``: the stages of ``intersection.program`` in order, then added phases.
    """
    if i == j:
        return ()
    count = len(intersection.program.stages)
    if i < count and (i + 1) % count == j:
        return intersection.program.stages[i].change
    ways = [(i, j)] if max(i, j) < count else []
    return _shortest_way(intersection, intersection.phases[i].state, intersection.phases[j].state, ways)


def change_between(intersection: Intersection, before: str, after: str) -> tuple[Interval, ...]:
    """The same for two green states, which need not be phases of the program."""
    if before == after:
        return ()
    stages = intersection.program.stages
    for stage, following in zip(stages, stages[1:] + stages[:1], strict=True):
        if (stage.state, following.state) == (before, after):
            return stage.change
    ways = itertools.permutations(range(len(stages)), 2)
    fitting = [(i, j) for i, j in ways if (stages[i].state, stages[j].state) == (before, after)]
    return _shortest_way(intersection, before, after, fitting)


def _shortest_way(
    intersection: Intersection, before: str, after: str, own: Iterable[tuple[int, int]]
) -> tuple[Interval, ...]:
    """A built change; where it has to wait on red, the program's own way if that is no longer.

    ``own``: pairs of stages of the program that show ``before`` and ``after``.
    """
    way = built_change(intersection, before, after)
    if way == built_change(intersection, before, after, own_clearance=False):
        return way
    ways = (_way_of_program(intersection, i, j) for i, j in own)
    return min([*(other for other in ways if _only_clears(other, way, before, after)), way], key=_length)


def _only_clears(way: tuple[Interval, ...], built: tuple[Interval, ...], before: str, after: str) -> bool:
    """Whether a way ends greens as the built one does, and neither interrupts a green nor starts one before its end."""
    for k, (a, b) in enumerate(zip(before, after, strict=True)):
        letters, usual = ("".join(interval.state[k] for interval in one) for one in (way, built))
        green = "".join(GREEN)
        if a not in GREEN and any(letter in GREEN for letter in letters):
            return False
        if a in GREEN and b in GREEN and not all(letter in GREEN for letter in letters):
            return False
        if a in GREEN and b not in GREEN and letters.lstrip(green)[:1] != usual.lstrip(green)[:1]:
            return False
    return True


def _way_of_program(intersection: Intersection, i: int, j: int) -> tuple[Interval, ...]:
    """What the program shows between the greens of stages i and j, the stages in between among it."""
    stages = intersection.program.stages
    way = list(stages[i].change)
    for k in range(i + 1, j if j > i else j + len(stages)):
        stage = stages[k % len(stages)]
        way += [Interval(stage.state, stage.green), *stage.change]
    return tuple(way)


def _length(way: Iterable[Interval]) -> float:
    return sum(interval.duration for interval in way)


def built_change(
    intersection: Intersection, before: str, after: str, *, own_clearance: bool = True
) -> tuple[Interval, ...]:
    """The intervals between two green states by the signal's yellow and all-red, whatever its program does.

    ``own_clearance``: the all-red is longer where the program keeps a pair of foes apart for longer.
    """
    pairs = tuple(zip(before, after, strict=True))
    losing = {k for k, (a, b) in enumerate(pairs) if a in GREEN and b not in GREEN}
    if not losing:
        return ()
    crossings = losing & {link.index for link in intersection.links if link.crossing}
    steady = {k: a for k, a in steady_letters(intersection.program).items() if a not in GREEN}
    waiting = "".join(
        _going_on(intersection, k, a, losing) if a in GREEN and b in GREEN else steady.get(k, _standing(a, b))
        for k, (a, b) in enumerate(pairs)
    )

    def show(state: str, clearing: set[int]) -> str:
        return "".join("y" if k in clearing else letter for k, letter in enumerate(state))

    out = []
    gaining = [k for k, (a, b) in enumerate(pairs) if RANK.get(b, 0) > RANK.get(a, 0)]
    missing = (
        _pedestrian_clearance(intersection, crossings, gaining) - intersection.yellow - intersection.all_red
    )
    if missing > 0:  # the crossing ends before the vehicles that pass beside it
        out.append(Interval(show(before, crossings), missing))
    out.append(Interval(show(waiting, losing), intersection.yellow))
    all_red = intersection.all_red
    if own_clearance:
        all_red = max(
            all_red, _vehicle_clearance(intersection, losing - crossings, gaining) - intersection.yellow
        )
    if all_red > 0:
        out.append(Interval(waiting, all_red))
    return tuple(out)


def _going_on(intersection: Intersection, link: int, letter: str, losing: set[int]) -> str:
    """A green that goes on: yielding while a foe that it must give way to is clearing."""
    return "g" if any(intersection.yields[link, foe] for foe in losing) else letter


def _standing(before: str, after: str) -> str:
    """A link without green: red, except that 's' (turn after a stop) stays unless it ends now."""
    return "s" if before == "s" and after in {"s", *GREEN} else "r"


def _vehicle_clearance(
    intersection: Intersection, ending: Collection[int], gaining: Collection[int]
) -> float:
    """The longest time for which the program keeps one of ``ending`` apart from a foe among ``gaining``, s."""
    pair = np.ix_(sorted(ending), sorted(gaining))
    return float(np.max(kept_apart(intersection)[pair], where=intersection.foes[pair], initial=0.0))


def _pedestrian_clearance(
    intersection: Intersection, crossings: Collection[int], gaining: list[int]
) -> float:
    """The longest time that must pass between the end of a crossing and the start of a foe of it, s."""
    ending = [c for c in crossings if intersection.foes[c, gaining].any()]
    return float(pedestrian_clearance(intersection)[ending].max()) if ending else 0.0
