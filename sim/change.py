"""The way from one green to the next: yellow, clearance and all-red between any two phases of a signal.

Where the program goes that way itself its own intervals are used, letter for letter. Any other way is
built: links that lose green show yellow, links that stay green keep it, and nothing new turns green before
the yellow and the all-red are over. A crossing that loses green gets at least the clearance that the
program gives it. The result is as safe as the two phases are: a conflict inside a phase is the phase's own.
"""

from __future__ import annotations

from sim.clearance import RANK, walkers_need
from sim.network import GREEN, Intersection
from sim.plan import Interval


def change_intervals(where: Intersection, i: int, j: int) -> tuple[Interval, ...]:
    """The intervals shown between the greens of phases ``i`` and ``j``, in order; none if i = j.

    ``i`` and ``j`` index ``where.phases``: the stages of ``where.program`` in their order, then phases beside them.
    """
    stages = where.program.stages
    if i == j:
        return ()
    if i < len(stages) and (i + 1) % len(stages) == j:
        return stages[i].change
    return built_change(where, where.phases[i].state, where.phases[j].state)


def change_between(where: Intersection, before: str, after: str) -> tuple[Interval, ...]:
    """The same for two green states, which need not be phases of the program."""
    if before == after:
        return ()
    stages = where.program.stages
    for stage, following in zip(stages, stages[1:] + stages[:1], strict=True):
        if (stage.state, following.state) == (before, after):
            return stage.change
    return built_change(where, before, after)


def built_change(where: Intersection, before: str, after: str) -> tuple[Interval, ...]:
    """The intervals between two green states by the signal's yellow and all-red, whatever its program does."""
    pairs = tuple(zip(before, after, strict=True))
    losing = {k for k, (a, b) in enumerate(pairs) if a in GREEN and b not in GREEN}
    if not losing:
        return ()
    crossings = losing & {link.index for link in where.links if link.crossing}
    waiting = "".join(
        _going_on(where, k, a, losing) if a in GREEN and b in GREEN else _standing(a, b)
        for k, (a, b) in enumerate(pairs)
    )

    def show(state: str, clearing: set[int]) -> str:
        return "".join("y" if k in clearing else letter for k, letter in enumerate(state))

    out = []
    missing = _pedestrian_clearance(where, crossings, pairs) - where.yellow - where.all_red
    if missing > 0:  # the crossing ends before the vehicles that pass beside it
        out.append(Interval(show(before, crossings), missing))
    out.append(Interval(show(waiting, losing), where.yellow))
    if where.all_red > 0:
        out.append(Interval(waiting, where.all_red))
    return tuple(out)


def _going_on(where: Intersection, link: int, letter: str, losing: set[int]) -> str:
    """A green that goes on: yielding while a foe that it must give way to is clearing."""
    return "g" if any(where.yields[link, foe] for foe in losing) else letter


def _standing(before: str, after: str) -> str:
    """A link without green: red, except that 's' (turn after a stop) stays unless it ends now."""
    return "s" if before == "s" and after in {"s", *GREEN} else "r"


def _pedestrian_clearance(
    where: Intersection, crossings: set[int], pairs: tuple[tuple[str, str], ...]
) -> float:
    """The longest time that must pass between the end of a crossing and the start of a foe of it, s."""
    starting = [k for k, (a, b) in enumerate(pairs) if RANK.get(b, 0) > RANK.get(a, 0)]
    ending = [c for c in crossings if where.foes[c, starting].any()]
    return float(walkers_need(where)[ending].max()) if ending else 0.0
