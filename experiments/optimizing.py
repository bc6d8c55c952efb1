"""``denxanh optimize``: tune a place's plan, prove it in SUMO on what the search has not seen, and hand it over.

The search ranks thousands of plans in the queue model; SUMO judges the best few on training seeds. What is
reported comes from SUMO on held-out seeds, on the demand given and on other days of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from experiments.attempt import Limits
from experiments.attempt import Outcome as RunOutcome
from experiments.compare import run_tasks
from experiments.ledger import Row
from experiments.optimize.actuated import tune_actuation
from experiments.optimize.export import Actuation, plan_xml, timing_sheet
from experiments.optimize.freeze import Freeze
from experiments.optimize.objective import Objective
from experiments.optimize.place import prepare
from experiments.optimize.tune import Budget, Outcome, Progress, Tuner
from experiments.resample import Resampling, another_day
from experiments.task import Task, absolute
from sim import store
from sim.network import Network
from sim.scenario import Scenario

Kind = Literal["static", "actuated"]
PLAN, PROGRAM, SHEET = "plan.json", "plan.add.xml", "timing-sheet.csv"
NEW = "optimised"
"""What the new plan is called in tables and reports; its rows' own label holds a path."""
JITTER = 300.0  # s: the spread of departures from day to day that the reference study of held-out demand used
HELD_OUT_DAYS = 2  # other days the plan is tried on; the search never sees them
DAY_SEED = 7919  # of the days the search is tried on; far from the seeds that users type


@dataclass(frozen=True)
class Wish:
    """What is asked of one tuning."""

    objective: Objective
    seconds: float = 15.0  # CPU of search
    only: Literal["all", "offsets", "splits"] = "all"
    freeze: tuple[str, ...] = ()  # signals that keep everything
    keep_cycle: bool = False
    drop_protected: bool = False  # may a protected left become permitted
    kind: Kind = "static"
    seeds: tuple[int, ...] = (1, 2, 3)  # to judge on
    held_out: tuple[int, ...] = (101, 102, 103, 104, 105)
    demand_samples: int = 0  # other days of the demand to tune for, beside the one given
    search_seed: int = 1


@dataclass(frozen=True)
class Tuned:
    """What came out: the outcome of the search, and SUMO's runs on held-out seeds and days."""

    outcome: Outcome
    network: Network
    rows: tuple[Row, ...]
    scenarios: tuple[Scenario, ...]  # the place, then other days of it
    folder: Path


def optimize(
    scenario: Scenario,
    wish: Wish,
    out: Path,
    *,
    jobs: int,
    limits: Limits,
    searching: Callable[[Progress], None],
    proving: Callable[[str, RunOutcome], None],
) -> Tuned:
    """Tune, write the plan in every form, and run it beside the network's own on held-out seeds and days.

    Raises InputError for a place without anything to tune. Ctrl-C ends the search with the best so far.
    """
    scenario = absolute(scenario)
    out.mkdir(parents=True, exist_ok=True)
    place = prepare(
        scenario,
        objective=wish.objective,
        freeze=_freeze(wish),
        drop_protected=wish.drop_protected,
        demand_samples=wish.demand_samples,
        seed=DAY_SEED,
        folder=out / "days",
        workers=jobs,
    )
    network, judge, cases = place.network, place.judge, place.cases(wish.seeds)
    tuner = Tuner(
        place.space,
        place.believing,
        judge,
        cases,
        np.random.default_rng(wish.search_seed),
        Budget(seconds=wish.seconds),
        report=searching,
    )
    outcome = tuner.run()
    actuation = None
    if wish.kind == "actuated":
        actuation = Actuation()
        if outcome.plan.timings:
            actuation, _ = tune_actuation(outcome.plan, judge, cases)
    _hand_over(out, outcome, network, actuation)
    held_out = [scenario, *_days(scenario, out)]
    tasks = [task for day in held_out for task in _proof(day, wish, out)]
    rows = run_tasks(out / "held-out", tasks, jobs=jobs, limits=limits, progress=proving)
    named = tuple(row if row.controller == "program" else replace(row, controller=NEW) for row in rows)
    return Tuned(outcome, network, named, tuple(held_out), out)


def _freeze(wish: Wish) -> Freeze:
    return Freeze(
        signals=frozenset(wish.freeze),
        stages=wish.only != "all",
        greens=wish.only == "offsets",
        cycle=wish.keep_cycle,
        offsets=wish.only == "splits",
    )


def _days(scenario: Scenario, out: Path) -> list[Scenario]:
    """Other days of the same demand, which the search has not seen: each departure shifted by some minutes."""
    how = Resampling("jitter", JITTER, DAY_SEED + 1)
    return [
        replace(another_day(scenario, how, day, out / "days"), name=f"{scenario.name} (another day, {day})")
        for day in range(1, HELD_OUT_DAYS + 1)
    ]


def _hand_over(out: Path, outcome: Outcome, network: Network, actuation: Actuation | None) -> None:
    store.write_json(out / PLAN, outcome.plan.to_json())
    (out / PROGRAM).write_text(plan_xml(outcome.plan, network, actuation=actuation), encoding="utf-8")
    (out / SHEET).write_text(timing_sheet(outcome.plan, network), encoding="utf-8")
    trace = [
        {"step": p.step, "evaluations": p.evaluations, "sumo_runs": p.runs, "cpu_s": p.cpu, "model": p.model}
        | {"sumo": None if np.isnan(p.sumo) else p.sumo}
        for p in outcome.trace
    ]
    (out / "search.json").write_text(json.dumps(trace, indent=1), encoding="utf-8")


def _proof(day: Scenario, wish: Wish, out: Path) -> list[Task]:
    """The network's own plan and the new one on held-out seeds of one day."""
    if wish.kind == "actuated":
        new = ("sumo-program", {"file": str((out / PROGRAM).resolve())})
    else:
        new = ("fixed-time", {"plan": str((out / PLAN).resolve())})
    return [
        Task(day.name, day, name, values, seed)
        for seed in wish.held_out
        for name, values in (("program", dict[str, str]()), new)
    ]
