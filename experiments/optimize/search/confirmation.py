"""Confirmation of a search: its leaders and the existing plan run on additional seeds before one is accepted.

Two or three training seeds leave a wide interval: the t quantile is 12.7 with two and 4.3 with three. Moreover the
best of many candidates on few seeds is partly the luckiest: on cologne3 one such candidate had 19.9 to 22.5 s/veh on
four other seeds and gridlocked on the fifth, 53.8. The leaders therefore run on additional seeds, the best is chosen
over all seeds, and the paired interval over all of them decides whether the existing plan is beaten.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from denxanh.experiments.optimize.evaluation.race import Case, Evaluator, accept
from denxanh.experiments.optimize.problem.space import Space
from denxanh.experiments.optimize.search.outcome import NOT_BEATEN, NOTE, Outcome, ranked
from denxanh.sim.plan import Plan

EXTRA_SEEDS = 5  # with three training seeds the t quantile falls from 4.3 to 2.4
LEADERS = 4  # plans that are confirmed: 25 runs with the existing plan, a third of those of a search


def confirm(
    outcome: Outcome,
    space: Space,
    evaluator: Evaluator,
    cases: Sequence[Case],
    *,
    exclude: Collection[int] = (),
    note: str = NOTE,  # of a plan that the search itself had not accepted
) -> Outcome:
    """``outcome`` with the best plan over its cases and the extra ones, if it beats the existing plan on them.

    ``cost`` and ``existing_cost`` of an accepted plan hold all of these cases. ``exclude``: seeds that must stay
    unseen. An outcome that was interrupted, or without a plan that ran on all cases, is returned unchanged.
    """
    complete = [e for e in ranked(outcome.evaluated) if len(e.cost) == len(cases)]
    if outcome.interrupted or not complete:
        return outcome
    leaders = complete[:LEADERS]
    if outcome.plan.timings:
        note = outcome.plan.note
    plans = [space.plan(leader.candidate, note) for leader in leaders]
    extra_existing, *extra = evaluator([Plan({}), *plans], extra_cases(cases, exclude))
    existing_cost = np.append(outcome.existing_cost, extra_existing)
    costs = [np.append(leader.cost, values) for leader, values in zip(leaders, extra, strict=True)]
    best = min(range(len(leaders)), key=lambda k: float(costs[k].mean()))
    comparison = accept(costs[best], existing_cost)
    if comparison is None:
        return replace(outcome, plan=NOT_BEATEN, candidate=None, cost=outcome.existing_cost, comparison=None)
    return replace(
        outcome,
        plan=plans[best],
        candidate=leaders[best].candidate,
        cost=costs[best],
        existing_cost=existing_cost,
        comparison=comparison,
    )


def extra_cases(cases: Sequence[Case], exclude: Collection[int]) -> list[Case]:
    """EXTRA_SEEDS cases of new seeds, the demands in turn; no seed of ``exclude``."""
    known = {case.seed for case in cases}
    seeds = (seed for seed in itertools.count(1) if seed not in exclude and seed not in known)
    chosen = itertools.islice(seeds, EXTRA_SEEDS)
    return [Case(cases[k % len(cases)].demand, seed) for k, seed in enumerate(chosen)]
