"""The proof of a plan: SUMO's runs beside the network's own plan, on seeds and days that the search has not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.attempt import Limits, Outcome
from experiments.compare import run_tasks
from experiments.ledger import Row
from experiments.optimize.judge import DELAY, SumoJudge
from experiments.optimize.place import Place
from experiments.optimize.race import Case
from experiments.resample import Resampling, another_day, scaled_demand
from experiments.task import Task, absolute
from experiments.tuned import OWN, OWN_NAME, Array, Variant
from experiments.wish import Wish
from sim.plan import Plan
from sim.scenario import Scenario

JITTER = 300.0  # s: the spread of departures from day to day that the reference study of held-out demand used
HELD_OUT_DAYS = 2  # other days the plan is tried on; the search never sees them


@dataclass(frozen=True)
class Proof:
    """What SUMO said. Stopped by Ctrl-C it has no rows."""

    rows: tuple[Row, ...]
    scenarios: tuple[Scenario, ...]  # the place, then other days of it
    values: Array | None = None  # (own and new variants, cases, terms), where more than delay is asked for
    interrupted: bool = False


def prove(
    scenario: Scenario,
    wish: Wish,
    new: Sequence[Variant],
    place: Place,
    out: Path,
    *,
    other_days: bool,
    day_seed: int,
    jobs: int,
    limits: Limits,
    say: Callable[[str], None],
    progress: Callable[[str, Outcome], None],
) -> Proof:
    """The network's own plan and the new ones on held-out seeds and days, and SUMO's values of what was asked for.

    ``day_seed`` must not be that of the days the search was tried on. Without ``other_days`` only the demand as given.
    """
    days = tuple(held_out(scenario, wish, out / "days", day_seed)) if other_days else (scenario,)
    tasks = [
        Task(day.name, day, name, parameters, seed)
        for day in days
        for seed in wish.held_out
        for name, parameters in (
            (OWN, dict[str, str]()),
            *((v.handed.controller, v.handed.parameters) for v in new),
        )
    ]
    named = {OWN: OWN_NAME}
    named |= {Task("", scenario, v.handed.controller, v.handed.parameters).label: v.name for v in new}
    try:
        rows = run_tasks(out / "held-out", tasks, jobs=jobs, limits=limits, progress=progress)
        values = _values(scenario, wish, new, place, say)
    except KeyboardInterrupt:
        return Proof((), days, interrupted=True)
    wanted = {task.label for task in tasks}
    kept = (r for r in rows if r.controller in wanted)
    return Proof(
        tuple(replace(r, controller=named.get(r.controller, r.controller)) for r in kept), days, values
    )


def _values(
    scenario: Scenario, wish: Wish, new: Sequence[Variant], place: Place, say: Callable[[str], None]
) -> Array | None:
    """SUMO's values of the objective's terms on held-out seeds; None where delay is all that was asked for."""
    terms = (*wish.pareto[0].terms, *wish.pareto[1].terms) if wish.pareto else wish.objective.terms
    if wish.pareto is None and wish.objective == DELAY:
        return None
    say("what was asked for, on held-out seeds")
    cases = [Case(0, seed) for seed in wish.held_out]
    judge: SumoJudge = replace(place.judge, scenarios=(scenario,))
    found = [judge.values([Plan({})], cases, terms)[0]]
    for variant in new:
        mine = replace(judge, actuation=variant.actuation)
        found.append(mine.values([variant.plan], cases, terms)[0])
    return np.stack(found)


def held_out(scenario: Scenario, wish: Wish, folder: Path, seed: int) -> list[Scenario]:
    """The demand given, other days of it that the search has not seen, and the other levels that were asked for."""
    how = Resampling("jitter", JITTER, seed)

    def other(day: int, name: str, given: Scenario = scenario) -> Scenario:
        return replace(another_day(given, how, day, folder, random_flows=True), name=name)

    days = [scenario]
    for k in range(1, HELD_OUT_DAYS + 1):
        day = other(k, f"{scenario.name} (another day, {k})")
        if all((day.routes, day.additional) != (known.routes, known.additional) for known in days):
            days.append(day)  # flows at random are drawn by SUMO's seed: such another day is no other demand
    for k, factor in enumerate((f for f in wish.scales if f != 1), HELD_OUT_DAYS + 1):
        days.append(
            other(k, f"{scenario.name} × {factor:g} (another day)", scaled_demand(scenario, factor, folder))
        )
    names = {day.name for day in days}
    for number, given in enumerate(wish.also, 1):
        one = absolute(given)
        days.append(replace(one, name=one.name if one.name not in names else f"{one.name} (also, {number})"))
        names.add(days[-1].name)
    return days
