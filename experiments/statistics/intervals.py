"""Confidence intervals, and the t interval of a mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from denxanh.experiments.statistics._checks import Array


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval ``low``…``high`` in the unit of its estimate, and its method."""

    low: float
    high: float
    confidence: float
    method: str

    @property
    def half_width(self) -> float:
        """Half of the interval's length."""
        return (self.high - self.low) / 2

    def contains(self, value: float) -> bool:
        """Whether ``value`` lies in the interval, ends included."""
        return self.low <= value <= self.high

    def times(self, factor: float) -> Interval:
        """The interval in another unit; a negative factor swaps the ends."""
        low, high = sorted((self.low * factor, self.high * factor))
        return Interval(low, high, self.confidence, self.method)


def t_quantile(confidence: float, degrees: float | Array) -> Array:
    """Two-sided quantile of Student's t: |t| stays below it with probability ``confidence``."""
    from scipy.special import (
        stdtrit,  # at its use: a run needs no scipy, and its import costs more than numpy's
    )

    return np.asarray(stdtrit(degrees, 0.5 + confidence / 2), dtype=np.float64)


def t_p_value(t: float | Array, degrees: float | Array) -> Array:
    """Two-sided p value of Student's t."""
    from scipy.special import stdtr

    return np.asarray(2.0 * stdtr(degrees, -np.abs(t)), dtype=np.float64)


def t_half_width(values: Array, confidence: float) -> Array:
    """Half-width of the t interval of the mean over the last axis: ``values`` (…, n), n ≥ 2 → (…)."""
    n = values.shape[-1]
    error = values.std(axis=-1, ddof=1) / np.sqrt(n)
    return np.asarray(t_quantile(confidence, float(n - 1)) * error, dtype=np.float64)


def skewed(values: Array) -> bool | None:
    """Whether values (n,) are skewed beyond chance (D'Agostino 1970, 5 %); None for fewer than 8, which cannot tell."""
    if values.size < 8 or np.ptp(values) == 0:
        return None
    from scipy.stats import skewtest

    return bool(skewtest(values).pvalue < 0.05)


def t_interval(values: Array, confidence: float) -> Interval | None:
    """The t interval of the mean of ``values`` (n,); None when n = 1, since one run has no spread."""
    if values.size < 2:
        return None
    mean, half = float(values.mean()), float(t_half_width(values, confidence))
    return Interval(mean - half, mean + half, confidence, "t")
