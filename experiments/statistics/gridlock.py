"""Gridlocked runs: what counts as one, how often it happens, and medians instead of means."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr, betaincinv

from experiments.statistics._checks import Values, finite, fraction
from experiments.statistics.intervals import Interval
from experiments.statistics.pairs import Key, Runs
from experiments.statistics.summary import Summary, summarise
from sim.errors import InputError


@dataclass(frozen=True, slots=True)
class GridlockLimits:
    """Shares of the loaded vehicles beyond which a run counts as gridlocked.

    ``backlog``: still waiting to enter at the end. Above 5 % the delay of those outside, which grows with
    the length of the run, decides the mean: it measures the end of the simulation, not the control.
    ``teleports``: lifted out after standing still too long (SUMO: 300 s). One or two are a blocked turn;
    above 1 % the simulator, not the controller, is clearing the network.
    """

    backlog: float = 0.05
    teleports: float = 0.01

    def __post_init__(self) -> None:
        for name in ("backlog", "teleports"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"the gridlock limit of {name} is {getattr(self, name)}, not a share 0…1")


STANDARD_LIMITS = GridlockLimits()


def is_gridlocked(
    loaded: npt.ArrayLike,
    backlog: npt.ArrayLike,
    teleports: npt.ArrayLike,
    limits: GridlockLimits = STANDARD_LIMITS,
) -> npt.NDArray[np.bool_]:
    """Flag per run from its counts of vehicles, (runs,) each; exactly at a limit is not yet gridlocked.

    A run without vehicles raises InputError: it has no delay and must not be ranked at all.
    """
    counts = (loaded, backlog, teleports)
    total, waiting, lifted = (np.asarray(count, dtype=np.float64) for count in counts)
    if not (np.all(total >= 1) and np.all(waiting >= 0) and np.all(lifted >= 0)):
        raise InputError("gridlock is judged from counts: loaded ≥ 1, backlog ≥ 0 and teleports ≥ 0")
    if np.any(waiting > total):
        raise InputError("a run has more vehicles waiting to enter than were loaded")
    return np.asarray((waiting > limits.backlog * total) | (lifted > limits.teleports * total))


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
    fraction(confidence, "confidence")
    if not 0 <= gridlocked <= n or n < 1:
        raise InputError(f"{gridlocked} of {n} runs gridlocked is not a rate")
    tail = (1 - confidence) / 2
    low = 0.0 if gridlocked == 0 else float(betaincinv(gridlocked, n - gridlocked + 1, tail))
    high = 1.0 if gridlocked == n else float(betaincinv(gridlocked + 1, n - gridlocked, 1 - tail))
    return GridlockRate(gridlocked, n, Interval(low, high, confidence, "Clopper-Pearson"))


@dataclass(frozen=True, slots=True)
class GridlockSummary:
    """A sample in which some runs may have gridlocked.

    ``everything`` (with the mean) is None as soon as one run gridlocked: a mean of jammed and flowing runs
    describes neither. ``median`` and its interval are of all runs; ``flowing`` is of the runs that did not
    gridlock and flatters a controller that jams often, so it is to be read beside ``rate`` only.
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
    """Summary of one controller's ``runs``, of which ``gridlocked`` jammed; InputError for an unknown key."""
    values = finite(list(runs.values()), "the sample")
    strangers = [key for key in gridlocked if key not in runs]
    if strangers:
        raise InputError(f"the gridlocked run {strangers[0]} is not among the runs")
    jammed = tuple(key for key in runs if key in gridlocked)
    flowing = [value for key, value in runs.items() if key not in gridlocked]
    return GridlockSummary(
        rate=gridlock_rate(len(jammed), len(runs), confidence=confidence),
        median=float(np.median(values)),
        median_interval=median_interval(values, confidence=confidence),
        everything=None if jammed else summarise(values, confidence=confidence),
        flowing=summarise(flowing, confidence=confidence) if flowing else None,
        gridlocked=jammed,
    )


def median_interval(values: Values, *, confidence: float = 0.95) -> Interval | None:
    """Interval of the median between two order statistics, no distribution assumed.

    From x_(k) to x_(n+1−k) with the largest k for which P(Binomial(n, ½) < k) ≤ (1 − confidence) / 2
    (Conover 1999, Practical Nonparametric Statistics, section 3.2). None when even the extremes are too
    close together: fewer than 6 runs at 95 %.
    """
    fraction(confidence, "confidence")
    ordered = np.sort(finite(values, "the sample"))
    below = bdtr(np.arange(ordered.size), ordered.size, 0.5)  # P(Binomial ≤ i), i = k − 1
    k = int(np.searchsorted(below, (1 - confidence) / 2, side="right"))
    if k == 0:
        return None
    return Interval(float(ordered[k - 1]), float(ordered[-k]), confidence, "order statistics")


def gridlock_p_value(candidate: npt.ArrayLike, baseline: npt.ArrayLike) -> float:
    """Two-sided p that two controllers gridlock equally often, from paired flags (n,) of the same seeds.

    Only seeds in which exactly one jammed tell anything: exact McNemar (McNemar 1947,
    doi:10.1007/BF02295996). 1 when there is no such seed.
    """
    ours, theirs = np.asarray(candidate, dtype=bool), np.asarray(baseline, dtype=bool)
    if ours.shape != theirs.shape or ours.ndim != 1:
        raise InputError(f"gridlock flags of {ours.size} and {theirs.size} runs are not pairs")
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    return min(1.0, 2.0 * float(bdtr(min(only_ours, only_theirs), only_ours + only_theirs, 0.5)))
