"""Search for plans by time of day: the plans and their schedule, chosen by evaluation in SUMO.

The plan of the whole scenario gives the stages; for parts of the scenario (halves, quarters …) greens, offsets and
cycle are searched in the queue model of that part's traffic. SUMO then runs every plan over the whole scenario, which
gives its cost to the vehicles due to depart in each quarter of an hour, and the cheapest schedule is found exactly
(``problem.day_schedule``). The schedule itself, transitions included, is compared with the best single plan.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.evaluator import Program
from denxanh.experiments.optimize.evaluation.measures import RunOutput
from denxanh.experiments.optimize.evaluation.race import Case, accept
from denxanh.experiments.optimize.problem.day_schedule import DaySchedule, Switch, day_xml, schedule
from denxanh.experiments.optimize.problem.neighbourhood import Move, Neighbourhood
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.search.multistart import MultistartSearch
from denxanh.experiments.optimize.search.tuner import Budget
from denxanh.experiments.optimize.surrogate.predicted_cost import Surrogate
from denxanh.experiments.optimize.tuning_problem import TuningProblem, demand_of
from denxanh.experiments.statistics import PairedComparison
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import clock
from denxanh.sim.model import build

Array = NDArray[np.float64]

CYCLES = 6  # cycles to which the plan of the whole scenario is scaled, as starts for its parts


@dataclass(frozen=True)
class PlannedDay:
    """A schedule with SUMO's costs, s/veh. ``comparison`` is None where a single plan is as good."""

    day: DaySchedule
    edges: tuple[float, ...]  # s, limits of the periods
    table: Array  # (plans tried, periods) s/veh, over all vehicles of the scenario
    cost: Array  # (cases,) of the schedule, its transitions included
    single: Array  # (cases,) of the best single plan
    comparison: PairedComparison | None


def plan_day(
    problem: TuningProblem,
    base: Candidate,
    surrogate: Surrogate,
    cases: Sequence[Case],
    rng: np.random.Generator,
    *,
    most: int,
    seconds: float,
    period: float,
    on_message: Callable[[str], None] = lambda text: None,
) -> PlannedDay:
    """At most ``most`` plans with the stages of ``base`` and when they run. ``seconds`` of CPU for their search.

    Raises InputError where the scenario is too short for two periods.
    """
    scenario = problem.evaluator.scenarios[0]
    edges = periods(scenario.begin, scenario.end, period)
    windows = parts(len(edges) - 1, most)
    candidates = [base]
    for first, last in windows:
        on_message(f"searching a plan for {clock(edges[first])}–{clock(edges[last])}")
        found = _best_for(
            problem, base, surrogate, (edges[first], edges[last]), rng, seconds=seconds / len(windows)
        )
        if found not in candidates:
            candidates.append(found)
    plans = [
        problem.space.plan(candidate, "one of the day" + Budget(seconds).note) for candidate in candidates
    ]
    on_message(f"running {len(plans)} plans over the whole time in SUMO")

    def by_period(run: RunOutput) -> Array:
        return _lost_by_period(run, np.array(edges))

    lost = problem.evaluator.read([problem.evaluator.program(plan) for plan in plans], cases, by_period)
    per_vehicle = _per_vehicle(lost)  # (plans, cases, periods)
    table = per_vehicle.mean(axis=1)
    best = int(np.argmin(table.sum(axis=1)))
    single = per_vehicle[best].sum(axis=1)
    cycle = float(problem.space.common_cycle(base))
    # a transition disturbs coordination for about a cycle: vehicles arriving then wait half a cycle more
    price = cycle / (scenario.end - scenario.begin) * cycle / 2
    day = schedule(plans, table, edges, most=most, switch_cost=price)
    if len(day.plans) > 1:
        on_message(f"running the schedule of {len(day.plans)} plans in SUMO")
        program = Program(day_xml(day, problem.network), tuple(day.plans[0].timings))
        cost = _per_vehicle(problem.evaluator.read([program], cases, by_period)[0]).sum(axis=1)
        comparison = accept(cost, single)
        if comparison is not None:
            return PlannedDay(day, edges, table, cost, single, comparison)
    alone = DaySchedule((plans[best],), (Switch(edges[0], 0),), float(single.mean()))
    return PlannedDay(alone, edges, table, single, single, None)


