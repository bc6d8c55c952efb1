"""Schedules of plans by time of day.

Given the cost of each plan in each period of the day, the cheapest schedule with a limited number of plans and a cost
of every switch is found exactly, by dynamic programming over the periods.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.problem.plan_programs import free_program, logics
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan
from denxanh.sim.sumo.xmlfile import xml_text

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Switch:
    """The plan with this index runs from ``time`` on, s of scenario time."""

    time: float
    plan: int


@dataclass(frozen=True)
class DaySchedule:
    """Plans and their start times; the first switch is the begin of the day."""

    plans: tuple[Plan, ...]
    switches: tuple[Switch, ...]
    cost: float  # of the periods and the switches together, in the unit of the matrix


def schedule(
    plans: Sequence[Plan],
    cost: Array,
    edges: Sequence[float],
    *,
    most: int | None = None,
    switch_cost: float = 0.0,
    dwell: int = 1,
) -> DaySchedule:
    """The schedule of least cost.

    ``cost`` (plans, periods) is the cost of each plan in each period, as a total (veh·s, not a mean); ``edges``
    (periods + 1,) are the periods' limits in s; ``most`` bounds the number of different plans; ``switch_cost``
    is the cost of a transition from one plan to another;
    ``dwell`` is the least number of periods that a plan runs. Raises InputError for a cost table of the wrong shape.
    """
    table = np.asarray(cost, dtype=np.float64)
    if table.shape != (len(plans), len(edges) - 1) or not table.size or not np.isfinite(table).all():
        raise InputError(
            f"costs of shape {table.shape} do not fit {len(plans)} plans and {len(edges) - 1} periods",
            location="time of day",
            remedy="give one finite cost for each plan in each period",
        )
    if dwell < 1 or (most is not None and most < 1) or dwell > table.shape[1] or switch_cost < 0:
        raise InputError("invalid limits on plans or switches", location="time of day")
    count = min(most or len(plans), len(plans))
    best: tuple[float, list[int]] = (np.inf, [])
    # adding a plan never makes the best schedule worse, so only the largest allowed sets are tried
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
    """Least total cost and the plan of each period; every plan runs for at least ``dwell`` periods."""
    periods = cost.shape[1]
    until = np.concatenate([np.zeros((len(cost), 1)), np.cumsum(cost, axis=1)], axis=1)
    least = np.full(periods + 1, np.inf)
    least[0] = -switch_cost  # the first plan is not a switch
    previous: list[tuple[int, int]] = [(0, 0)] * (periods + 1)
    for end in range(dwell, periods + 1):
        for start in range(0, end - dwell + 1):
            segment = until[:, end] - until[:, start]
            p = int(np.argmin(segment))
            total = least[start] + switch_cost + float(segment[p])
            if total < least[end] - 1e-12:
                least[end], previous[end] = total, (start, p)
    row: list[int] = []
    end = periods
    while end > 0:
        start, p = previous[end]
        row = [p] * (end - start) + row
        end = start
    return float(least[periods]), row


def day_xml(day: DaySchedule, network: Network) -> str:
    """An additional file with which bare SUMO runs the day: the programs of every plan and a WAUT that switches them.

    A signal switches at the start of the first stage's green of both plans (SUMO's GSP procedure), so no green is
    cut off; that green is extended until the new plan is in step with the clock. Raises InputError if the plans do
    not show the same stages.
    """
    root = Element("additional")
    base = free_program(network)
    for number, plan in enumerate(day.plans):
        root.extend(logics(plan, network, program=f"{base}-{number}", parameters={"GSP": "0"}))
    waut = ElementTree.SubElement(
        root, "WAUT", id=base, refTime="0", startProg=f"{base}-{day.switches[0].plan}"
    )
    for switch in day.switches[1:]:
        ElementTree.SubElement(waut, "wautSwitch", time=f"{switch.time:.10g}", to=f"{base}-{switch.plan}")
    for name in sorted({name for plan in day.plans for name in plan.timings}):
        if len({tuple(stage.state for stage in plan.timings[name].stages) for plan in day.plans}) > 1:
            raise InputError(f"the plans show different stages at signal {name!r}", location="time of day")
        ElementTree.SubElement(
            root, "wautJunction", wautID=base, junctionID=name, procedure="GSP", synchron="true"
        )
    return xml_text(root)


def schedule_json(day: DaySchedule, files: Sequence[str]) -> list[dict[str, str]]:
    """The schedule in the format of the controller ``time-of-day``; ``files`` are the names of the plan files."""
    return [{"from": clock_text(switch.time), "plan": files[switch.plan]} for switch in day.switches]


def clock_text(time: float) -> str:
    """hh:mm:ss of a time of the scenario, whose zero is midnight."""
    whole = math.floor(time % 86400.0)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
