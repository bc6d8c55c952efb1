"""Two controllers whose runs share no randomness: Welch's interval, asked for by name, never a fallback."""

from __future__ import annotations

import math
from dataclasses import dataclass

from experiments.statistics._checks import Values, finite, fraction
from experiments.statistics.intervals import Interval, t_p_value, t_quantile


@dataclass(frozen=True, slots=True)
class UnpairedComparison:
    """Candidate minus baseline from independent runs; fields as in PairedComparison."""

    n_candidate: int
    n_baseline: int
    difference: float
    degrees: float
    interval: Interval
    p_value: float


def unpaired(candidate: Values, baseline: Values, *, confidence: float = 0.95) -> UnpairedComparison:
    """Welch's t interval of the difference of means (Welch 1947, doi:10.1093/biomet/34.1-2.28).

    For runs with common random numbers it is needlessly wide: use ``compare_paired``. At least two runs
    of each; InputError otherwise or for NaN. Two samples without any spread give an interval of width 0.
    """
    fraction(confidence, "confidence")
    ours = finite(candidate, "the candidate's runs", at_least=2)
    theirs = finite(baseline, "the baseline's runs", at_least=2)
    a, b = float(ours.var(ddof=1)) / ours.size, float(theirs.var(ddof=1)) / theirs.size
    difference, error = float(ours.mean() - theirs.mean()), math.sqrt(a + b)
    if error == 0.0:
        degrees, half, p_value = float(ours.size + theirs.size - 2), 0.0, 0.0 if difference else 1.0
    else:
        degrees = (a + b) ** 2 / (a * a / (ours.size - 1) + b * b / (theirs.size - 1))
        half = float(t_quantile(confidence, degrees)) * error
        p_value = float(t_p_value(difference / error, degrees))
    return UnpairedComparison(
        n_candidate=int(ours.size),
        n_baseline=int(theirs.size),
        difference=difference,
        degrees=degrees,
        interval=Interval(difference - half, difference + half, confidence, "Welch t"),
        p_value=p_value,
    )
