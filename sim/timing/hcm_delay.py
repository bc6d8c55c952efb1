"""Signalised intersections by the Highway Capacity Manual: capacity, v/c ratio, control delay, level of service.

Equations and exhibits are numbered as in the HCM, 7th ed. (TRB 2022), chapters 19 and 31; where an older edition is
cited, the line says so. The manual itself was not at hand: docs/measures.md says where each formula was read. Flows
and capacities are veh/h, times s, but the analysis period is in h, as in the manual. All functions take numbers or
arrays that broadcast, and return arrays (0-dimensional for numbers).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

PRETIMED_K = 0.5
"""Incremental delay factor k where the green does not answer the traffic (HCM, step 8)."""

LEVELS = (("A", 10.0), ("B", 20.0), ("C", 35.0), ("D", 55.0), ("E", 80.0))
"""Level of service and the largest control delay that has it, s/veh (HCM, exhibit 19-8)."""

WORST_LEVEL = "F"

ARRIVAL_TYPES = (0.5, 0.85, 1.15, 1.5, 2.0)
"""Largest platoon ratio of arrival types 1 to 5; type 6 lies above (HCM 2000, exhibit 15-4)."""

WALK_EXTENSION = 4.0
"""s of the flashing clearance in which people still begin to cross (HCM, eq. 19-51 ff.)."""


def capacity(lanes: ArrayLike, saturation_flow: ArrayLike, green: ArrayLike, cycle: ArrayLike) -> Array:
    """Capacity of a lane group, veh/h: N s g / C (eq. 19-16); ``saturation_flow`` in veh/h for one lane."""
    n, s, g, c = _arrays(lanes, saturation_flow, green, cycle)
    return n * s * g / c


def volume_to_capacity(flow: ArrayLike, capacity: ArrayLike) -> Array:
    """X = v / c (eq. 19-17); inf for a flow without capacity, 0 where there is neither."""
    v, c = np.broadcast_arrays(*_arrays(flow, capacity))
    with np.errstate(divide="ignore"):
        return np.asarray(np.divide(v, c, out=np.zeros_like(v), where=(v > 0) | (c > 0)), dtype=np.float64)


def critical_volume_to_capacity(cycle: float, lost: float, flow_ratios: ArrayLike) -> float:
    """X_c of an intersection: Σ y · C / (C − L) over its critical phases (eq. 19-30)."""
    return float(np.sum(flow_ratios)) * cycle / (cycle - lost) if cycle > lost else math.inf


def cycle_for_critical_ratio(lost: float, flow_ratios: ArrayLike, target: float) -> float:
    """Cycle at which X_c equals ``target``, s: L X_c / (X_c − Σ y) (eq. 31-68); inf where none is long enough."""
    spare = target - float(np.sum(flow_ratios))
    return lost * target / spare if spare > 0 else math.inf


def platoon_ratio(on_green: ArrayLike, arrivals: ArrayLike, green: ArrayLike, duration: ArrayLike) -> Array:
    """R_p = P C / g (eq. 19-15), from sums: arrivals on green and all arrivals, seconds of green and of all.

    Sum counts and seconds over lanes and cycles first and divide once; ratios must not be averaged. NaN without
    arrivals or green.
    """
    a, n, g, t = np.broadcast_arrays(*_arrays(on_green, arrivals, green, duration))
    ratio = np.divide(a * t, n * g, out=np.full(a.shape, np.nan), where=(n > 0) & (g > 0))
    return np.asarray(ratio, dtype=np.float64)


def arrival_type(ratio: ArrayLike) -> NDArray[np.int64]:
    """Arrival type 1 to 6 of a platoon ratio; 0 for NaN. A ratio equal to a bound has the lower type."""
    r = np.asarray(ratio, dtype=np.float64)
    types = np.searchsorted(ARRIVAL_TYPES, r, side="left") + 1
    return np.asarray(np.where(np.isnan(r), 0, types), dtype=np.int64)


def progression_factor(on_green: ArrayLike, cycle: ArrayLike, green: ArrayLike, x: ArrayLike) -> Array:
    """PF of the uniform delay (eqs. 19-20 and 19-21); ``on_green`` is P, the share that arrives on green, below 1."""
    p, c, g, x_ = _arrays(on_green, cycle, green, x)
    share, most = g / c, np.minimum(1.0, x_)
    y = most * share
    return (1 - p) / (1 - share) * (1 - y) / (1 - most * p) * (1 + y * (1 - p / share) / (1 - share))


def uniform_delay(cycle: ArrayLike, green: ArrayLike, x: ArrayLike, progression: ArrayLike = 1.0) -> Array:
    """d1, s/veh: PF · 0.5 C (1 − g/C)² / (1 − min(1, X) g/C) (eq. 19-19; without PF HCM 2000, eq. 16-11)."""
    c, g, x_, pf = _arrays(cycle, green, x, progression)
    share = g / c
    return pf * 0.5 * c * (1 - share) ** 2 / (1 - np.minimum(1.0, x_) * share)


def actuated_k(passage_time: ArrayLike, x: ArrayLike) -> Array:
    """k of an actuated phase (eqs. 19-22 and 19-23).

    ``passage_time`` is PT, s; ``x`` the flow over the available capacity (eq. 19-24): with the maximum green, or with
    the mean green where that is longer, as it may be where a phase waits for another ring at the barrier.
    """
    pt, x_ = _arrays(passage_time, x)
    least = np.maximum(0.04, -0.375 + 0.354 * pt - 0.0910 * pt**2 + 0.00889 * pt**3)
    return np.minimum(PRETIMED_K, np.maximum(least, (1 - 2 * least) * (x_ - 0.5) + least))


def upstream_filtering(x_upstream: ArrayLike) -> Array:
    """I of arrivals that signals upstream have filtered: max(0.09, 1 − 0.91 X_u^2.68) (eq. 19-6).

    ``x_upstream`` is the v/c ratio of the movements upstream, weighted by their flow; above 1 it counts as 1.
    """
    x = np.minimum(np.asarray(x_upstream, dtype=np.float64), 1.0)
    return np.asarray(np.maximum(0.09, 1 - 0.91 * x**2.68), dtype=np.float64)


def incremental_delay(
    x: ArrayLike, capacity: ArrayLike, period: ArrayLike = 0.25, k: ArrayLike = PRETIMED_K, i: ArrayLike = 1.0
) -> Array:
    """d2, s/veh, for random arrivals and oversaturation (eq. 19-26).

    ``period`` is T, h; ``i`` is 1.0 where no signal upstream filters the arrivals.
    """
    x_, c, t, k_, i_ = _arrays(x, capacity, period, k, i)
    return 900.0 * t * ((x_ - 1) + np.sqrt((x_ - 1) ** 2 + 8 * k_ * i_ * x_ / (c * t)))


def unmet_demand(
    flow: ArrayLike, capacity: ArrayLike, queue: ArrayLike, period: ArrayLike = 0.25
) -> tuple[Array, Array, Array]:
    """t_A (h), Q_e and Q_eo (veh): how long demand is unmet, the queue at the period's end with and without Q_b.

    ``queue`` is Q_b, the vehicles in queue when the period begins; Q_e is Q_b of the next one (eqs. 19-45 to 19-49).
    """
    v, c, qb, t = np.broadcast_arrays(*_arrays(flow, capacity, queue, period))
    over = v >= c
    spare = np.where(over, 1.0, c - v)
    lasts = np.where(over, t, np.minimum(qb / spare, t))  # eqs. 19-47 and 19-49
    without = np.where(over, t * (v - c), 0.0)  # eqs. 19-46 and 19-48
    return lasts, qb + lasts * (v - c), without


def initial_queue_delay(
    flow: ArrayLike, capacity: ArrayLike, queue: ArrayLike, period: ArrayLike = 0.25
) -> Array:
    """d3, s/veh, of the ``queue`` (veh) that the period before has left (eq. 19-44); 0 without a flow."""
    v, c, qb, t = np.broadcast_arrays(*_arrays(flow, capacity, queue, period))
    lasts, end, without = unmet_demand(v, c, qb, t)
    area = lasts * (qb + end - without) / 2 + (end**2 - without**2 - qb**2) / (2 * c)
    return np.asarray(np.divide(3600.0 * area, v * t, out=np.zeros_like(area), where=v > 0), dtype=np.float64)


def mean_delay(delay: ArrayLike, flow: ArrayLike) -> float:
    """Delay of an approach or an intersection, s/veh: the mean of its lane groups by flow (eqs. 19-28 and 19-29)."""
    d, v = _arrays(delay, flow)
    return float((d * v).sum() / v.sum()) if v.sum() > 0 else 0.0


def level_of_service(delay: float, x: float = 0.0) -> str:
    """Level of service of a control delay in s/veh; F too where the v/c ratio ``x`` exceeds 1 (exhibit 19-8).

    The rule of v/c belongs to lane groups and movements: leave ``x`` out for an approach or an intersection. A delay
    equal to a threshold has the better level.

    >>> level_of_service(20.0), level_of_service(20.1), level_of_service(5.0, x=1.2)
    ('B', 'C', 'F')
    """
    if x > 1.0:
        return WORST_LEVEL
    return next((name for name, most in LEVELS if delay <= most), WORST_LEVEL)


def pedestrian_delay(cycle: ArrayLike, walk: ArrayLike) -> Array:
    """Mean wait of people on foot who come at random, s/person: (C − g)² / (2 C) (eq. 19-70).

    ``walk`` is the time in which they begin to cross: the green, and WALK_EXTENSION where a flashing clearance follows.
    """
    c, g = _arrays(cycle, walk)
    return (c - g) ** 2 / (2 * c)


def _arrays(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)
