"""The change between two greens: yellow, clearance and all-red between any two phases of a signal.

A change that the program makes itself uses the program's intervals, letter for letter. Any other change is built:
links that lose green show yellow, links that stay green keep it, and no other link turns green before the yellow and
the all-red are over. A crossing that loses green gets at least the clearance that the program gives it. The result
is as safe as the two phases: a conflict inside a phase remains.
"""

from __future__ import annotations

from denxanh.sim.network import GREEN, Intersection
from denxanh.sim.plan import Interval
from denxanh.sim.signals.clearance import RANK, pedestrian_clearance


def change_intervals(intersection: Intersection, i: int, j: int) -> tuple[Interval, ...]:
    """The intervals shown between the greens of phases ``i`` and ``j``, in order; none if i = j.

    ``i`` and ``j`` index ``intersection.phases``: the stages of ``intersection.program`` in order, then added phases.
    """
    stages = intersection.program.stages
    if i == j:
        return ()
    if i < len(stages) and (i + 1) % len(stages) == j:
        return stages[i].change
    return built_change(intersection, intersection.phases[i].state, intersection.phases[j].state)


def change_between(intersection: Intersection, before: str, after: str) -> tuple[Interval, ...]:
    """The same for two green states, which need not be phases of the program."""
    if before == after:
        return ()
    stages = intersection.program.stages
    for stage, following in zip(stages, stages[1:] + stages[:1], strict=True):
        if (stage.state, following.state) == (before, after):
            return stage.change
    return built_change(intersection, before, after)


def built_change(intersection: Intersection, before: str, after: str) -> tuple[Interval, ...]:
    """The intervals between two green states by the signal's yellow and all-red, whatever its program does."""
    pairs = tuple(zip(before, after, strict=True))
    losing = {k for k, (a, b) in enumerate(pairs) if a in GREEN and b not in GREEN}
    if not losing:
        return ()
    crossings = losing & {link.index for link in intersection.links if link.crossing}
    waiting = "".join(
        _going_on(intersection, k, a, losing) if a in GREEN and b in GREEN else _standing(a, b)
        for k, (a, b) in enumerate(pairs)
    )

    def show(state: str, clearing: set[int]) -> str:
        return "".join("y" if k in clearing else letter for k, letter in enumerate(state))

    out = []
    missing = (
        _clearance_before_foes(intersection, crossings, pairs) - intersection.yellow - intersection.all_red
    )
    if missing > 0:  # the crossing ends before the vehicles that pass beside it
        out.append(Interval(show(before, crossings), missing))
    out.append(Interval(show(waiting, losing), intersection.yellow))
    if intersection.all_red > 0:
        out.append(Interval(waiting, intersection.all_red))
    return tuple(out)


def _going_on(intersection: Intersection, link: int, letter: str, losing: set[int]) -> str:
    """A green that goes on: yielding while a foe that it must give way to is clearing."""
    return "g" if any(intersection.yields[link, foe] for foe in losing) else letter


def _standing(before: str, after: str) -> str:
    """A link without green: red, except that 's' (turn after a stop) stays unless it ends now."""
    return "s" if before == "s" and after in {"s", *GREEN} else "r"


def _clearance_before_foes(
    intersection: Intersection, crossings: set[int], pairs: tuple[tuple[str, str], ...]
) -> float:
    """The longest time that must pass between the end of a crossing and the start of a foe of it, s."""
    starting = [k for k, (a, b) in enumerate(pairs) if RANK.get(b, 0) > RANK.get(a, 0)]
    ending = [c for c in crossings if intersection.foes[c, starting].any()]
    return float(pedestrian_clearance(intersection)[ending].max()) if ending else 0.0
