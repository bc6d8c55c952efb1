"""statistics.json: the statistics of an experiment beyond the rows of summary.csv.

For each place, demand level and metric: every controller with its gridlock rate and median, every pair with the
baseline (t, bootstrap, Wilcoxon, effect, power), and the families of Holm, Dunnett and Tukey.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from denxanh.experiments.results.summary import Group, groups, jammed, quantity
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.statistics import (
    DELAY,
    Family,
    Interval,
    PairedComparison,
    Runs,
    compare_dunnett,
    compare_holm,
    compare_paired,
    compare_tukey,
    detectable_difference,
    effect,
    gridlock_p_value,
    seeds_needed,
    summarise,
    summarise_with_gridlock,
    verdict,
)
from denxanh.sim.errors import InputError
from denxanh.sim.metrics import METRICS

SCHEMA = "denxanh-statistics/1"
BOOTSTRAP_SEED = 1  # the same runs give the same file


def experiment_statistics(
    rows: Sequence[RunRow],
    metrics: Sequence[str],
    *,
    vehicles_per_day: float | None = None,
    worth_s: float | None = None,
) -> dict[str, Any]:
    """The content of statistics.json; None where the runs are too few, or gridlock rules out a mean."""
    found = [
        _group(group, name, vehicles_per_day, worth_s if name == "delay_s" else None)
        for group in groups(rows)
        for name in metrics
    ]
    return {"schema": SCHEMA, "groups": _finite(found)}


def _group(group: Group, metric: str, vehicles_per_day: float | None, worth: float | None) -> dict[str, Any]:
    runs = {name: values for name, values in group.values(metric).items() if values}
    baseline = next(iter(group.runs))
    flags = {name: {(r.seed, r.demand): jammed(r) for r in rows} for name, rows in group.runs.items()}
    return {
        "place": group.place,
        "demand": group.demand,
        "metric": metric,
        "unit": next(m.unit for m in METRICS if m.name == metric),
        "baseline": baseline,
        "controllers": {name: _controller(values, flags[name]) for name, values in runs.items()},
        "pairs": [
            _pair(name, baseline, metric, runs, flags, vehicles_per_day, worth, group.fallbacks)
            for name in runs
            if name != baseline and set(runs[name]) & set(runs.get(baseline, {}))
        ],
        "families": _families(runs, baseline),
    }


def _controller(values: Runs, jams: Mapping[Any, bool]) -> dict[str, Any]:
    found = summarise_with_gridlock(values, {key for key in values if jams[key]})
    plain = summarise(list(values.values()))
    return {
        "n": plain.n,
        "mean": found.everything.mean if found.everything else None,
        "mean_interval": _ends(found.everything.interval) if found.everything else None,
        "mean_of_flowing": found.flowing.mean if found.flowing else None,
        "sd": plain.sd,
        "median": found.median,
        "median_interval": _ends(found.median_interval),
        "minimum": plain.minimum,
        "maximum": plain.maximum,
        "gridlock_rate": found.rate.rate,
        "gridlock_interval": _ends(found.rate.interval),
        "gridlocked_seeds": sorted(seed for seed, _ in found.gridlocked),
    }


def _pair(
    candidate: str,
    baseline: str,
    metric: str,
    runs: Mapping[str, Runs],
    flags: Mapping[str, Mapping[Any, bool]],
    vehicles_per_day: float | None,
    worth: float | None,
    fallbacks: Mapping[str, tuple[str, str]],
) -> dict[str, Any]:
    compared = compare_paired(runs[candidate], runs[baseline], rng=BOOTSTRAP_SEED)
    shared = compared.pairs.keys
    words = verdict(
        compared,
        candidate=candidate,
        baseline=baseline,
        quantity=DELAY if metric == "delay_s" else quantity(metric),
        fallbacks=None if metric == "fallbacks" else fallbacks,
    )
    return {
        "candidate": candidate,
        "n": compared.n,
        "difference": compared.difference,
        "interval": _ends(compared.interval),
        "bootstrap_interval": _ends(compared.bootstrap),
        "p_value": compared.p_value,
        "wilcoxon_p": compared.wilcoxon_p,
        "correlation": compared.correlation,
        "gridlock_p": gridlock_p_value(
            [flags[candidate][k] for k in shared], [flags[baseline][k] for k in shared]
        ),
        "unmatched_seeds": sorted({seed for seed, _ in compared.unmatched}),
        "effect": asdict(effect(compared, vehicles_per_day=vehicles_per_day))
        if vehicles_per_day and metric == "delay_s"
        else None,
        "power": _power(compared, worth),
        "verdict": words.english,
        "verdict_vi": words.vietnamese,
    }


def _power(compared: PairedComparison, worth: float | None) -> dict[str, Any] | None:
    """The difference that the seeds could detect, and the seeds that would detect the difference worth having."""
    if compared.n < 2 or compared.constant or not compared.sd:
        return None
    needed = seeds_needed(compared.differences, worth) if worth else None
    return {
        "detectable_difference": detectable_difference(compared.n, compared.sd),
        "difference_worth": worth,
        "seeds_needed": needed.n if needed else None,
        "seeds_needed_cautious": needed.cautious if needed else None,
    }


def _families(runs: Mapping[str, Runs], baseline: str) -> list[dict[str, Any]]:
    """Holm and Dunnett against the baseline, Tukey among all; none where the seeds in common are too few."""
    out = []
    if len(runs) >= 2 and baseline in runs:
        methods: list[Callable[[], Family]] = [
            lambda: compare_holm(runs, baseline=baseline),
            lambda: compare_dunnett(runs, baseline=baseline),
            lambda: compare_tukey(runs),
        ]
        for family in methods:
            try:
                out.append(_family(family()))
            except InputError as error:
                out.append({"method": None, "reason": str(error)})
    return out


def _family(family: Family) -> dict[str, Any]:
    return {
        "method": family.method,
        "confidence": family.confidence,
        "contrasts": [
            {
                "candidate": contrast.candidate,
                "baseline": contrast.baseline,
                "n": contrast.n,
                "difference": contrast.difference,
                "simultaneous_interval": _ends(contrast.interval),
                "p_adjusted": contrast.p_adjusted,
            }
            for contrast in family.contrasts
        ],
        "left_out": [[name, seed] for name, (seed, _) in family.left_out],
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.low, interval.high]


def _finite(value: Any) -> Any:
    """JSON has no NaN: replace values that are not finite by None."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
