"""The result of an optimisation: the plan found where it is better than the conventional one on held-out days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from denxanh.experiments.optimize.job.plan_files import write_plan_files
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.job.tuning_result import Array, ConventionalBaseline, Variant
from denxanh.experiments.optimize.job.validation import Validation
from denxanh.experiments.optimize.problem.objective import DELAY
from denxanh.experiments.results.references import CONVENTIONAL, existing_name
from denxanh.experiments.statistics import compare_cases
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan


def settle(
    variants: Sequence[Variant],
    validation: Validation,
    baseline: ConventionalBaseline,
    options: TuningOptions,
    network: Network,
) -> list[Variant]:
    """The variants, each replaced by the conventional plan where it is not better on the demand given.

    Against a plan found the mean decides: both change the street, and the simpler plan is due where nothing is gained
    over it. The existing plan gives way to the conventional one only beyond the 95 % interval of the pairs. The
    files of a replaced plan are written again. The points of a front stay: none of them is the best.
    """
    if options.pareto is not None or not baseline.usable:
        return list(variants)
    out, place = [], 0
    for variant in variants:
        if variant.duplicate:
            out.append(variant)
            continue
        place += variant.validated
        found = _costs(validation, variant.name, place, options) if variant.validated else None
        existing = _costs(validation, existing_name(validation.scenarios[0]), 0, options)
        conventional = _conventional_costs(validation, options)
        out.append(
            _conventional(variant, baseline, network)
            if _is_better(conventional, found, existing)
            else variant
        )
    return out


def _is_better(
    conventional: dict[int, float], found: dict[int, float] | None, existing: dict[int, float]
) -> bool:
    """Whether the conventional plan replaces the plan found or, where there is none, the existing plan."""
    other = existing if found is None else found
    seeds = sorted(set(conventional) & set(other))
    if not seeds:
        return False
    ours, theirs = np.array([conventional[s] for s in seeds]), np.array([other[s] for s in seeds])
    if found is not None:
        return float(ours.mean()) <= float(theirs.mean())
    interval = compare_cases(ours, theirs).interval
    return interval is not None and interval.high < 0


def _conventional(variant: Variant, baseline: ConventionalBaseline, network: Network) -> Variant:
    return replace(
        variant,
        plan=baseline.plan,
        files=write_plan_files(variant.files.folder, baseline.plan, network),
        actuation=None,
        day=None,
        is_conventional=True,
        found=variant.plan if variant.validated else Plan({}, variant.plan.note),
    )


def _costs(validation: Validation, name: str, place: int, options: TuningOptions) -> dict[int, float]:
    """Cost by held-out seed on the demand given; ``place`` is that of the plan in ``validation.values``."""
    if options.objective == DELAY:
        return _delays(validation, name)
    return _by_seed(None if validation.values is None else validation.values[place], options)


def _conventional_costs(validation: Validation, options: TuningOptions) -> dict[int, float]:
    if options.objective == DELAY:
        return _delays(validation, CONVENTIONAL)
    return _by_seed(validation.conventional_values, options)


def _delays(validation: Validation, name: str) -> dict[int, float]:
    place = validation.scenarios[0].name
    return {
        row.seed: float(row.metrics["delay_s"] or 0.0)
        for row in validation.rows
        if row.done and (row.place, row.controller) == (place, name)
    }


def _by_seed(values: Array | None, options: TuningOptions) -> dict[int, float]:
    """The objective of ``values`` (cases, terms) by held-out seed."""
    if values is None:
        return {}
    cost = options.objective.cost(values)
    return dict(zip(options.held_out, cost.tolist(), strict=False))
