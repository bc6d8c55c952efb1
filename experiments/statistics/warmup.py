"""Length of the warm-up period: MSER-5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from denxanh.experiments.statistics._checks import Array, positive
from denxanh.sim.errors import InputError

BATCH = 5  # the 5 of MSER-5
# The last few batches may agree by chance: Hoad, Robinson & Davies (2010) omit five.
LAST_BATCHES = 5


@dataclass(frozen=True, slots=True)
class WarmUp:
    """The warm-up period: discard the first ``seconds`` (= ``observations`` intervals).

    ``steady`` is False when the best cut lies beyond half of the series: then the series is too short or
    never settles (demand that rises and falls has no steady state), and ``seconds`` must not be used.
    ``curve`` is the MSER statistic for a cut before each batch, in the squared unit of the series.
    """

    seconds: float
    observations: int
    steady: bool
    curve: tuple[float, ...]


def mser5(series: npt.ArrayLike, *, interval: float) -> WarmUp:
    """Warm-up of ``series`` (n,) or (runs, n), one observation each ``interval`` s from the begin of the run.

    Batches of five are averaged, then the cut d minimises Σ_{i ≥ d} (x_i − mean)² / (m − d)² over the m
    batch means (White 1997, doi:10.1177/003754979706900601; batches: White, Cobb & Spratt 2000,
    doi:10.1109/WSC.2000.899755). Several runs are averaged first (Hoad, Robinson & Davies 2010,
    doi:10.1057/jors.2009.121). Up to four observations that fill no batch are left out at the end.
    InputError for NaN or fewer than ten batches.
    """
    values = np.asarray(series, dtype=np.float64)
    positive(interval, "the interval between observations")
    if values.ndim not in (1, 2) or values.size == 0 or not np.isfinite(values).all():
        raise InputError(
            "the warm-up series must be numbers of shape (n,) or (runs, n) without gaps",
            remedy="give every interval without vehicles its value, for instance a queue of 0",
        )
    mean_run = values if values.ndim == 1 else values.mean(axis=0)
    m = mean_run.size // BATCH
    if m < 2 * LAST_BATCHES:
        raise InputError(
            f"the series has {mean_run.size} observations, needed: {2 * LAST_BATCHES * BATCH} or more",
            remedy="run longer or record at shorter intervals",
        )
    batches = mean_run[: m * BATCH].reshape(m, BATCH).mean(axis=1)
    curve = _mser(batches)[: m - LAST_BATCHES + 1]
    cut = int(np.argmin(curve))
    return WarmUp(
        seconds=cut * BATCH * interval,
        observations=cut * BATCH,
        steady=2 * cut <= m,
        curve=tuple(curve.tolist()),
    )


def _mser(x: Array) -> Array:
    """MSER of each cut, (m,) → (m,): ``[((x[d:] - x[d:].mean())**2).sum() / (m - d)**2 for d in …]``."""
    left = np.arange(x.size, 0, -1)
    centred = x - x.mean()  # the sums of squares below then lose no digits to a large mean
    total = np.cumsum(centred[::-1])[::-1]
    squares = np.cumsum(centred[::-1] ** 2)[::-1]
    return np.asarray(np.maximum(squares - total**2 / left, 0.0) / left**2, dtype=np.float64)
