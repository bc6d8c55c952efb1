"""Gridlocked runs: criterion, rate with its interval, and medians in place of means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from denxanh.experiments.statistics._checks import Values, finite, fraction
from denxanh.experiments.statistics.intervals import Interval
from denxanh.experiments.statistics.pairs import Key, Runs
from denxanh.experiments.statistics.sample import Summary, summarise
from denxanh.sim.errors import InputError


@dataclass(frozen=True, slots=True)
class GridlockLimits:
    """Shares of the loaded vehicles beyond which a run counts as gridlocked.

    ``backlog``: still waiting to enter at the end. Above 5 % the delay of vehicles outside, which grows with
    the length of the run, dominates the mean: it measures the end of the simulation, not the control.
    ``teleports``: removed by SUMO after standing still too long (300 s). One or two are a blocked turn; above 1 % the
    simulator, not the controller, clears the network.
    """

    backlog: float = 0.05
    teleports: float = 0.01

    def __post_init__(self) -> None:
        for name in ("backlog", "teleports"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(
                    f"invalid gridlock limit of {name}: {getattr(self, name)}; it must be a share from 0 to 1"
                )


STANDARD_LIMITS = GridlockLimits()


def is_gridlocked(
    loaded: npt.ArrayLike,
    backlog: npt.ArrayLike,
    teleports: npt.ArrayLike,
    limits: GridlockLimits = STANDARD_LIMITS,
) -> npt.NDArray[np.bool_]:
    """Flag per run from its counts of vehicles, (runs,) each; exactly at a limit is not yet gridlocked.

    Raises InputError for a run without vehicles, which has no delay to rank.
    """
    counts = (loaded, backlog, teleports)
    total, waiting, teleported = (np.asarray(count, dtype=np.float64) for count in counts)
    if not (np.all(total >= 1) and np.all(waiting >= 0) and np.all(teleported >= 0)):
        raise InputError("gridlock needs counts: loaded ≥ 1, backlog ≥ 0 and teleports ≥ 0")
    if np.any(waiting > total):
        raise InputError("a run has more vehicles waiting to enter than were loaded")
    return np.asarray((waiting > limits.backlog * total) | (teleported > limits.teleports * total))


@dataclass(frozen=True, slots=True)
class GridlockRate:
    """``gridlocked`` of ``n`` runs, and the exact interval of the probability."""

    gridlocked: int
    n: int
    interval: Interval

    @property
    def rate(self) -> float:
        """Share of the runs that gridlocked."""
        return self.gridlocked / self.n


def gridlock_rate(gridlocked: int, n: int, *, confidence: float = 0.95) -> GridlockRate:
    """Rate with its Clopper-Pearson interval (1934, doi:10.1093/biomet/26.4.404): 0 of 10 is still 0…31 %."""
    from scipy.special import betaincinv

    fraction(confidence, "confidence")
    if not 0 <= gridlocked <= n or n < 1:
        raise InputError(f"{gridlocked} of {n} runs gridlocked is not a rate")
    tail = (1 - confidence) / 2
    low = 0.0 if gridlocked == 0 else float(betaincinv(gridlocked, n - gridlocked + 1, tail))
    high = 1.0 if gridlocked == n else float(betaincinv(gridlocked + 1, n - gridlocked, 1 - tail))
    return GridlockRate(gridlocked, n, Interval(low, high, confidence, "Clopper-Pearson"))


@dataclass(frozen=True, slots=True)
class GridlockSummary:
    """Summary of a sample in which some runs may have gridlocked.

    ``everything`` (with the mean) is None as soon as one run gridlocked: a mean of gridlocked and
    flowing runs describes neither. ``median`` and its interval are of all runs; ``flowing`` is of the runs that did not
    gridlock and favours a controller that gridlocks often, so read it with ``rate`` only.
    """

    rate: GridlockRate
    median: float
    median_interval: Interval | None
    everything: Summary | None
    flowing: Summary | None
    gridlocked: tuple[Key, ...]


def summarise_with_gridlock(
    runs: Runs, gridlocked: Collection[Key], *, confidence: float = 0.95
) -> GridlockSummary:
    """Summary of the ``runs`` of one controller, with the keys of the ``gridlocked`` ones.

    Raises InputError for an unknown key.
    """
    values = finite(list(runs.values()), "the sample")
    unknown = [key for key in gridlocked if key not in runs]
    if unknown:
        raise InputError(f"the gridlocked run {unknown[0]} is not among the runs")
    locked = tuple(key for key in runs if key in gridlocked)
    flowing = [value for key, value in runs.items() if key not in gridlocked]
    return GridlockSummary(
        rate=gridlock_rate(len(locked), len(runs), confidence=confidence),
        median=float(np.median(values)),
        median_interval=median_interval(values, confidence=confidence),
        everything=None if locked else summarise(values, confidence=confidence),
        flowing=summarise(flowing, confidence=confidence) if flowing else None,
        gridlocked=locked,
    )


def median_interval(values: Values, *, confidence: float = 0.95) -> Interval | None:
    """Interval of the median between two order statistics, no distribution assumed.

    From x_(k) to x_(n+1−k) with the largest k for which P(Binomial(n, ½) < k) ≤ (1 − confidence) / 2
    (Conover 1999, Practical Nonparametric Statistics, section 3.2). None when even the extremes are too
    close together: fewer than 6 runs at 95 %.
    """
    from scipy.special import bdtr

    fraction(confidence, "confidence")
    ordered = np.sort(finite(values, "the sample"))
    below = bdtr(np.arange(ordered.size), ordered.size, 0.5)  # P(Binomial ≤ i), i = k − 1
    k = int(np.searchsorted(below, (1 - confidence) / 2, side="right"))
    if k == 0:
        return None
    return Interval(float(ordered[k - 1]), float(ordered[-k]), confidence, "order statistics")


def gridlock_p_value(candidate: npt.ArrayLike, baseline: npt.ArrayLike) -> float:
    """Two-sided p that two controllers gridlock equally often, from paired flags (n,) of the same seeds.

    Only seeds in which exactly one gridlocked are informative: exact McNemar test (McNemar 1947,
    doi:10.1007/BF02295996). 1 without such a seed.
    """
    from scipy.special import bdtr

    ours, theirs = np.asarray(candidate, dtype=bool), np.asarray(baseline, dtype=bool)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise InputError(f"gridlock flags of {ours.size} and {theirs.size} runs are not pairs")
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    return min(1.0, 2.0 * float(bdtr(min(only_ours, only_theirs), only_ours + only_theirs, 0.5)))
