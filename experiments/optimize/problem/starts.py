"""Starts of a search: the existing plan, Webster's splits, MAXBAND's offsets, few and many stages.

A hill climb stays near the cycle and the stages of its start, so the starts differ in both.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.space import Candidate, Signal, Space
from denxanh.sim.network import GREEN
from denxanh.sim.plan import Plan, Stage, Timing
from denxanh.sim.timing.critical_flow import critical_ratios, flows_of
from denxanh.sim.timing.maxband import with_bands
from denxanh.sim.timing.webster import START_LOSS, YELLOW_USED, optimum_cycle

Array = NDArray[np.float64]
Order = tuple[int, ...]

CYCLES = 8
"""Number of start cycles, the shortest feasible one included; 6 to 10 found the best cycle on every network."""

_MOST_SETS = 50_000  # sets of one size that are enumerated; sets of 4 out of 33 stages are 41 000
_LARGEST_SET = 5  # stages: a junction of five roads, each alone
_MOST_COVERS = 60  # stage sets of one signal whose critical flows are compared


def starts(space: Space) -> list[Candidate]:
    """Candidates of different cycles and stages, the existing plan first. Requires movement flows."""
    out = [space.existing()]
    if space.constraints.greens:
        return out
    if space.constraints.cycle:
        cycles = [signal.cycle(setting) for signal, setting in zip(space.signals, out[0], strict=True)]
        for orders, ratios in _order_sets(space):
            fitted = [
                signal.fit(order, _greens(signal, order, ratio, cycle), cycle)
                for signal, order, ratio, cycle in zip(space.signals, orders, ratios, cycles, strict=True)
            ]
            settings = tuple(setting for setting in fitted if setting is not None)
            if len(settings) == len(fitted):
                out.append(settings)
        return out
    for orders, ratios in _order_sets(space):
        for cycle in cycle_grid(space, orders):
            weights = [
                _greens(signal, order, ratio, cycle)
                for signal, order, ratio in zip(space.signals, orders, ratios, strict=True)
            ]
            built = space.build(cycle, orders, weights)
            if built is not None:
                out.append(built)
    if not space.constraints.offsets and len(space.signals) > 1:
        out.append(in_bands(space, out[max(0, len(out) - CYCLES // 2)]))  # few stages, a middle cycle
    return list(dict.fromkeys(out))


def in_bands(space: Space, candidate: Candidate) -> Candidate:
    """The candidate with MAXBAND's offsets along the arterials; other signals keep theirs.

    A signal that shows one state only counts as green throughout.
    """
    cycle = float(space.common_cycle(candidate))
    timings = {one.id: Timing((Stage(one.program.stages[0].state, cycle, ()),)) for one in space.unchanging}
    timings |= {s.id: s.timing(x) for s, x in zip(space.signals, candidate, strict=True)}
    moved, _ = with_bands(space.network, timings)
    return tuple(
        replace(x, offset=round(moved[s.id].offset) % s.cycle(x))
        for s, x in zip(space.signals, candidate, strict=True)
    )


def as_start(space: Space, plan: Plan) -> Candidate | None:
    """A plan of all signals of the network as a candidate; None where it changes what the constraints keep.

    None too where the search may not set all of its signals, or where its changes of stage are not those of ``space``.
    """
    if set(plan.timings) != {signal.id for signal in space.signals}:
        return None
    try:
        candidate = space.candidate(plan)
    except ValueError:  # it shows a stage that the constraints leave out
        return None
    made = space.plan(candidate).timings
    if not space.legal(candidate) or any(
        Counter(made[name].stages) != Counter(timing.stages) for name, timing in plan.timings.items()
    ):
        return None
    keep = space.constraints
    for signal, new, old in zip(space.signals, candidate, space.existing(), strict=True):
        if (
            ((keep.stages or keep.greens) and new.order != old.order)
            or (keep.greens and new.greens != old.greens)
            or (keep.cycle and signal.cycle(new) != signal.cycle(old))
            or (keep.offsets and new.offset != old.offset)
        ):
            return None
    return candidate


def cycle_grid(space: Space, orders: Sequence[Order]) -> list[int]:
    """Cycles in s from the shortest feasible one to the upper bound, in equal ratios."""
    low, high = space.shortest_cycle(orders), space.cycles[1]
    if low > high:
        return []
    return sorted({round(c) for c in np.geomspace(low, high, CYCLES)})


def conventional_greens(space: Space, orders: Sequence[Order], cycle: int) -> list[list[float]]:
    """Weights of ``Space.build`` by which every signal's greens are in proportion to its critical flow ratios."""
    return [
        _greens(signal, order, _ratios(signal, order), cycle)
        for signal, order in zip(space.signals, orders, strict=True)
    ]


