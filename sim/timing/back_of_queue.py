"""Back of queue at signals by the Highway Capacity Manual: three terms, percentiles, queue storage ratio.

The back of queue is the farthest position of a vehicle that has to stop behind the stop line, in vehicles for one
lane, not the number that waits at one moment. Equations are numbered as in the HCM, 7th ed. (TRB 2022), chapter 31,
section 4; docs/measures.md says where they were read. Flows are veh/h for one lane, times s, the analysis period h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denxanh.sim.timing.hcm_delay import unmet_demand

Array = NDArray[np.float64]

PERCENTILES = {85: 1.04, 90: 1.28, 95: 1.64}
"""z of the percentiles of the back of queue (with eq. 31-151)."""

STOPPED_SPEED = 5.0 * 0.44704
"""m/s below which a vehicle counts as stopped: 5 mi/h (with eq. 31-131)."""

ACCELERATION = 3.5 * 0.3048
"""m/s² of a queue that starts (with eq. 31-131)."""

DECELERATION = 4.0 * 0.3048
"""m/s² of vehicles that join a queue (with eq. 31-131)."""


def acceleration_deceleration_delay(speed: ArrayLike) -> Array:
    """d_a, s: what a full stop costs besides standing (eq. 31-131); ``speed`` is the approach speed, m/s."""
    v = np.asarray(speed, dtype=np.float64)
    return np.asarray(
        (v - STOPPED_SPEED) ** 2 / (2 * v) * (1 / ACCELERATION + 1 / DECELERATION), dtype=np.float64
    )


def approach_speed(limit: ArrayLike) -> Array:
    """Average speed on an approach with this speed limit, m/s (eq. 31-132, there in mi/h)."""
    mph = np.asarray(limit, dtype=np.float64) / 0.44704
    return np.asarray(0.90 * (25.6 + 0.47 * mph) * 0.44704, dtype=np.float64)


def first_term(
    flow: ArrayLike,
    saturation_flow: ArrayLike,
    green: ArrayLike,
    cycle: ArrayLike,
    on_green: ArrayLike,
    stop_delay: ArrayLike,
) -> Array:
    """Q1, veh: the vehicles of a cycle that stop fully, by the arrival-departure polygon (eqs. 31-137 to 31-141).

    For lane groups with one green a cycle in which nothing yields. ``on_green`` is P, the share that arrives on
    green; ``stop_delay`` is d_a, see ``acceleration_deceleration_delay``; with 0 it is the Q1 of HCM 2000 (eq.
    G16-7). A flow above capacity counts as the capacity: what exceeds it is in ``second_term``.
    """
    v, s, g, c, p, d = np.broadcast_arrays(
        *_arrays(flow, saturation_flow, green, cycle, on_green, stop_delay)
    )
    q, s = np.minimum(v, s * g / c) / 3600, s / 3600
    red = c - g
    x = q * c / (s * g)
    most = np.minimum(1.0, x)
    on_red, during = (1 - p) * q * c / red, p * q * c / g  # arrival rates in red and in green, veh/s
    early = q * c * (1 - p - p * d / g) / (s * (1 - most * p))  # eq. 31-137: t_f, s
    late = q * c * (1 - p) * (red - d) / (s * (red - most * (1 - p) * g))  # eq. 31-138
    stopped = np.where(
        d <= (1 - p) * g * x,
        on_red * red + during * (early - d),  # eq. 31-139
        on_red * (red - d + late),  # eq. 31-140
    )
    return np.asarray(np.maximum(stopped, 0.0), dtype=np.float64)


def second_term(capacity: ArrayLike, incremental_delay: ArrayLike, lanes: ArrayLike = 1) -> Array:
    """Q2, veh: the mean overflow, c d2 / (3600 N) (eq. 31-142); ``capacity`` of all ``lanes``, veh/h."""
    c, d, n = _arrays(capacity, incremental_delay, lanes)
    return c * d / (3600 * n)


def third_term(
    flow: ArrayLike,
    capacity: ArrayLike,
    queue: ArrayLike,
    period: ArrayLike = 0.25,
    lanes: ArrayLike = 1,
) -> Array:
    """Q3, veh: the part of the queue (veh, all lanes) that the period before has left (eq. 31-143)."""
    qb, t, n = _arrays(queue, period, lanes)
    lasts, end, without = unmet_demand(flow, capacity, qb, t)
    return lasts * (qb + end - without) / 2 / (n * t)


def percentile_factor(
    queue: ArrayLike, percentile: int, x: ArrayLike, green_share: ArrayLike, i: ArrayLike = 1.0
) -> Array:
    """Factor f_B of Q1 + Q2 (``queue``, veh) for the 85th, 90th or 95th percentile (eqs. 31-151 to 31-153)."""
    z = PERCENTILES[percentile]
    q, x_, share, i_ = _arrays(queue, x, green_share, i)
    over = np.where(
        x_ >= 1, 0.60 * z**0.24 * share**0.33 * (1 - np.exp(2 - 2 * np.maximum(x_, 1.0))), 0.0
    )  # eq. 31-152
    with np.errstate(divide="ignore"):
        return np.asarray(np.minimum(1.8, 1 + z * np.sqrt(i_ / q) + over), dtype=np.float64)


def percentile_back_of_queue(
    first: ArrayLike,
    second: ArrayLike,
    third: ArrayLike,
    percentile: int,
    x: ArrayLike,
    green_share: ArrayLike,
    i: ArrayLike = 1.0,
) -> Array:
    """Back of queue not exceeded in ``percentile`` % of the cycles, veh: (Q1 + Q2) f_B + Q3 (eq. 31-150)."""
    q1, q2, q3 = _arrays(first, second, third)
    steady = q1 + q2
    factor = percentile_factor(np.maximum(steady, 1e-9), percentile, x, green_share, i)
    return steady * factor + q3


def storage_ratio(queue_length: ArrayLike, storage: ArrayLike) -> Array:
    """R_Q: the length of the queue over the storage in front of the stop line, both m (eqs. 31-154 and 31-156)."""
    q, l = _arrays(queue_length, storage)  # noqa: E741
    return q / l


def _arrays(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)
