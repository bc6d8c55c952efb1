"""Plans by time of day: which plan runs when, chosen so that switching less often and fewer plans cost little.

Given what each plan would cost in each period of the day, the cheapest schedule with at most a given number
of plans and a price for every switch is found exactly, by dynamic programming over the periods.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.export import PROGRAM
from sim.errors import InputError
from sim.plan import Plan

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Switch:
    """From ``time`` (s, the scenario's clock) on the plan with this index runs."""

    time: float
    plan: int


@dataclass(frozen=True)
class DaySchedule:
    """Plans and when they start; the first switch is the begin of the day."""

    plans: tuple[Plan, ...]
    switches: tuple[Switch, ...]
    cost: float  # of the periods and the switches together, in the unit of the matrix

    def plan_at(self, time: float) -> Plan:
        """The plan that runs at ``time``, s."""
        running = [s for s in self.switches if s.time <= time]
        return self.plans[(running or self.switches[:1])[-1].plan]


def schedule(
    plans: Sequence[Plan],
    cost: Array,
    edges: Sequence[float],
    *,
    most: int | None = None,
    switch_cost: float = 0.0,
    dwell: int = 1,
) -> DaySchedule:
    """The cheapest schedule.

    ``cost`` (plans, periods) is what each plan costs in each period, as a total (veh·s, not a mean); ``edges``
    (periods + 1,) are the periods' limits in s; ``most`` bounds the number of different plans; ``switch_cost``
    is what the transition from one plan to another costs (queues that wait while signals change step);
    ``dwell`` is how many periods a plan must run at least.
    """
    table = np.asarray(cost, dtype=np.float64)
    if table.shape != (len(plans), len(edges) - 1) or not table.size or not np.isfinite(table).all():
        raise InputError(
            f"costs of shape {table.shape} do not fit {len(plans)} plans and {len(edges) - 1} periods",
            where="time of day",
            remedy="give one finite cost for each plan in each period",
        )
    if dwell < 1 or (most is not None and most < 1) or dwell > table.shape[1] or switch_cost < 0:
        raise InputError("the limits on plans and switches cannot be meant", where="time of day")
    count = min(most or len(plans), len(plans))
    best: tuple[float, list[int]] = (np.inf, [])
    # adding a plan never makes the best schedule worse, so only the largest allowed sets are looked at
    for chosen in itertools.combinations(range(len(plans)), count):
        total, row = _cheapest(table[list(chosen)], switch_cost, dwell)
        if total < best[0] - 1e-12:
            best = (total, [chosen[k] for k in row])
    used = sorted(set(best[1]))
    switches = [
        Switch(float(edges[t]), used.index(p)) for t, p in enumerate(best[1]) if t == 0 or p != best[1][t - 1]
    ]
    return DaySchedule(tuple(plans[p] for p in used), tuple(switches), best[0])


def _cheapest(cost: Array, switch_cost: float, dwell: int) -> tuple[float, list[int]]:
    """Least total and the plan of each period: a segment's plan costs its sum over at least ``dwell`` periods."""
    periods = cost.shape[1]
    until = np.concatenate([np.zeros((len(cost), 1)), np.cumsum(cost, axis=1)], axis=1)
    least = np.full(periods + 1, np.inf)
    least[0] = -switch_cost  # the first plan is not a switch
    came: list[tuple[int, int]] = [(0, 0)] * (periods + 1)
    for end in range(dwell, periods + 1):
        for start in range(0, end - dwell + 1):
            segment = until[:, end] - until[:, start]
            p = int(np.argmin(segment))
            total = least[start] + switch_cost + float(segment[p])
            if total < least[end] - 1e-12:
                least[end], came[end] = total, (start, p)
    row: list[int] = []
    end = periods
    while end > 0:
        start, p = came[end]
        row = [p] * (end - start) + row
        end = start
    return float(least[periods]), row


def switching_xml(day: DaySchedule) -> str:
    """SUMO's WAUT: with it bare SUMO switches between the programs ``denxanh-0``, ``denxanh-1``, …"""
    root = Element("additional")
    waut = ElementTree.SubElement(
        root, "WAUT", id=PROGRAM, refTime="0", startProg=program_name(day.switches[0].plan)
    )
    for switch in day.switches:
        ElementTree.SubElement(waut, "wautSwitch", time=f"{switch.time:g}", to=program_name(switch.plan))
    for name in sorted({name for plan in day.plans for name in plan.timings}):
        ElementTree.SubElement(root, "wautJunction", wautID=PROGRAM, junctionID=name)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def program_name(number: int) -> str:
    """The programID of a plan of the day."""
    return f"{PROGRAM}-{number}"
