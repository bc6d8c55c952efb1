"""Paired comparison of two controllers under common random numbers: difference, intervals, tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from denxanh.experiments.statistics._checks import Array, Values, fraction
from denxanh.experiments.statistics.intervals import Interval, skewed, t_interval, t_p_value
from denxanh.experiments.statistics.pairs import Key, Pairs, Runs, match
from denxanh.experiments.statistics.signed_rank import signed_rank_p_value

RESAMPLES = 9999  # scipy's default: the ends of a 95 % interval then move by about 1 % of its width


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Candidate minus baseline over n pairs; every field in the unit of the runs unless stated otherwise.

    With one pair ``sd``, ``interval`` and both p values are None: a difference without evidence.
    ``bootstrap`` is also None when no ``rng`` was given, or when all differences are the same.
    """

    n: int
    difference: float
    candidate_mean: float
    baseline_mean: float
    sd: float | None
    interval: Interval | None
    bootstrap: Interval | None
    p_value: float | None
    wilcoxon_p: float | None
    correlation: float | None
    differences: tuple[float, ...]
    pairs: Pairs

    @property
    def identical(self) -> bool:
        """Every pair gave exactly the same number."""
        return not any(self.differences)

    @property
    def constant(self) -> bool:
        """Every pair differs by the same amount, up to rounding."""
        return _constant(np.array(self.differences), np.array(self.pairs.candidate))

    @property
    def skewed(self) -> bool | None:
        """Whether the differences are skewed beyond chance: the interval covers less than it says. None: unknown."""
        return skewed(np.array(self.differences))

    @property
    def unmatched(self) -> tuple[Key, ...]:
        """Keys of the runs left out because the other controller has no such run."""
        return self.pairs.only_candidate + self.pairs.only_baseline


def compare_paired(
    candidate: Runs,
    baseline: Runs,
    *,
    confidence: float = 0.95,
    rng: int | np.random.Generator | None = None,
    resamples: int = RESAMPLES,
) -> PairedComparison:
    """Compare two controllers pair by pair over the (seed, demand) they share.

    The paired t interval needs no equal variances and no independence between the two controllers, only
    that the differences are alike over seeds (Law 2015, section 10.2.1). ``rng`` (a seed or a Generator)
    requests the BCa bootstrap interval too. InputError for NaN or no common key.
    """
    fraction(confidence, "confidence")
    pairs = match(candidate, baseline)
    ours, theirs = np.array(pairs.candidate), np.array(pairs.baseline)
    differences = ours - theirs
    n = differences.size
    return PairedComparison(
        n=n,
        difference=float(differences.mean()),
        candidate_mean=float(ours.mean()),
        baseline_mean=float(theirs.mean()),
        sd=float(differences.std(ddof=1)) if n > 1 else None,
        interval=t_interval(differences, confidence),
        bootstrap=None
        if rng is None or n < 2 or _constant(differences, ours)
        else _bca(differences, confidence, rng, resamples),
        p_value=paired_p_value(differences) if n > 1 else None,
        wilcoxon_p=signed_rank_p_value(differences) if n > 1 else None,
        correlation=_correlation(ours, theirs),
        differences=tuple(differences.tolist()),
        pairs=pairs,
    )


def compare_cases(candidate: Values, baseline: Values, *, confidence: float = 0.95) -> PairedComparison:
    """Compare two arrays (n,) whose elements belong to the same runs pair by pair; as ``compare_paired``."""
    runs: list[dict[Key, float]] = [
        {(k, ""): float(v) for k, v in enumerate(values)} for values in (candidate, baseline)
    ]
    return compare_paired(*runs, confidence=confidence)


def paired_p_value(differences: Array) -> float:
    """Two-sided p of the paired t test, n ≥ 2; 1 when all are zero, 0 when all are the same other number."""
    error = float(differences.std(ddof=1)) / math.sqrt(differences.size)
    mean = float(differences.mean())
    if error == 0.0:
        return 1.0 if mean == 0.0 else 0.0
    return float(t_p_value(mean / error, float(differences.size - 1)))


def _constant(differences: Array, level: Array) -> bool:
    # the difference of two numbers of this size has an error of a few units in the last place
    noise = 16 * np.finfo(np.float64).eps * float(np.abs(level).max() + np.abs(differences).max())
    return bool(np.ptp(differences) <= noise)


def _bca(differences: Array, confidence: float, rng: int | np.random.Generator, resamples: int) -> Interval:
    """Bias-corrected and accelerated bootstrap (Efron 1987, doi:10.1080/01621459.1987.10478410)."""
    from scipy import stats

    ends = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=resamples,
        confidence_level=confidence,
        method="BCa",
        rng=np.random.default_rng(rng),
    ).confidence_interval
    return Interval(float(ends.low), float(ends.high), confidence, "bootstrap BCa")


def _correlation(ours: Array, theirs: Array) -> float | None:
    """Pearson's correlation, the benefit of common random numbers; None if undefined."""
    if ours.size < 3 or not np.ptp(ours) or not np.ptp(theirs):
        return None
    return float(np.corrcoef(ours, theirs)[0, 1])
