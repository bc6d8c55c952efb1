"""Fidelity of the surrogate in one scenario: how well it ranks plans there, measured before the search.

A handful of diverse plans (other cycles, other stages) run in SUMO; the constants of the queue model are fitted to
them, each plan being predicted without itself (``sim.model.calibrate``). Where the surrogate cannot rank them, the
search runs in SUMO (``denxanh.experiments.optimize.search.search_in_sumo``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.objective import DELAY
from denxanh.experiments.optimize.problem.space import Candidate
from denxanh.experiments.optimize.problem.starts import starts
from denxanh.experiments.optimize.search.climb import kicked
from denxanh.experiments.optimize.surrogate.predicted_cost import Surrogate
from denxanh.experiments.optimize.tuning_problem import TuningProblem
from denxanh.sim.model.calibrate import LEAST_PLANS, Fidelity, calibrate
from denxanh.sim.model.calibrate import assess_fidelity as rank_fidelity
from denxanh.sim.plan import Plan

Array = NDArray[np.float64]

PLANS = 8  # six are the least that can be fitted; two more cost four runs of SUMO
SEEDS = 2  # of the training seeds: two tell how well SUMO agrees with itself
WALK = 12  # random moves from a start to a plan unlike it


@dataclass(frozen=True)
class FidelityAssessment:
    """The surrogate fitted to the scenario, its fidelity, and SUMO's costs of the plans tried."""

    surrogate: Surrogate
    fidelity: Fidelity
    candidates: tuple[Candidate, ...]
    cost: Array  # (plans,) SUMO's mean of the objective
    runs: int


def assess_fidelity(
    problem: TuningProblem, seeds: Sequence[int], rng: np.random.Generator
) -> FidelityAssessment | None:
    """Run diverse plans in SUMO, fit the queue model to their delays, and measure how well it ranks them.

    None where the constraints leave too few plans for a fit.
    """
    candidates = diverse_plans(problem, rng)
    if len(candidates) < LEAST_PLANS:
        return None
    plans = [problem.space.plan(c) for c in candidates]
    chosen = tuple(seeds[:SEEDS])
    cases = [Case(0, seed) for seed in chosen]
    objective = problem.evaluator.objective
    terms = (*DELAY.terms, *objective.terms)
    given = replace(problem.evaluator, days=None)  # the model has the demand given, not another day of it
    values = given.values(plans, cases, terms)  # (plans, seeds, terms)
    cost = objective.cost(values[..., len(DELAY.terms) :])

    def delays(plans: Sequence[Plan], seeds: Sequence[int]) -> Array:
        return np.asarray(values[..., 0], dtype=np.float64)

    models = problem.surrogate.models
    fitted, fidelity = calibrate(models[0], plans, delays, chosen)
    surrogate = problem.surrogate
    if fidelity.usable:
        surrogate = replace(surrogate, models=tuple(m.with_parameters(fitted.parameters) for m in models))
    if objective != DELAY:  # the order that matters is that of the objective
        given_demand = replace(surrogate, models=surrogate.models[:1])
        fidelity = rank_fidelity(np.maximum(given_demand(candidates), 1e-9), np.maximum(cost, 1e-9))
    return FidelityAssessment(
        surrogate, fidelity, tuple(candidates), cost.mean(axis=1), len(plans) * len(cases)
    )


def diverse_plans(problem: TuningProblem, rng: np.random.Generator, count: int = PLANS) -> list[Candidate]:
    """At most ``count`` candidates: starts of the search, evenly chosen, and random walks from them."""
    space = problem.space
    legal = [c for c in starts(space) if space.legal(c)] or [space.existing()]
    spread = [legal[k] for k in np.unique(np.linspace(0, len(legal) - 1, count).round().astype(int))]
    out, neighbours = list(dict.fromkeys(spread)), Neighbourhood(space)
    for k in range(4 * count):
        if len(out) >= count or not neighbours.kinds:
            break
        other = kicked(neighbours, out[k % len(spread)], WALK, rng)
        if other not in out:
            out.append(other)
    return out
