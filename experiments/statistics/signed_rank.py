"""Wilcoxon's signed-rank test, exact with ties and zeros."""

from __future__ import annotations

import numpy as np

from denxanh.experiments.statistics._checks import Values, finite


def signed_rank_p_value(differences: Values) -> float:
    """Two-sided p that ``differences`` (n,) are symmetric about zero (Wilcoxon 1945, doi:10.2307/3001968).

    Zeros are ranked and then count for neither side (Pratt 1959, doi:10.1080/01621459.1959.10501526): an unchanged pair
    is evidence as well. The distribution over all 2ⁿ signs is counted, not approximated;
    it costs n³ additions, where scipy.stats.wilcoxon enumerates up to 13 tied pairs and then turns to the
    normal. Below 6 pairs no outcome reaches p = 0.05. Only zeros give 1.
    """
    d = finite(differences, "the differences")
    _, place, count = np.unique(np.abs(d), return_inverse=True, return_counts=True)
    doubled = (2 * np.cumsum(count) - count + 1)[place]  # twice the mid-rank: a whole number
    moved = d != 0
    positive_sum = int(doubled[moved & (d > 0)].sum())
    # chance[w] = P(sum of the doubled ranks with positive sign = w), one fair sign after the other.
    chance = np.zeros(int(doubled[moved].sum()) + 1)
    chance[0] = 1.0
    for rank in doubled[moved]:
        shifted = np.zeros_like(chance)
        shifted[rank:] = chance[: chance.size - rank]
        chance = (chance + shifted) / 2
    below, above = float(chance[: positive_sum + 1].sum()), float(chance[positive_sum:].sum())
    return min(1.0, 2.0 * min(below, above))
