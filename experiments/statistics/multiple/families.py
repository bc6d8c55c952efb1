"""Families of comparisons that are decided together: contrasts, and the blocks they are computed from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from denxanh.experiments.statistics._checks import Array, finite
from denxanh.experiments.statistics.intervals import Interval
from denxanh.experiments.statistics.paired import PairedComparison
from denxanh.experiments.statistics.pairs import Key, Runs, in_order
from denxanh.sim.errors import InputError


@dataclass(frozen=True, slots=True)
class Contrast:
    """Candidate minus baseline as one member of a family.

    ``interval`` is simultaneous: all of the family's intervals hold together with its confidence.
    ``p_adjusted`` ≤ α over the whole family keeps the chance of any false alarm at α.
    ``comparison`` is the pair's own analysis where the method makes one (Holm). ``test_interval`` is at the level of
    this contrast's own test: it leaves out zero exactly where ``p_adjusted`` ≤ α.
    """

    candidate: str
    baseline: str
    n: int
    difference: float
    interval: Interval
    p_adjusted: float
    comparison: PairedComparison | None = None
    test_interval: Interval | None = None  # None: ``interval`` agrees with the test (Dunnett, Tukey)

    @property
    def decisive(self) -> Interval:
        """The interval that agrees with the decision by ``p_adjusted``."""
        return self.interval if self.test_interval is None else self.test_interval


@dataclass(frozen=True, slots=True)
class Family:
    """All contrasts of one question, the method, and the runs (controller, key) that were left out."""

    method: str
    confidence: float
    contrasts: tuple[Contrast, ...]
    left_out: tuple[tuple[str, Key], ...]


@dataclass(frozen=True, slots=True)
class Blocks:
    """Complete blocks: ``values[i, j]`` is controller ``names[j]`` under the randomness ``keys[i]``."""

    names: tuple[str, ...]
    keys: tuple[Key, ...]
    values: Array  # (blocks, controllers), unit of the runs
    left_out: tuple[tuple[str, Key], ...]


def check_runs(runs: Mapping[str, Runs], baseline: str | None = None) -> None:
    """Raise InputError unless there are two controllers or more, all numbers are finite, the baseline has runs."""
    if len(runs) < 2:
        raise InputError(f"a comparison needs at least two controllers, not {len(runs)}")
    if baseline is not None and baseline not in runs:
        raise InputError(f"the baseline '{baseline}' has no runs", remedy=f"choose among {', '.join(runs)}")
    for name, sample in runs.items():
        finite(list(sample.values()), f"the sample of '{name}'")


def contrast_names(names: tuple[str, ...], baseline: str | None) -> tuple[tuple[str, str], ...]:
    """(candidate, baseline) of every contrast: against one baseline, or among all in the order given."""
    if baseline is None:
        return tuple((later, earlier) for earlier, later in combinations(names, 2))
    return tuple((name, baseline) for name in names if name != baseline)


def blocks(runs: Mapping[str, Runs]) -> Blocks:
    """The blocks of the (seed, demand) that every controller has. Raises InputError for fewer than two."""
    check_runs(runs)
    names = tuple(runs)
    shared = frozenset.intersection(*(frozenset(sample) for sample in runs.values()))
    keys = in_order(shared)
    if len(keys) < 2:
        raise InputError(
            f"only {len(keys)} (seed, demand) is shared by all {len(names)} controllers, needed: at least 2",
            remedy="run every controller with the same seeds",
        )
    return Blocks(
        names=names,
        keys=keys,
        values=np.array([[float(runs[name][key]) for name in names] for key in keys]),
        left_out=tuple((name, key) for name in names for key in in_order(frozenset(runs[name]) - shared)),
    )


def residual_mean_square(values: Array) -> Array:
    """Error mean square of a randomised complete block design: (…, blocks, controllers) → (…).

    Residuals after the means of seeds and of controllers: sum of squares over (b − 1)(k − 1)
    (Montgomery 2017, Design and Analysis of Experiments, section 4.1). It pools all controllers, which is
    valid only if every two of them differ with the same variance (sphericity).
    """
    b, k = values.shape[-2:]
    residual = (
        values
        - values.mean(axis=-1, keepdims=True)
        - values.mean(axis=-2, keepdims=True)
        + values.mean(axis=(-2, -1), keepdims=True)
    )
    return np.asarray((residual**2).sum(axis=(-2, -1)) / ((b - 1) * (k - 1)), dtype=np.float64)
