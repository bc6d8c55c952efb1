"""Tukey's honestly significant difference among all controllers, on blocks of equal seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping

from denxanh.experiments.statistics._checks import fraction
from denxanh.experiments.statistics.intervals import Interval
from denxanh.experiments.statistics.multiple.dunnett import pooled_error
from denxanh.experiments.statistics.multiple.families import Contrast, Family, blocks, contrast_names
from denxanh.experiments.statistics.pairs import Runs


def compare_tukey(runs: Mapping[str, Runs], *, confidence: float = 0.95) -> Family:
    """Every two controllers with one pooled error and seeds as blocks (studentised range).

    Montgomery (2017), sections 3.5.7 and 4.1. The same condition as for Dunnett: all controllers must have
    the same variance (sphericity); otherwise use ``compare_holm``. Runs outside complete blocks are in ``left_out``.
    """
    from scipy.stats import studentized_range

    fraction(confidence, "confidence")
    table = blocks(runs)
    b, k = table.values.shape
    degrees = (b - 1) * (k - 1)
    error = pooled_error(table.values)
    # The studentised range q is √2 times the largest t of a difference of two means.
    half = float(studentized_range.ppf(confidence, k, degrees)) / math.sqrt(2) * error
    means = dict(zip(table.names, table.values.mean(axis=0).tolist(), strict=True))
    contrasts = []
    for name, other in contrast_names(table.names, None):
        difference = means[name] - means[other]
        q = math.sqrt(2) * abs(difference) / error if error else 0.0
        p = float(studentized_range.sf(q, k, degrees)) if error else float(difference == 0.0)
        interval = Interval(difference - half, difference + half, confidence, "Tukey, blocked")
        contrasts.append(Contrast(name, other, b, difference, interval, min(1.0, p)))
    return Family("Tukey", confidence, tuple(contrasts), table.left_out)
