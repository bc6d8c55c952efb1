"""Statistics of simulation runs: intervals, comparisons, power, stopping rules, warm-up, gridlock.

Pure functions on numbers; docs/statistics.md explains each.
"""

from denxanh.experiments.statistics.effect import Effect, effect
from denxanh.experiments.statistics.gridlock import (
    GridlockLimits,
    GridlockRate,
    GridlockSummary,
    gridlock_p_value,
    gridlock_rate,
    is_gridlocked,
    median_interval,
    summarise_with_gridlock,
)
from denxanh.experiments.statistics.intervals import Interval
from denxanh.experiments.statistics.multiple.best_subset import (
    INDIFFERENCE,
    BestSubset,
    Standing,
    best_subset,
)
from denxanh.experiments.statistics.multiple.dunnett import compare_dunnett, dunnett_critical, dunnett_p_value
from denxanh.experiments.statistics.multiple.families import Contrast, Family
from denxanh.experiments.statistics.multiple.holm import compare_holm, holm
from denxanh.experiments.statistics.multiple.tukey import compare_tukey
from denxanh.experiments.statistics.paired import PairedComparison, compare_cases, compare_paired
from denxanh.experiments.statistics.pairs import Key, Pairs, Runs, match, per_seed
from denxanh.experiments.statistics.power import (
    SeedsNeeded,
    detectable_difference,
    paired_power,
    seeds_needed,
)
from denxanh.experiments.statistics.sample import Summary, summarise
from denxanh.experiments.statistics.sequential import Stopping, StoppingRule, apply_stopping_rule
from denxanh.experiments.statistics.signed_rank import signed_rank_p_value
from denxanh.experiments.statistics.verdict import DELAY, Quantity, Verdict, verdict, verdicts
from denxanh.experiments.statistics.warmup import WarmUp, mser5

__all__ = [
    "DELAY",
    "INDIFFERENCE",
    "BestSubset",
    "Contrast",
    "Effect",
    "Family",
    "GridlockLimits",
    "GridlockRate",
    "GridlockSummary",
    "Interval",
    "Key",
    "PairedComparison",
    "Pairs",
    "Quantity",
    "Runs",
    "SeedsNeeded",
    "Standing",
    "Stopping",
    "StoppingRule",
    "Summary",
    "Verdict",
    "WarmUp",
    "apply_stopping_rule",
    "best_subset",
    "compare_cases",
    "compare_dunnett",
    "compare_holm",
    "compare_paired",
    "compare_tukey",
    "detectable_difference",
    "dunnett_critical",
    "dunnett_p_value",
    "effect",
    "gridlock_p_value",
    "gridlock_rate",
    "holm",
    "is_gridlocked",
    "match",
    "median_interval",
    "mser5",
    "paired_power",
    "per_seed",
    "seeds_needed",
    "signed_rank_p_value",
    "summarise",
    "summarise_with_gridlock",
    "verdict",
    "verdicts",
]