def periods(begin: float, end: float, period: float) -> tuple[float, ...]:
    """Limits of the periods, s, each about ``period`` long. Raises InputError for fewer than two periods."""
    count = int((end - begin) // period)
    if count < 2:
        raise InputError(
            f"{end - begin:g} s are too short for plans by time of day",
            remedy=f"give a scenario of at least {2 * period:g} s, or a shorter --day-period",
        )
    return tuple(float(round(edge)) for edge in np.linspace(begin, end, count + 1))


def parts(count: int, most: int) -> list[tuple[int, int]]:
    """Windows (first, last) of ``count`` periods to search a plan for: 2, ``most`` and twice as many windows."""
    out: dict[tuple[int, int], None] = {}
    for pieces in (2, most, 2 * most):
        cuts = np.linspace(0, count, min(pieces, count) + 1).round().astype(int).tolist()
        out |= dict.fromkeys(itertools.pairwise(cuts))
    return list(out)


class _FixedStages:
    """A neighbourhood whose moves keep the stages and their order."""

    def __init__(self, space: Space) -> None:
        fixed = copy.copy(space)
        fixed.constraints = replace(space.constraints, stages=True)
        self._moves = Neighbourhood(fixed)
        self.kinds = tuple(kind for kind in self._moves.kinds if kind != "copy")  # a copy brings its stages

    def draw(self, candidate: Candidate, kind: str, rng: np.random.Generator) -> Move | None:
        """One random move of ``kind``, or None."""
        return self._moves.draw(candidate, kind, rng)


def _best_for(
    problem: TuningProblem,
    base: Candidate,
    surrogate: Surrogate,
    window: tuple[float, float],
    rng: np.random.Generator,
    *,
    seconds: float,
) -> Candidate:
    """The plan of least predicted cost for the traffic of one window (begin, end), s."""
    scenario = problem.evaluator.scenarios[0]
    demand = demand_of(scenario, problem.network, seed=surrogate.seed, window=window)
    if not len(demand):
        return base
    whole = surrogate.models[0]
    model = build(
        problem.network,
        demand,
        right_of_way=whole.right_of_way,
        parameters=whole.parameters,
        sublane=whole.sublane,
    )
    predict = replace(surrogate, models=(model,), residual=None)
    space = problem.space
    scaled = [base]
    if not (space.constraints.cycle or space.constraints.greens):
        low, high = space.shortest_cycle([setting.order for setting in base]), space.cycles[1]
        if low < high:
            rescaled = [space.rescaled(base, round(c)) for c in np.geomspace(low, high, CYCLES)]
            scaled += [candidate for candidate in rescaled if candidate is not None]
    search = MultistartSearch(_FixedStages(space), scaled, rng)
    predict(scaled[:1])  # the model compiles itself at its first batch: that is not search
    until = time.process_time() + seconds
    while True:
        batch = search.ask()
        if not batch:
            break
        search.tell(predict(batch))
        if time.process_time() >= until:
            break
    found = search.best[0]
    same = all(a.order == b.order for a, b in zip(found, base, strict=True))
    return found if same else base


def _lost_by_period(run: RunOutput, edges: Array) -> Array:
    """Time lost by the vehicles due to depart in each period, veh·s; the last entry is the number of vehicles."""
    trips = run.trips()
    due = trips.wanted_departure(run.scenario.end)
    period = np.clip(np.searchsorted(edges, due + 1e-6, side="right") - 1, 0, len(edges) - 2)
    lost = np.bincount(period, weights=trips.delay, minlength=len(edges) - 1)
    return np.append(lost, float(len(trips)))


def _per_vehicle(table: Array) -> Array:
    """Lost time over the number of vehicles, which is the last entry of each row, s/veh."""
    return np.asarray(table[..., :-1] / table[..., -1:], dtype=np.float64)
