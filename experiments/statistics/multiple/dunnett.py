"""Dunnett's comparison of every controller with one baseline, on blocks of equal seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from denxanh.experiments.statistics._checks import Array, fraction
from denxanh.experiments.statistics._scale import legendre, scale_points
from denxanh.experiments.statistics.intervals import Interval
from denxanh.experiments.statistics.multiple.families import (
    Contrast,
    Family,
    blocks,
    check_runs,
    contrast_names,
    residual_mean_square,
)
from denxanh.experiments.statistics.pairs import Runs


def dunnett_p_value(t: float, contrasts: int, degrees: int) -> float:
    """P(max |T_j| > t) for ``contrasts`` t statistics that share baseline and error, correlation ½.

    Dunnett (1964, Biometrics 20, 482-491, doi:10.2307/2528490), equal sample sizes: with baseline at z and
    error s, P(all |T_j| ≤ t) = E[(Φ(z + √2 t s) − Φ(z − √2 t s))^contrasts], z normal, s² = χ²/degrees.
    Two-fold quadrature, so the same bytes each time, where scipy.stats.dunnett draws random points.
    """
    from scipy.special import ndtr

    points, weights = legendre()
    z = 9.0 * points  # beyond 9 standard deviations: 1e-19
    z_weight = 9.0 * weights * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    s, s_weight = scale_points(degrees)
    reach = math.sqrt(2) * abs(t) * s[:, None]
    outside = 1.0 - (ndtr(z + reach) - ndtr(z - reach)) ** contrasts
    return min(1.0, max(0.0, float(s_weight @ outside @ z_weight)))


def dunnett_critical(confidence: float, contrasts: int, degrees: int) -> float:
    """Critical |t|: with probability ``confidence`` no contrast of the family exceeds it if nothing differs."""
    from scipy.optimize import brentq

    alpha = 1.0 - fraction(confidence, "confidence")
    top = 4.0
    while dunnett_p_value(top, contrasts, degrees) > alpha:
        top *= 2.0
    return float(brentq(lambda t: dunnett_p_value(t, contrasts, degrees) - alpha, 0.0, top, xtol=1e-10))


def compare_dunnett(runs: Mapping[str, Runs], *, baseline: str, confidence: float = 0.95) -> Family:
    """Every controller against ``baseline`` with one pooled error and seeds as blocks.

    More powerful than Holm for few seeds if all controllers have the same variance; too many false alarms if one
    of them varies much more than the rest (measured in tests/experiments/statistics/test_error_rates.py), so it is not
    the default. Uses complete blocks; other runs are listed in ``left_out``.
    """
    fraction(confidence, "confidence")
    check_runs(runs, baseline)
    table = blocks(runs)
    b, k = table.values.shape
    degrees = (b - 1) * (k - 1)
    error = pooled_error(table.values)
    half = dunnett_critical(confidence, k - 1, degrees) * error
    means = dict(zip(table.names, table.values.mean(axis=0).tolist(), strict=True))
    contrasts = []
    for name, other in contrast_names(table.names, baseline):
        difference = means[name] - means[other]
        p = dunnett_p_value(difference / error, k - 1, degrees) if error else float(difference == 0.0)
        interval = Interval(difference - half, difference + half, confidence, "Dunnett, blocked")
        contrasts.append(Contrast(name, other, b, difference, interval, p))
    return Family("Dunnett", confidence, tuple(contrasts), table.left_out)


def pooled_error(values: Array) -> float:
    """Standard error of a difference of two means in complete blocks (blocks, controllers)."""
    return math.sqrt(2.0 * float(residual_mean_square(values)) / values.shape[0])
