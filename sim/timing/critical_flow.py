"""Critical flow ratios: how much of a cycle each stage must be green for the lanes that need it most.

The textbook takes the largest q/s among the lanes of each stage. Where a lane is green in several stages, or
a movement may choose among lanes, that is not defined; this is the linear program that extends it: the least
total green share under which every lane carries its flow, movements spread over their lanes (Allsop 1972).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError
from denxanh.sim.network import GREEN, Intersection
from denxanh.sim.timing.saturation import saturation_flow

Array = NDArray[np.float64]

CRITICAL_GAP = 4.5  # s, permitted left turns (HCM 2000, exhibit 17-5 and chapter 16, appendix C)
FOLLOW_UP = 2.5  # s, the same
SNEAKERS = 0.05  # of the saturation flow that a yielding turn gets at least: the two that leave in the yellow


def flows_of(intersection: Intersection) -> Array:
    """Expected flow of each movement, veh/s, shape (movements,); an InputError where it is not known."""
    if any(movement.flow is None for movement in intersection.movements):
        raise InputError(
            "the expected flows are not known",
            location=f"signal {intersection.id!r}",
            remedy="give the demand too",
        )
    return np.array([movement.flow or 0.0 for movement in intersection.movements])


def critical_ratios(intersection: Intersection, states: Sequence[str], flow: Array) -> Array:
    """Share of effective green that each state needs, shape (states,); the sum is Webster's Y.

    ``flow`` is by movement, veh/s. Movements that no state serves are left out.
    """
    n = len(states)
    speed = {approach.lane: approach.speed for approach in intersection.approaches}
    lanes: dict[str, list[tuple[int, float, Array]]] = {}  # lane → (column, 1/s, service by state)
    spread: dict[int, list[int]] = {}  # movement → its columns
    count = n
    for number, movement in enumerate(intersection.movements):
        if flow[number] <= 0:
            continue
        for link in (x for x in intersection.links if x.index in movement.links and x.start in speed):
            if _road(link.end) != movement.end or _road(link.start) != movement.start:
                continue
            service = np.array([_service(intersection, state, link.index, flow) for state in states])
            if service.any():
                headway = 1.0 / saturation_flow(speed[link.start], link.turn_speed)
                lanes.setdefault(link.start, []).append((count, headway, service))
                spread.setdefault(number, []).append(count)
                count += 1
    rows = []
    for columns in lanes.values():
        everyone = np.max([service for _, _, service in columns], axis=0)
        for members, service in [(columns, everyone), *(([c], c[2]) for c in columns if len(columns) > 1)]:
            row = np.zeros(count)  # green needed by the flows of this lane, less the green that it gets
            row[:n] = -service
            for column, headway, _ in members:
                row[column] = headway
            rows.append(row)
    if not rows:
        return np.zeros(n)
    whole = np.zeros((len(spread), count))
    for r, columns_ in enumerate(spread.values()):
        whole[r, columns_] = 1.0
    cost = np.concatenate([np.ones(n), np.zeros(count - n)])
    from scipy.optimize import linprog  # half a second, which a run that needs no flows must not pay

    solution = linprog(
        cost, A_ub=np.array(rows), b_ub=np.zeros(len(rows)), A_eq=whole, b_eq=flow[list(spread)]
    )
    if solution.x is None:  # enough green serves any flow, so this is a fault of the solver
        raise ArithmeticError(
            f"signal {intersection.id!r}: the critical flow ratios were not found: {solution.message}"
        )
    return np.asarray(solution.x[:n], dtype=np.float64)


def _service(intersection: Intersection, state: str, link: int, flow: Array) -> float:
    """How well a state serves a link, 0 to 1 of its saturation flow."""
    if state[link] not in GREEN:
        return 0.0
    if state[link] == "G":
        return 1.0
    opposing = math.fsum(
        flow[number]
        for number, movement in enumerate(intersection.movements)
        if any(intersection.yields[link, m] and state[m] in GREEN for m in movement.links)
    )
    if opposing <= 0:
        return 1.0
    # Siegloch's capacity of a yielding stream, over that of one that need not yield
    gaps = opposing * math.exp(-opposing * CRITICAL_GAP) / (1 - math.exp(-opposing * FOLLOW_UP))
    return max(SNEAKERS, min(1.0, gaps * FOLLOW_UP))


def _road(lane: str) -> str:
    return lane.rpartition("_")[0]
