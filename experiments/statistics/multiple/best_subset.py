"""The best controllers with an indifference zone: multiple comparisons with the best, on paired runs.

J. C. Hsu (1984), Constrained simultaneous confidence intervals for multiple comparisons with the best, Annals of
Statistics 12, 1136–1144; with common random numbers and Bonferroni's bound as in B. L. Nelson and F. J. Matejcik
(1995), Using common random numbers for indifference-zone selection and multiple comparisons in simulation, Management
Science 41, 1935–1945. Each pair has its own variance here, since controllers do not vary alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from denxanh.experiments.statistics._checks import fraction, positive
from denxanh.experiments.statistics.intervals import t_half_width
from denxanh.experiments.statistics.multiple.families import blocks
from denxanh.experiments.statistics.pairs import Key, Runs

INDIFFERENCE = 0.05
"""Share of the best mean below which a difference does not matter: other days of one demand move the delay of one
plan by more (Phố Huế 7.5 %)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One controller against the best of all others, in the unit of the runs; small is good.

    ``excess``: mean less the smallest mean. ``at_most``: upper bound of what it really is worse than the best.
    ``best``: that bound is within the indifference zone, so it is shown to be as good as the best.
    ``possible``: it may be the best: no other is shown to be better.
    """

    name: str
    excess: float
    at_most: float
    best: bool
    possible: bool


@dataclass(frozen=True, slots=True)
class BestSubset:
    """Standings in the order of the controllers, the zone in the unit of the runs, the runs that were left out."""

    standings: tuple[Standing, ...]
    indifference: float
    confidence: float
    left_out: tuple[tuple[str, Key], ...]


def best_subset(
    runs: Mapping[str, Runs],
    *,
    indifference: float = INDIFFERENCE,
    confidence: float = 0.95,
    sign: float = 1.0,
) -> BestSubset:
    """Which controllers are shown to be within ``indifference`` (share of the best mean) of the best.

    With probability ``confidence`` every bound holds: the excess of each controller over the true best is at most its
    ``at_most``, and the true best is ``possible``. A controller whose runs vary so much that the bound exceeds the zone
    is not named best however low its mean. ``sign`` −1: large values are good. Raises InputError as ``blocks``.
    """
    alpha = 1.0 - fraction(confidence, "confidence")
    table = blocks(runs)
    values = sign * table.values
    k = len(table.names)
    means = values.mean(axis=0)
    zone = positive(indifference, "indifference") * abs(float(means.min()))
    # only the k − 1 pairs with the true best count, each with an upper and a lower bound
    differences = values.T[:, None, :] - values.T[None, :, :]  # (k, k, n): row minus column
    half = t_half_width(differences, 1.0 - alpha / (k - 1))
    low, high = differences.mean(axis=-1) - half, differences.mean(axis=-1) + half
    other = ~np.eye(k, dtype=np.bool_)
    at_most = np.maximum(np.where(other, high, -np.inf).max(axis=1), 0.0)
    possible = np.logical_not((np.where(other, low, -np.inf) > 0).any(axis=1)).tolist()
    return BestSubset(
        tuple(
            Standing(name, float(mean - means.min()), float(bound), bool(bound <= zone), bool(may))
            for name, mean, bound, may in zip(table.names, means, at_most, possible, strict=True)
        ),
        zone,
        confidence,
        table.left_out,
    )
