"""Where a search starts: the existing plan, Webster's splits, MAXBAND's offsets, few and many stages.

A hill-climb stays near the cycle and stages it starts from, so the starts differ in both.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.space import Candidate, Signal, Space
from sim.arterials import arterials
from sim.critical import critical_ratios, flows_of
from sim.maxband import progression
from sim.network import GREEN
from sim.webster import START_LOSS, YELLOW_USED, optimum_cycle

Array = NDArray[np.float64]
Order = tuple[int, ...]

CYCLES = 8
"""Cycles to start from, the shortest feasible one included; 6 to 10 found the best cycle on every network."""

_MOST_SETS = 50_000  # sets of one size that are looked through; 33 stages by fours are 41 000
_LARGEST_SET = 5  # stages: a junction of five roads, each alone
_MOST_COVERS = 60  # sets of stages that are compared by their critical flows, for one signal


def starts(space: Space) -> list[Candidate]:
    """Candidates of different cycle and stages, the existing plan first. Flows must be known."""
    out = [space.existing()]
    if space.freeze.greens:
        return out
    if space.freeze.cycle:
        own = [signal.cycle(setting) for signal, setting in zip(space.signals, out[0], strict=True)]
        for orders, ratios in _order_sets(space):
            fitted = [
                signal.fit(order, _greens(signal, order, ratio, cycle), cycle)
                for signal, order, ratio, cycle in zip(space.signals, orders, ratios, own, strict=True)
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
    if not space.freeze.offsets and len(space.signals) > 1:
        out.append(in_bands(space, out[max(0, len(out) - CYCLES // 2)]))  # few stages, a middle cycle
    return list(dict.fromkeys(out))


def in_bands(space: Space, candidate: Candidate) -> Candidate:
    """The candidate with MAXBAND's offsets along the arterials; signals on none keep theirs."""
    timings = {s.id: s.timing(x) for s, x in zip(space.signals, candidate, strict=True)}
    ways = [way for way in arterials(space.network) if set(way.signals) <= set(timings)]
    offsets = progression(ways, timings)
    return tuple(
        replace(x, offset=round(offsets.get(s.id, x.offset)) % s.cycle(x))
        for s, x in zip(space.signals, candidate, strict=True)
    )


def cycle_grid(space: Space, orders: Sequence[Order]) -> list[int]:
    """Cycles in s from the shortest feasible one to the upper bound, in equal ratios."""
    low, high = space.shortest_cycle(orders), space.cycles[1]
    if low > high:
        return []
    return sorted({round(c) for c in np.geomspace(low, high, CYCLES)})


def _order_sets(space: Space) -> Iterator[tuple[list[Order], list[Array]]]:
    """All stages of the program, the few that carry the traffic in the shortest cycle, the few without yielding."""
    own = [tuple(signal.stages.own) for signal in space.signals]
    sets = [own]
    if not space.freeze.stages:
        sets.append([_lean(space, signal) for signal in space.signals])
        sets.append([_lean(space, signal, unhindered=True) for signal in space.signals])
    for k, orders in enumerate(sets):
        if orders not in sets[:k]:
            yield (
                orders,
                [_ratios(signal, order) for signal, order in zip(space.signals, orders, strict=True)],
            )


def _lean(space: Space, signal: Signal, *, unhindered: bool = False) -> Order:
    """The set of stages with the shortest optimum cycle of Webster's among the smallest complete sets.

    ``unhindered``: of stages in which nobody yields, if they are complete.
    """
    best: tuple[float, Order] = (math.inf, tuple(signal.stages.own))
    for order in covers(signal, unhindered=unhindered):
        total = float(_ratios(signal, order).sum())
        cycle = optimum_cycle(_lost(signal, order), min(total, 0.99))
        best = min(best, (cycle, order))
    return best[1]


def covers(signal: Signal, *, unhindered: bool = False) -> list[Order]:
    """Complete sets of the fewest stages, the program's own preferred; at most a few dozen.

    ``unhindered``: only of stages in which no link yields to another.
    """
    own = tuple(dict.fromkeys(signal.stages.own))
    every = tuple(range(len(signal.stages.states)))
    if unhindered:
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
    return bool(signal.where.foes[np.ix_(green, green)].any())


def _ratios(signal: Signal, order: Order) -> Array:
    states = [signal.stages.states[i] for i in order]
    return critical_ratios(signal.where, states, flows_of(signal.where))


def _lost(signal: Signal, order: Order) -> float:
    return signal.lost(order) + len(order) * (START_LOSS - YELLOW_USED)


def _greens(signal: Signal, order: Order, ratios: Array, cycle: int) -> list[float]:
    """Webster's displayed greens as weights: what each stage gets above its minimum."""
    total = float(ratios.sum())
    share = ratios / total if total > 0 else np.full(len(order), 1 / len(order))
    shown = share * (cycle - _lost(signal, order)) + START_LOSS - YELLOW_USED
    return [max(0.0, float(g) - signal.min_green[i]) for g, i in zip(shown, order, strict=True)]
