"""Plans for the hours of one scenario: which plans, and when each runs, chosen in SUMO.

The plan of the whole scenario gives the stages; for parts of it (halves, quarters …) greens, offsets and cycle
are searched in the model of that part's traffic. SUMO then runs every plan over the whole scenario, tells what each
would cost the vehicles that want to leave in each quarter of an hour, and the cheapest schedule is found exactly
(``experiments.optimize.day``). The schedule itself, its transitions included, is judged against the best single plan.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.believing import Believing
from experiments.optimize.day import DaySchedule, Switch, day_xml, schedule
from experiments.optimize.judge import Program
from experiments.optimize.measures import Reading, lost_time
from experiments.optimize.moves import Move, Neighbourhood
from experiments.optimize.place import Place, demand_of
from experiments.optimize.race import Case, accept
from experiments.optimize.search import Search
from experiments.optimize.space import Candidate, Space
from experiments.statistics import PairedComparison
from sim.errors import InputError
from sim.model import build
from sim.text import clock

Array = NDArray[np.float64]

PERIOD = 900.0  # s: the quarter of an hour within which HCM takes demand as even
CYCLES = 6  # that the plan of the whole is stretched to, as starts for its parts


@dataclass(frozen=True)
class PlannedDay:
    """A schedule and what SUMO said. Costs are s/veh by case; ``comparison`` None: one plan is as good."""

    day: DaySchedule
    edges: tuple[float, ...]  # s, limits of the periods
    table: Array  # (plans tried, periods) s/veh, over all vehicles of the scenario
    cost: Array  # (cases,) of the schedule, its transitions included
    single: Array  # (cases,) of the best single plan
    comparison: PairedComparison | None


def plan_the_day(
    place: Place,
    base: Candidate,
    believing: Believing,
    cases: Sequence[Case],
    rng: np.random.Generator,
    *,
    most: int,
    seconds: float,
    period: float = PERIOD,
    say: Callable[[str], None] = lambda text: None,
) -> PlannedDay:
    """At most ``most`` plans with the stages of ``base`` and when they run. ``seconds`` of CPU for their search.

    Raises InputError where the scenario is too short to be cut.
    """
    scenario = place.judge.scenarios[0]
    edges = periods(scenario.begin, scenario.end, period)
    windows = parts(len(edges) - 1, most)
    candidates = [base]
    for first, last in windows:
        say(f"a plan for {clock(edges[first])}–{clock(edges[last])}")
        found = _best_for(
            place, base, believing, (edges[first], edges[last]), rng, seconds=seconds / len(windows)
        )
        if found not in candidates:
            candidates.append(found)
    plans = [place.space.plan(candidate, "one of the day") for candidate in candidates]
    say(f"{len(plans)} plans over the whole time in SUMO")

    def by_period(run: Reading) -> Array:
        return _lost_by_period(run, np.array(edges))

    lost = place.judge.read([place.judge.program(plan) for plan in plans], cases, by_period)
    per = _each(lost)  # (plans, cases, periods)
    table = per.mean(axis=1)
    best = int(np.argmin(table.sum(axis=1)))
    single = per[best].sum(axis=1)
    cycle = float(place.space.common_cycle(base))
    # while signals go over, coordination is lost for about a cycle: who arrives then waits half a cycle more
    price = cycle / (scenario.end - scenario.begin) * cycle / 2
    day = schedule(plans, table, edges, most=most, switch_cost=price)
    if len(day.plans) > 1:
        say(f"the schedule of {len(day.plans)} plans in SUMO")
        program = Program(day_xml(day, place.network), tuple(day.plans[0].timings))
        cost = place.judge.read([program], cases, by_period)[0]
        cost = _each(cost).sum(axis=1)
        comparison = accept(cost, single)
        if comparison is not None:
            return PlannedDay(day, edges, table, cost, single, comparison)
    alone = DaySchedule((plans[best],), (Switch(edges[0], 0),), float(single.mean()))
    return PlannedDay(alone, edges, table, single, single, None)


def periods(begin: float, end: float, period: float) -> tuple[float, ...]:
    """Limits of the periods, s: of about ``period`` each. InputError if that leaves fewer than two."""
    count = int((end - begin) // period)
    if count < 2:
        raise InputError(
            f"{end - begin:g} s are too short for plans by time of day",
            remedy=f"give a scenario of at least {2 * period:g} s, or a shorter --day-period",
        )
    return tuple(float(round(edge)) for edge in np.linspace(begin, end, count + 1))


def parts(count: int, most: int) -> list[tuple[int, int]]:
    """Pieces of ``count`` periods that a plan of its own is searched for: 2, ``most`` and twice as many of them."""
    out: dict[tuple[int, int], None] = {}
    for pieces in (2, most, 2 * most):
        cuts = np.linspace(0, count, min(pieces, count) + 1).round().astype(int).tolist()
        out |= dict.fromkeys(itertools.pairwise(cuts))
    return list(out)


class _SameStages:
    """A neighbourhood that leaves stages and their order alone."""

    def __init__(self, space: Space) -> None:
        kept = copy.copy(space)
        kept.freeze = replace(space.freeze, stages=True)
        self._moves = Neighbourhood(kept)
        self.kinds = tuple(kind for kind in self._moves.kinds if kind != "copy")  # copies bring their stages

    def draw(self, candidate: Candidate, kind: str, rng: np.random.Generator) -> Move | None:
        """A move as the neighbourhood makes it."""
        return self._moves.draw(candidate, kind, rng)


def _best_for(
    place: Place,
    base: Candidate,
    believing: Believing,
    window: tuple[float, float],
    rng: np.random.Generator,
    *,
    seconds: float,
) -> Candidate:
    """The best plan in the model for the traffic of one window (s)."""
    scenario = place.judge.scenarios[0]
    demand = demand_of(scenario, place.network, seed=believing.seed, window=window)
    if not len(demand):
        return base
    known = believing.models[0]
    model = build(place.network, demand, right_of_way=known.right_of_way, parameters=known.parameters)
    evaluate = replace(believing, models=(model,), residual=None)
    space = place.space
    stretched = [base]
    if not (space.freeze.cycle or space.freeze.greens):
        low, high = space.shortest_cycle([setting.order for setting in base]), space.cycles[1]
        if low < high:
            wanted = [space.rescaled(base, round(c)) for c in np.geomspace(low, high, CYCLES)]
            stretched += [candidate for candidate in wanted if candidate is not None]
    search = Search(_SameStages(space), stretched, rng)
    evaluate(stretched[:1])  # the model compiles itself at its first batch: that is not search
    until = time.process_time() + seconds
    while True:
        batch = search.ask()
        if not batch:
            break
        search.tell(evaluate(batch))
        if time.process_time() >= until:
            break
    found = search.best[0]
    same = all(a.order == b.order for a, b in zip(found, base, strict=True))
    return found if same else base


def _lost_by_period(run: Reading, edges: Array) -> Array:
    """Time lost by those who want to leave in each period, veh·s, and last the number of vehicles."""
    trips = run.trips()
    wanted = np.where(
        trips.inserted, trips.depart - trips.depart_delay, run.scenario.end - trips.depart_delay
    )
    period = np.clip(np.searchsorted(edges, wanted + 1e-6, side="right") - 1, 0, len(edges) - 2)
    lost = np.bincount(period, weights=lost_time(trips), minlength=len(edges) - 1)
    return np.append(lost, float(len(trips)))


def _each(table: Array) -> Array:
    """Lost time over the number of vehicles that stands last in each row, s/veh."""
    return np.asarray(table[..., :-1] / table[..., -1:], dtype=np.float64)
