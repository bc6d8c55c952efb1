"""Platoon dispersion: how a platoon spreads on its way, by Robertson's recurrence, and its parameters from passages.

Robertson, D. I. (1969), TRANSYT: a traffic network study tool, Road Research Laboratory Report LR 253.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from scipy.signal import lfilter

from denxanh.sim.errors import InputError

Array = NDArray[np.float64]

ALPHA = 0.35
"""Platoon dispersion factor of TRANSYT for ordinary streets; 0.5 with much friction, 0.25 with little."""

BETA = 0.8
"""Share of the travel time after which the first vehicle of a platoon arrives."""

_SHORTEST = 0.4  # of the travel time: no platoon arrives earlier


@dataclass(frozen=True)
class Dispersion:
    """Parameters of the recurrence fitted to passages, and how well they fit."""

    alpha: float
    beta: float
    travel_time: float  # s, between the mean passages
    rmse: float  # veh/s, of the flow downstream


def smoothing(travel_time: float, step: float = 1.0, alpha: float = ALPHA, beta: float = BETA) -> float:
    """F = 1 / (1 + α β T), T in steps of ``step`` s (Robertson 1969)."""
    return 1.0 / (1.0 + alpha * beta * travel_time / step)


def disperse(
    flow: ArrayLike, travel_time: float, step: float = 1.0, alpha: float = ALPHA, beta: float = BETA
) -> Array:
    """Flow at the downstream point, shape (n,), on the clock of ``flow`` (n,) upstream, in steps of ``step`` s.

    q'(i + β T) = F q(i) + (1 − F) q'(i + β T − 1), β T rounded to steps. Give as many steps as are to be seen
    downstream.

    >>> disperse([1, 1, 0, 0], 25, beta=0.0, alpha=0.0).tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    q = np.asarray(flow, dtype=np.float64)
    return _spread(q, round(beta * travel_time / step), smoothing(travel_time, step, alpha, beta))


def fit_dispersion(upstream: ArrayLike, downstream: ArrayLike, step: float = 1.0) -> Dispersion:
    """The α and β with which Robertson's recurrence gives the passages ``downstream`` (s) from those ``upstream`` (s).

    Least squares over flows in steps of ``step`` s. Both must be passages of the same vehicles, in any order, as two
    detectors without a queue, a turn or an entrance between them report them. Raises InputError for passages that
    cannot be those.
    """
    start, stop = (np.sort(np.asarray(times, dtype=np.float64)) for times in (upstream, downstream))
    if len(start) != len(stop) or len(start) < 2 or not stop.mean() > start.mean():
        raise InputError(
            f"{len(start)} passages upstream and {len(stop)} downstream are not two passages of each vehicle",
            remedy="give the same two or more vehicles, later downstream",
        )
    travel = float(stop.mean() - start.mean())
    begin, steps = start[0], math.ceil((stop[-1] - start[0] + travel) / step) + 1
    edges = begin + step * np.arange(steps + 1)
    before, after = (np.histogram(times, edges)[0] / step for times in (start, stop))

    def error(factor: float, lag: int) -> float:
        return float(((_spread(before, lag, factor) - after) ** 2).sum())

    best = (math.inf, 0, 1.0)
    for lag in range(math.floor(_SHORTEST * travel / step), math.floor(travel / step) + 1):
        found = minimize_scalar(error, bounds=(0.01, 1.0), args=(lag,), method="bounded")
        best = min(best, (float(found.fun), lag, float(found.x)))
    squares, lag, factor = best
    return Dispersion(
        alpha=(1 / factor - 1) / lag if lag else 0.0,
        beta=lag * step / travel,
        travel_time=travel,
        rmse=math.sqrt(squares / steps),
    )


def _spread(flow: Array, lag: int, factor: float) -> Array:
    arrived = np.concatenate([np.zeros(lag), flow])[: len(flow)]
    return np.asarray(lfilter([factor], [1.0, factor - 1.0], arrived), dtype=np.float64)
