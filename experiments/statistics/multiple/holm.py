"""The default among several controllers: a paired t test for each two, corrected by Holm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from denxanh.experiments.statistics._checks import Array, fraction
from denxanh.experiments.statistics.intervals import Interval, t_half_width
from denxanh.experiments.statistics.multiple.families import Contrast, Family, check_runs, contrast_names
from denxanh.experiments.statistics.paired import compare_paired
from denxanh.experiments.statistics.pairs import Key, Runs, in_order
from denxanh.sim.errors import InputError


def holm(p_values: npt.ArrayLike) -> Array:
    """Holm's step-down adjustment over the last axis: p (…, m) → adjusted p (…, m), same order.

    The i-th smallest of m is multiplied by m − i + 1, and no adjusted p may fall below an earlier one
    (Holm 1979, Scandinavian Journal of Statistics 6, 65-70). Valid under any dependence between the tests.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim == 0 or not bool(np.all((p >= 0.0) & (p <= 1.0))):
        raise InputError("Holm's correction takes a list of p values, each between 0 and 1")
    order = np.argsort(p, axis=-1, kind="stable")
    ranked = np.take_along_axis(p, order, axis=-1) * np.arange(p.shape[-1], 0, -1)
    stepped = np.minimum(np.maximum.accumulate(ranked, axis=-1), 1.0)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, stepped, axis=-1)
    return adjusted


def compare_holm(
    runs: Mapping[str, Runs],
    *,
    baseline: str | None = None,
    confidence: float = 0.95,
    rng: int | np.random.Generator | None = None,
) -> Family:
    """Every controller against ``baseline``, or every two: ``runs[controller][seed, demand]`` → Family.

    Each contrast has its own variance, so a controller that sometimes gridlocks does not affect the others; the seeds
    are blocks, and Holm's correction is valid under any dependence (Law 2015, section 10.3; Maxwell 1980, Journal of
    Educational Statistics 5, 269-287). The simultaneous intervals are Bonferroni's, a little wider than Holm's tests:
    p_adjusted decides, and ``test_interval``, at the level of the contrast's own step, agrees with it. Raises
    InputError for NaN or a single pair.
    """
    fraction(confidence, "confidence")
    check_runs(runs, baseline)
    chosen = contrast_names(tuple(runs), baseline)
    comparisons = []
    p_values = []
    for a, b in chosen:
        comparison = compare_paired(runs[a], runs[b], confidence=confidence, rng=rng)
        if comparison.p_value is None:
            raise InputError(
                f"'{a}' and '{b}' share one (seed, demand) only", remedy="run at least 2 seeds of each"
            )
        comparisons.append(comparison)
        p_values.append(comparison.p_value)
    together = 1.0 - (1.0 - confidence) / len(chosen)
    contrasts = []
    left_out: set[tuple[str, Key]] = set()
    for (a, b), comparison, p in zip(chosen, comparisons, holm(p_values), strict=True):
        middle, half = comparison.difference, float(t_half_width(np.array(comparison.differences), together))
        interval = Interval(middle - half, middle + half, confidence, "Bonferroni t")
        step = _step(comparison.p_value or 0.0, float(p), p_values)
        own = float(t_half_width(np.array(comparison.differences), 1.0 - (1.0 - confidence) / step))
        tested = Interval(middle - own, middle + own, confidence, "Holm step t")
        contrasts.append(Contrast(a, b, comparison.n, middle, interval, float(p), comparison, tested))
        left_out |= {(a, key) for key in comparison.pairs.only_candidate}
        left_out |= {(b, key) for key in comparison.pairs.only_baseline}
    named = tuple(
        (name, key) for name in runs for key in in_order({k for owner, k in left_out if owner == name})
    )
    return Family("paired t, Holm", confidence, tuple(contrasts), named)


def _step(p: float, adjusted: float, all_p: list[float]) -> float:
    """By what Holm's correction multiplies ``p``: from 1 for the largest of all to their number for the smallest."""
    rank = sum(other < p for other in all_p)
    return max(len(all_p) - rank, adjusted / p) if p > 0.0 and adjusted < 1.0 else float(len(all_p) - rank)