def _order_sets(space: Space) -> Iterator[tuple[list[Order], list[Array]]]:
    """Stage orders and critical ratios: the existing ones, the fewest of least cycle, the fewest without yielding."""
    sets = [[tuple(signal.stages.own) for signal in space.signals]]
    if not space.constraints.stages:
        sets.append([_fewest(space, signal) for signal in space.signals])
        sets.append([_fewest(space, signal, no_yielding=True) for signal in space.signals])
    for k, orders in enumerate(sets):
        if orders not in sets[:k]:
            yield (
                orders,
                [_ratios(signal, order) for signal, order in zip(space.signals, orders, strict=True)],
            )


def _fewest(space: Space, signal: Signal, *, no_yielding: bool = False) -> Order:
    """The complete set of fewest stages with the shortest optimum cycle by Webster.

    ``no_yielding``: only of stages in which no link yields, if there is a complete set of them.
    """
    best: tuple[float, Order] = (math.inf, tuple(signal.stages.own))
    for order in filter(signal.stages.complete, covers(signal, no_yielding=no_yielding)):
        total = float(_ratios(signal, order).sum())
        cycle = optimum_cycle(_lost(signal, order), min(total, 0.99))
        best = min(best, (cycle, order))
    return best[1]


def covers(signal: Signal, *, no_yielding: bool = False) -> list[Order]:
    """Complete sets of the fewest stages, existing stages preferred; at most a few dozen.

    ``no_yielding``: only of stages in which no link yields to another.
    """
    own = tuple(dict.fromkeys(signal.stages.own))
    every = tuple(range(len(signal.stages.states)))
    if no_yielding:
        own, every = (tuple(i for i in pool if not _yielding(signal, i)) for pool in (own, every))
    found: dict[Order, None] = {}
    for pool in (own, every):
        for size in range(2, min(len(pool), _LARGEST_SET) + 1):
            if math.comb(len(pool), size) > _MOST_SETS:
                break
            orders = np.array(list(itertools.combinations(pool, size)))
            complete = signal.stages.needs[:, orders].any(axis=2).all(axis=0)
            if complete.any():
                found |= dict.fromkeys(tuple(row) for row in orders[complete][:_MOST_COVERS].tolist())
                break
    return list(found)


def _yielding(signal: Signal, stage: int) -> bool:
    """Whether some link gives way to another in a stage."""
    green = [k for k, letter in enumerate(signal.stages.states[stage]) if letter in GREEN]
    return bool(signal.intersection.foes[np.ix_(green, green)].any())


def _ratios(signal: Signal, order: Order) -> Array:
    states = [signal.stages.states[i] for i in order]
    return critical_ratios(signal.intersection, states, flows_of(signal.intersection))


def _lost(signal: Signal, order: Order) -> float:
    return signal.lost(order) + len(order) * (START_LOSS - YELLOW_USED)


def _greens(signal: Signal, order: Order, ratios: Array, cycle: int) -> list[float]:
    """Webster's displayed greens as weights: the green of each stage above its minimum, s."""
    total = float(ratios.sum())
    share = ratios / total if total > 0 else np.full(len(order), 1 / len(order))
    shown = share * (cycle - _lost(signal, order)) + START_LOSS - YELLOW_USED
    return [max(0.0, float(g) - signal.min_green[i]) for g, i in zip(shown, order, strict=True)]
