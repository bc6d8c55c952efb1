"""Pairs of runs of two controllers with the same seed and demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from denxanh.experiments.statistics._checks import finite
from denxanh.sim.errors import InputError

Key = tuple[int, float | str]
"""(seed, demand) of a run: equal keys mean the same vehicles, departures and random streams."""

Runs = Mapping[Key, float]
"""One number per run of one controller at one place."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """Runs of two controllers with equal keys, in key order, and the keys without a partner."""

    keys: tuple[Key, ...]
    candidate: tuple[float, ...]
    baseline: tuple[float, ...]
    only_candidate: tuple[Key, ...]
    only_baseline: tuple[Key, ...]

    @property
    def unmatched(self) -> int:
        """Number of runs without a partner."""
        return len(self.only_candidate) + len(self.only_baseline)


def in_order(keys: set[Key] | frozenset[Key]) -> tuple[Key, ...]:
    """Keys sorted by seed, then demand, whatever the order of completion."""
    return tuple(sorted(keys, key=lambda key: (key[0], str(key[1]))))


def match(candidate: Runs, baseline: Runs) -> Pairs:
    """Pair the runs of two controllers by (seed, demand).

    Runs without a partner are listed in the result. Raises InputError for NaN or without any pair.
    """
    finite(list(candidate.values()), "the candidate's runs")
    finite(list(baseline.values()), "the baseline's runs")
    ours, theirs = set(candidate), set(baseline)
    keys = in_order(ours & theirs)
    if not keys:
        raise InputError(
            "the two controllers share no (seed, demand), so their runs cannot be paired",
            remedy="run both with the same seeds",
        )
    return Pairs(
        keys=keys,
        candidate=tuple(float(candidate[key]) for key in keys),
        baseline=tuple(float(baseline[key]) for key in keys),
        only_candidate=in_order(ours - theirs),
        only_baseline=in_order(theirs - ours),
    )


def per_seed(runs: Runs) -> dict[Key, float]:
    """Mean over the demands of each seed: {(seed, "all"): value}, one independent number per seed.

    Runs of one seed at several demands share its random streams, and demands are chosen, not drawn: the
    seed is the replication. InputError unless every seed has every demand.
    """
    seeds = sorted({seed for seed, _ in runs})
    demands = sorted({demand for _, demand in runs}, key=str)
    lost = [(seed, demand) for seed in seeds for demand in demands if (seed, demand) not in runs]
    if lost:
        raise InputError(
            f"seed {lost[0][0]} has no run at demand {lost[0][1]} ({len(lost)} missing)",
            remedy="complete the runs, or compare each demand on its own",
        )
    return {(seed, "all"): sum(runs[seed, demand] for demand in demands) / len(demands) for seed in seeds}
