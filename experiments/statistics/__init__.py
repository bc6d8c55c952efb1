"""What may be concluded from runs: intervals, comparisons, power, stopping, warm-up, gridlock, designs.

Pure functions on numbers; what each means is told in docs/statistics.md.
"""

from experiments.statistics.design import Choice, FloatRange, IntRange, grid, latin_hypercube, sobol
from experiments.statistics.dunnett import compare_dunnett, dunnett_critical, dunnett_p_value
from experiments.statistics.effect import Effect, effect
from experiments.statistics.families import Contrast, Family
from experiments.statistics.gridlock import (
    GridlockLimits,
    GridlockRate,
    GridlockSummary,
    gridlock_p_value,
    gridlock_rate,
    is_gridlocked,
    median_interval,
    summarise_with_gridlock,
)
from experiments.statistics.holm import compare_holm, holm
from experiments.statistics.intervals import Interval
from experiments.statistics.paired import PairedComparison, compare_paired
from experiments.statistics.pairs import Key, Pairs, Runs, match, per_seed
from experiments.statistics.power import SeedsNeeded, detectable_difference, paired_power, seeds_needed
from experiments.statistics.sequential import Stopping, StoppingRule, judge
from experiments.statistics.signed_rank import signed_rank_p_value
from experiments.statistics.summary import Summary, summarise
from experiments.statistics.tukey import compare_tukey
from experiments.statistics.unblocked import dunnett_unblocked, tukey_unblocked
from experiments.statistics.unpaired import UnpairedComparison, unpaired
from experiments.statistics.verdict import DELAY, Quantity, Verdict, verdict, verdicts
from experiments.statistics.warmup import WarmUp, mser5

__all__ = [
    "DELAY",
    "Choice",
    "Contrast",
    "Effect",
    "Family",
    "FloatRange",
    "GridlockLimits",
    "GridlockRate",
    "GridlockSummary",
    "IntRange",
    "Interval",
    "Key",
    "PairedComparison",
    "Pairs",
    "Quantity",
    "Runs",
    "SeedsNeeded",
    "Stopping",
    "StoppingRule",
    "Summary",
    "UnpairedComparison",
    "Verdict",
    "WarmUp",
    "compare_dunnett",
    "compare_holm",
    "compare_paired",
    "compare_tukey",
    "detectable_difference",
    "dunnett_critical",
    "dunnett_p_value",
    "dunnett_unblocked",
    "effect",
    "grid",
    "gridlock_p_value",
    "gridlock_rate",
    "holm",
    "is_gridlocked",
    "judge",
    "latin_hypercube",
    "match",
    "median_interval",
    "mser5",
    "paired_power",
    "per_seed",
    "seeds_needed",
    "signed_rank_p_value",
    "sobol",
    "summarise",
    "summarise_with_gridlock",
    "tukey_unblocked",
    "unpaired",
    "verdict",
    "verdicts",
]
