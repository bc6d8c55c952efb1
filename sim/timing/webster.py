"""Webster's fixed-time signals: optimum cycle, splits and delay.

Webster, F. V. (1958), Traffic Signal Settings, Road Research Technical Paper 39. Flows in veh/s, times in s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError
from denxanh.sim.network import Intersection, Network
from denxanh.sim.plan import Plan, Stage, Timing
from denxanh.sim.timing.critical_flow import critical_ratios, flows_of
from denxanh.sim.timing.random_queues import md1_delay

Array = NDArray[np.float64]

CYCLE_BOUNDS = (30.0, 120.0)
"""s. Webster: below 25 to 30 s lost time eats the capacity, above 120 s delay grows for hardly any of it."""

PRACTICAL = 0.95
"""Flow ratio Y from which the optimum cycle exceeds any bound in practice: 1.5 L + 5 over 0.05."""

PRACTICAL_SATURATION = 0.9
"""Degree of saturation up to which a stage works in practice (Akçelik 1981, ARR 123)."""

START_LOSS = 2.0  # s lost at each start of green: Webster's observed value
# s of each yellow that discharges as if it were green. With all 3 s of a usual yellow the lost time of a stage would be
# Webster's 2 s and an all-red; his cycles are then too short for SUMO's junctions: cologne1 280 s/veh (59 with 1 s),
# cologne3 126 (52), ingolstadt1 29.7 (26.9), grid4x4 the same, ha-noi/pho-hue 111 (126); seeds 1 and 2.
YELLOW_USED = 1.0


def optimum_cycle(lost: float, flow_ratio: float) -> float:
    """Webster's cycle of least delay, s; inf where Y ≥ 1 and no cycle carries the traffic.

    ``lost`` is L, the lost time of a cycle (s), ``flow_ratio`` is Y, the sum of the critical q/s.

    >>> round(optimum_cycle(16, 0.5))
    58
    """
    if flow_ratio >= 1.0:
        return math.inf
    return (1.5 * lost + 5.0) / (1.0 - flow_ratio)  # Webster (1958), eq. 7


def splits(cycle: float, lost: float, ratios: Sequence[float]) -> Array:
    """Effective greens in proportion to the critical flow ratios, s: Webster's rule of equal saturation."""
    y = np.asarray(ratios, dtype=np.float64)
    total = y.sum()
    share = y / total if total > 0 else np.full(len(y), 1.0 / len(y))
    return np.asarray((cycle - lost) * share, dtype=np.float64)


def webster_delay(cycle: float, green: float, flow: float, saturation: float) -> float:
    """Average delay, s/veh, with all three terms; inf at or above capacity.

    ``green`` is effective (s), ``flow`` and ``saturation`` are veh/s.
    """
    share = green / cycle  # λ
    if flow <= 0:
        return 0.5 * cycle * (1 - share) ** 2
    x = flow / (share * saturation)
    if x >= 1.0:
        return math.inf
    uniform = cycle * (1 - share) ** 2 / (2 * (1 - share * x))
    random = float(md1_delay(flow, share * saturation))  # x² / (2 q (1 − x))
    correction = 0.65 * math.cbrt(cycle / flow**2) * math.pow(x, 2 + 5 * share)
    return uniform + random - correction  # Webster (1958), eq. 1


def webster_delay_simplified(cycle: float, green: float, flow: float, saturation: float) -> float:
    """The same with the third term, 5 to 15 % of the whole, taken as a tenth."""
    share = green / cycle
    x = flow / (share * saturation)
    if x >= 1.0:
        return math.inf
    if flow <= 0:
        return 0.9 * 0.5 * cycle * (1 - share) ** 2
    return 0.9 * (
        cycle * (1 - share) ** 2 / (2 * (1 - share * x)) + float(md1_delay(flow, share * saturation))
    )


def lost_time(timing: Timing) -> float:
    """L of a cycle, s: its changes and starting losses, less what the yellows give back."""
    changes = [sum(i.duration for i in stage.change) for stage in timing.stages]
    return sum(change + START_LOSS - YELLOW_USED for change in changes if change > 0)


