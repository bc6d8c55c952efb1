"""Queues of random arrivals at a constant rate of service: in equilibrium, and from an empty start.

Akçelik, R. (1981), Traffic signals: capacity and timing analysis, Australian Road Research Board, ARR 123.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from denxanh.sim.timing.hcm_delay import uniform_delay

Array = NDArray[np.float64]


def md1_delay(flow: ArrayLike, capacity: ArrayLike) -> Array:
    """Mean wait in equilibrium of Poisson arrivals at one server with constant service times, s; inf from capacity on.

    ``flow`` and ``capacity`` in veh/s; W = x / (2 c (1 − x)) (Pollaczek and Khinchine), without the service itself.
    By Little's law flow · W vehicles wait. It is the second term of Webster (1958), eq. 1: x² / (2 q (1 − x)).
    """
    q, c = np.broadcast_arrays(*_arrays(flow, capacity))
    x = q / c
    wait = np.divide(x, 2 * c * (1 - x), out=np.full(x.shape, np.inf), where=x < 1)
    return np.asarray(wait, dtype=np.float64)


def overflow_queue(x: ArrayLike, capacity: ArrayLike, period: ArrayLike, cycle_capacity: ArrayLike) -> Array:
    """Akçelik's mean overflow queue N0 of a period that begins without one, veh (ARR 123, eqs. 6.1 and 6.2).

    ``capacity`` Q in veh/h, ``period`` T in h, ``cycle_capacity`` s g in vehicles a cycle. 0 up to x0 = 0.67 + s g /
    600.
    """
    x_, q, t, sg = _arrays(x, capacity, period, cycle_capacity)
    least = 0.67 + sg / 600
    z = x_ - 1
    queue = q * t / 4 * (z + np.sqrt(np.maximum(z**2 + 12 * (x_ - least) / (q * t), 0.0)))
    return np.asarray(np.where(x_ > least, queue, 0.0), dtype=np.float64)


def akcelik_delay(
    cycle: ArrayLike, green: ArrayLike, x: ArrayLike, capacity: ArrayLike, overflow: ArrayLike
) -> Array:
    """Mean delay, s/veh, with an ``overflow`` queue (veh): uniform delay and 3600 N0 / Q (ARR 123, eq. 6.3).

    ``capacity`` Q in veh/h. Valid at and above capacity too, for vehicles that arrive within the period of N0.
    """
    q, n = _arrays(capacity, overflow)
    return uniform_delay(cycle, green, x) + 3600 * n / q


def _arrays(*values: ArrayLike) -> tuple[Array, ...]:
    return tuple(np.asarray(value, dtype=np.float64) for value in values)
