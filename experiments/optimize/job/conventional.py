"""The conventional plan of a scenario: the plan that a signal engineer sets with textbook methods, as a baseline.

The place's own stages in their order; splits in proportion to the critical flow ratios (Webster 1958); one common
cycle, swept; offsets from MAXBAND, from the existing plan or from none, then moved by a hill-climb on offsets alone
(Robertson 1969). The queue model ranks all of them, and SUMO decides between the leaders on training seeds; both by
the delay between an automatic warm-up and flush.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.race import Case, race
from denxanh.experiments.optimize.problem.constraints import Constraints
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.problem.starts import conventional_greens, in_bands
from denxanh.experiments.optimize.search.multistart import MultistartSearch
from denxanh.experiments.optimize.tuning_problem import ProblemOptions, TuningProblem, prepare_problem
from denxanh.experiments.specification.controllers import PLAN as CONTROLLER_PLAN
from denxanh.experiments.specification.controllers import needs_plan
from denxanh.experiments.specification.identity import code_hash, scenario_digest
from denxanh.experiments.specification.run_specification import RunSpecification
from denxanh.networks.build import cache
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Plan
from denxanh.sim.run import store
from denxanh.sim.run.automatic_window import automatic_window
from denxanh.sim.scenario import Scenario

TRAINING_SEEDS = (9001, 9002, 9003)
"""Seeds on which SUMO decides between the leaders: far from the seeds that users choose, so that none is reported."""

STEP = 5  # s between the cycles of the sweep: below 5 s the delay changes less than between seeds
CLIMBED = 8  # cycles whose offsets are climbed
LEADERS = 4  # cycles that the queue model ranks first and SUMO runs
COARSE = (50, 70, 90, 120, 150, 180)
"""Cycles in s that SUMO runs whatever the queue model says of them: it is no judge everywhere (docs/model.md)."""
MOVES = 400  # moves of offsets tried per signal, over all cycles
# of a network; the climbs of larger ones have not ended then, and the plan says nothing else
MOST_MOVES = 8000

PLAN = "plan.json"
RECORD = "conventional.json"


@dataclass(frozen=True)
class ConventionalPlan:
    """The plan, its common cycle (s), and for each plan that SUMO ran: cycle, cost in the model, mean in SUMO."""

    plan: Plan
    cycle: int
    tried: tuple[tuple[int, float, float], ...]  # (cycle s, s/veh in the queue model, s/veh in SUMO or nan)


class NotRaced(OutOfTime):
    """SUMO had no time to decide between the leaders: ``plan`` is the one that the queue model ranks first."""

    def __init__(self, plan: Plan) -> None:
        super().__init__("the time was over before SUMO had run the leading conventional plans")
        self.plan = plan


def conventional_plan(
    scenario: Scenario,
    *,
    jobs: int = 1,
    seeds: Sequence[int] = TRAINING_SEEDS,
    until: float = math.inf,
) -> ConventionalPlan:
    """The conventional plan of a scenario. The same scenario gives the same plan.

    ``until`` is a moment of ``time.monotonic``.

    Raises:
        NotRaced: SUMO was still running plans at ``until``.
        InputError: no signal can be set, no vehicle departs, or no common cycle holds the stages of all signals.
    """
    unmeasured = automatic_window(scenario).seconds
    options = ProblemOptions(constraints=Constraints(stages=True), cuts=(unmeasured, unmeasured))
    problem = prepare_problem(scenario, options, workers=max(1, jobs))
    climbed = _with_offsets(problem, _swept(problem))
    predicted = problem.surrogate([candidate for _, candidate in climbed])
    chosen = _leaders([cycle for cycle, _ in climbed], predicted)
    plans = [problem.space.plan(climbed[k][1]) for k in chosen]
    swept = (
        f"conventional: splits by critical flow ratios, cycle {{}} s of {len(climbed)} swept, offsets climbed"
    )
    try:
        raced = race(plans, replace(problem.evaluator, until=until), [Case(0, seed) for seed in seeds])
    except OutOfTime:
        note = swept.format(climbed[chosen[0]][0]) + ", chosen by the queue model alone"
        raise NotRaced(replace(plans[0], note=note)) from None
    cycle = climbed[chosen[raced.winner]][0]
    note = swept.format(cycle)
    complete = np.where(np.isfinite(raced.cost).all(axis=1), np.nan_to_num(raced.cost).mean(axis=1), np.nan)
    return ConventionalPlan(
        replace(plans[raced.winner], note=note),
        cycle,
        tuple(
            (climbed[k][0], float(predicted[k]), float(mean))
            for k, mean in zip(chosen, complete, strict=True)
        ),
    )


def conventional_plan_file(
    scenario: Scenario,
    *,
    jobs: int = 1,
    on_message: Callable[[str], None] = lambda text: None,
    until: float = math.inf,
) -> Path:
    """The path of the scenario's conventional plan in the cache; it is computed once for a demand and a version.

    Raises as ``conventional_plan``.
    """
    parts = ["conventional", scenario_digest(scenario, {}), code_hash(), repr(TRAINING_SEEDS)]

    def build(folder: Path) -> None:
        on_message(f"{scenario.name}: computing the conventional plan")
        found = conventional_plan(scenario, jobs=jobs, until=until)
        store.write_json(folder / PLAN, found.plan.to_json())
        rows = [
            {"cycle_s": cycle, "model_s": model, "sumo_s": None if np.isnan(sumo) else sumo}
            for cycle, model, sumo in found.tried
        ]
        record = {"cycle_s": found.cycle, "training_seeds": list(TRAINING_SEEDS), "tried": rows}
        (folder / RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")

    return cache.get(f"plan-{cache.digest(parts)}", build) / PLAN


def with_computed_plans(
    runs: Sequence[RunSpecification],
    *,
    jobs: int = 1,
    plans: Mapping[tuple[str, float], Path] | None = None,
    on_message: Callable[[str], None] = lambda text: None,
) -> list[RunSpecification]:
    """The runs with the plan of every controller that has its plan computed from the scenario and was given none.

    The plan is made for the demand of the runs, once for each scenario and level of demand. ``plans``, by place and
    level, has those of scenarios whose days differ from run to run: one plan holds on all of them. Raises InputError.
    """
    known = dict(plans or {})
    out = []
    for run in runs:
        if run.computed or not needs_plan(run.controller, run.arguments):
            out.append(run)
            continue
        key = run.place, run.demand
        if key not in known:
            known[key] = conventional_plan_file(run.simulated(), jobs=jobs, on_message=on_message)
        out.append(replace(run, computed={CONTROLLER_PLAN: str(known[key])}))
    return out


def _swept(problem: TuningProblem) -> list[tuple[int, Candidate]]:
    """(cycle, plan with the splits of that cycle) for each cycle of the sweep; offsets are 0. Raises InputError."""
    space = problem.space
    orders = [signal.stages.own for signal in space.signals]
    low, high = space.shortest_cycle(orders), max(space.cycles[1], space.shortest_cycle(orders))
    out = []
    for cycle in dict.fromkeys((low, *range(STEP * -(-low // STEP), high + 1, STEP))):
        built = space.build(cycle, orders, conventional_greens(space, orders, cycle))
        if built is not None:
            out.append((cycle, built))
    if not out:
        raise InputError(
            f"no common cycle up to {high} s holds the stages of all signals, so there is no conventional plan",
            location=problem.network.name,
            remedy="leave the controller conventional out",
        )
    return out


def _with_offsets(
    problem: TuningProblem, swept: Sequence[tuple[int, Candidate]]
) -> list[tuple[int, Candidate]]:
    """Each cycle with its best offsets in the queue model: MAXBAND's, the existing ones or none, then climbed."""
    space = problem.space
    if len(space.signals) == 1:
        return list(swept)
    existing = [setting.offset for setting in space.existing()]
    offered = [
        (cycle, variant)
        for cycle, candidate in swept
        for variant in (
            candidate,
            in_bands(space, candidate),
            tuple(replace(s, offset=o % cycle) for s, o in zip(candidate, existing, strict=True)),
        )
    ]
    cost = problem.surrogate([variant for _, variant in offered])
    best: dict[int, tuple[float, Candidate]] = {}
    for (cycle, variant), value in zip(offered, cost.tolist(), strict=True):
        if cycle not in best or value < best[cycle][0]:
            best[cycle] = value, variant
    order = sorted(best, key=lambda cycle: best[cycle][0])
    climbed = dict.fromkeys([*order[:CLIMBED], *_coarse(order)])
    only_offsets = Space(
        problem.network, constraints=Constraints(stages=True, greens=True), cycles=space.cycles
    )
    search = MultistartSearch(
        Neighbourhood(only_offsets),
        [best[cycle][1] for cycle in climbed],
        np.random.default_rng(0),
        keep=len(climbed),
    )
    while search.evaluations < min(MOVES * len(space.signals), MOST_MOVES):
        batch = search.ask()
        if not batch:
            break
        search.tell(problem.surrogate(batch))
    found = {cycle: variant for cycle, (_, variant) in best.items()}
    found |= {
        space.common_cycle(candidate): candidate
        for candidate in search.leaders(len(climbed), kind=space.common_cycle)
    }
    return sorted(found.items())


def _leaders(cycles: Sequence[int], predicted: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[int]:
    """Indices of the plans that SUMO runs: the model's best LEADERS and the coarse cycles, the best first."""
    order = [int(k) for k in np.argsort(predicted, kind="stable")]
    coarse = set(_coarse(cycles))
    return order[:LEADERS] + [k for k in order[LEADERS:] if cycles[k] in coarse]


def _coarse(cycles: Sequence[int]) -> list[int]:
    """The cycles nearest to those of COARSE, within their range."""
    low, high = min(cycles), max(cycles)
    return list(dict.fromkeys(min(cycles, key=lambda c: abs(c - at)) for at in COARSE if low <= at <= high))
