"""Dunnett and Tukey as scipy has them, for controllers whose runs share no seeds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from experiments.statistics._checks import Array, Values, finite, fraction
from experiments.statistics.families import Contrast, Family, couples
from experiments.statistics.intervals import Interval
from sim.errors import InputError


def dunnett_unblocked(
    samples: Mapping[str, Values],
    *,
    baseline: str,
    rng: int | np.random.Generator,
    confidence: float = 0.95,
) -> Family:
    """Every controller against ``baseline`` from independent runs (scipy.stats.dunnett, Dunnett 1955).

    ``rng`` is needed because scipy integrates by random points. With common random numbers the seed's
    effect stays in the error and hides what the pairs show: use ``compare_holm`` or ``compare_dunnett``.
    """
    from scipy import stats

    arrays = _samples(samples, confidence)
    if baseline not in arrays:
        raise InputError(f"the baseline '{baseline}' has no runs", remedy=f"choose among {', '.join(arrays)}")
    chosen = couples(tuple(arrays), baseline)
    result = stats.dunnett(
        *(arrays[name] for name, _ in chosen), control=arrays[baseline], rng=np.random.default_rng(rng)
    )
    ends = result.confidence_interval(confidence)
    contrasts = tuple(
        _contrast(arrays, couple, float(low), float(high), float(p), confidence, "Dunnett")
        for couple, low, high, p in zip(
            chosen, np.asarray(ends.low), np.asarray(ends.high), np.asarray(result.pvalue), strict=True
        )
    )
    return Family("Dunnett", False, confidence, contrasts, ())


def tukey_unblocked(samples: Mapping[str, Values], *, confidence: float = 0.95) -> Family:
    """Every two controllers from independent runs (scipy.stats.tukey_hsd: Tukey-Kramer)."""
    from scipy import stats

    arrays = _samples(samples, confidence)
    names = tuple(arrays)
    result = stats.tukey_hsd(*arrays.values())
    ends = result.confidence_interval(confidence)
    lows, highs, p_values = (np.asarray(table) for table in (ends.low, ends.high, result.pvalue))
    contrasts = []
    for couple in couples(names, None):
        i, j = names.index(couple[0]), names.index(couple[1])
        low, high, p = float(lows[i, j]), float(highs[i, j]), float(p_values[i, j])
        contrasts.append(_contrast(arrays, couple, low, high, p, confidence, "Tukey-Kramer"))
    return Family("Tukey-Kramer", False, confidence, tuple(contrasts), ())


def _samples(samples: Mapping[str, Values], confidence: float) -> dict[str, Array]:
    fraction(confidence, "confidence")
    if len(samples) < 2:
        raise InputError(f"a comparison needs at least two controllers, not {len(samples)}")
    arrays = {name: finite(v, f"the sample of '{name}'", at_least=2) for name, v in samples.items()}
    if not any(np.ptp(array) for array in arrays.values()):
        raise InputError("no controller's runs vary, so there is no error to compare with")
    return arrays


def _contrast(
    arrays: Mapping[str, Array],
    couple: tuple[str, str],
    low: float,
    high: float,
    p: float,
    confidence: float,
    method: str,
) -> Contrast:
    ours, theirs = arrays[couple[0]], arrays[couple[1]]
    difference = float(ours.mean() - theirs.mean())
    interval = Interval(low, high, confidence, method)
    return Contrast(*couple, min(ours.size, theirs.size), difference, interval, p)