def webster_plan(network: Network, *, bounds: tuple[float, float] = CYCLE_BOUNDS) -> Plan:
    """Webster's timing of every intersection: its own stages, one common cycle, splits by critical flows.

    The common cycle is the longest of the optimum cycles, within ``bounds`` (s), in whole seconds. Where the
    critical flow ratio reaches PRACTICAL, Webster's formula has no useful answer: such a signal gets the
    upper bound and is named in the plan's note. Minimum greens are kept. Offsets stay the network's own.
    Flows must be known (``Movement.flow``), or InputError.
    """
    low, high = bounds
    if not 0 < low <= high:
        raise InputError(f"a cycle from {low:g} to {high:g} s is not possible", remedy="give low ≤ high")
    needs, wanted, full = {}, {}, []
    for name, intersection in network.intersections.items():
        states = [stage.state for stage in intersection.program.stages]
        needs[name] = critical_ratios(intersection, states, flows_of(intersection))
        total = float(needs[name].sum())
        if total >= PRACTICAL:
            full.append(f"{name} (Y = {total:.2f})")
            wanted[name] = high
        else:
            wanted[name] = optimum_cycle(lost_time(intersection.program), total)
    carrying = {
        name: intersection
        for name, intersection in network.intersections.items()
        if needs[name].sum() < PRACTICAL
    }
    least = max((_shortest(intersection) for intersection in network.intersections.values()), default=low)
    cycle = max(math.ceil(min(max(max(wanted.values(), default=low), low), high)), math.ceil(least))
    while cycle < high and not all(
        _carries(intersection, cycle, needs[name]) for name, intersection in carrying.items()
    ):
        cycle += 1  # minimum greens take what others need: Webster's formula does not know them
    note = f"Webster, cycle {cycle} s"
    if full:
        note += f"; oversaturated, the longest cycle was taken: {', '.join(full)}"
    return Plan(
        {
            name: _timed(intersection, cycle, needs[name])
            for name, intersection in network.intersections.items()
        },
        note,
    )


def _shortest(intersection: Intersection) -> float:
    return sum(math.ceil(p.min_green) for p in intersection.phases) + sum(
        i.duration for stage in intersection.program.stages for i in stage.change
    )


def _carries(intersection: Intersection, cycle: int, ratios: Array) -> bool:
    """Whether, where a minimum green binds, every stage can be at PRACTICAL_SATURATION or below beside it."""
    change = sum(i.duration for stage in intersection.program.stages for i in stage.change)
    low = np.array([math.ceil(p.min_green) for p in intersection.phases], dtype=np.float64)
    wanted = splits(cycle, lost_time(intersection.program), list(ratios)) + START_LOSS - YELLOW_USED
    if np.all(wanted >= low):
        return True
    need = np.asarray(ratios) * cycle / PRACTICAL_SATURATION + START_LOSS - YELLOW_USED
    return bool(np.maximum(low, need).sum() + change <= cycle)


def _timed(intersection: Intersection, cycle: int, ratios: Array) -> Timing:
    """Displayed greens: minimum greens first, the rest by largest remainder; whole seconds where the changes are."""
    stages = intersection.program.stages
    change = sum(i.duration for stage in stages for i in stage.change)
    low = np.array([math.ceil(p.min_green) for p in intersection.phases], dtype=np.float64)
    wanted = splits(cycle, lost_time(intersection.program), list(ratios)) + START_LOSS - YELLOW_USED
    room = cycle - change
    green, free = low.copy(), np.ones(len(low), dtype=np.bool_)
    while free.any():  # stages below their minimum get it, the others share the rest
        part = np.maximum(wanted, 0.0) * free
        rest = room - low[~free].sum()
        green[free] = (rest * part / part.sum() if part.sum() > 0 else free * rest / free.sum())[free]
        short = free & (green < low)
        if not short.any():
            break
        green[short], free = low[short], free & ~short
    whole = np.floor(green + 1e-9)
    for k in np.argsort(whole - green, kind="stable")[: round(room - whole.sum())]:
        whole[k] += 1
    whole[np.argmax(whole)] += room - whole.sum()  # changes of half seconds: the common cycle remains
    return Timing(
        tuple(Stage(s.state, float(g), s.change) for s, g in zip(stages, whole, strict=True)),
        intersection.program.offset % cycle,
    )
