"""The front between two objectives, as SUMO sees it.

The model traces a front, SUMO judges points along it on all cases, the model of each objective learns from that, and
the front is traced again from the judged points. What counts in the end is SUMO's values alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.believing import Believing
from experiments.optimize.moves import Neighbourhood
from experiments.optimize.objective import Objective
from experiments.optimize.pareto import best, pareto_front, thinned
from experiments.optimize.place import Place
from experiments.optimize.race import Case
from experiments.optimize.space import Candidate
from experiments.optimize.starts import starts
from experiments.optimize.tune import Progress
from sim.plan import Plan

Array = NDArray[np.float64]

ROUNDS = 2
JUDGED = 10  # points of a front that SUMO looks at in each round
MOST = 8  # points handed over: more than anybody chooses between


@dataclass(frozen=True)
class JudgedFront:
    """Candidates of which SUMO found none better in both; ``cost`` and ``others`` are means over the cases."""

    candidates: tuple[Candidate, ...]  # in ascending first objective
    plans: tuple[Plan, ...]
    cost: Array  # (points, 2)
    others: Array  # (n, 2) of the plans judged that are not on it
    own: Array  # (2,) of the network's own plan; NaN if it was stopped before that was known
    trace: tuple[Progress, ...]
    interrupted: bool


NO_FRONT = JudgedFront((), (), np.zeros((0, 2)), np.zeros((0, 2)), np.full(2, np.nan), (), interrupted=True)
"""What is known of a front when the search was stopped before it began."""


def search_front(
    place: Place,
    believing: Believing,
    pair: tuple[Objective, Objective],
    cases: Sequence[Case],
    rng: np.random.Generator,
    *,
    seconds: float = 15.0,
    evaluations: int | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
) -> JudgedFront:
    """Trace and judge a front. Ctrl-C ends it with the points judged so far."""
    terms = (*pair[0].terms, *pair[1].terms)
    half = len(pair[0].terms)
    models = [replace(believing, objective=objective, residual=None) for objective in pair]
    trace: list[Progress] = []
    known: dict[Candidate, Array] = {}
    own, looked, runs, began, interrupted = np.full(2, np.nan), 0, 0, time.process_time(), False

    def evaluate(batch: Sequence[Candidate]) -> Array:
        nonlocal looked
        looked += len(batch)
        return np.column_stack([model(batch) for model in models])

    def judge(plans: Sequence[Plan]) -> Array:
        nonlocal runs
        values = place.judge.values(plans, cases, terms)  # (plans, cases, terms)
        runs += len(plans) * len(cases)
        both = [pair[0].cost(values[..., :half]), pair[1].cost(values[..., half:])]
        return np.asarray(np.stack(both, axis=-1).mean(axis=1), dtype=np.float64)

    def say(step: str) -> None:
        low = min((float(cost[0]) for cost in known.values()), default=float("nan"))
        trace.append(Progress(step, looked, runs, time.process_time() - began, float("nan"), low))
        report(trace[-1])

    first = [c for c in starts(place.space) if place.space.legal(c)] or [place.space.existing()]
    try:
        own = judge([Plan({})])[0]
        evaluate(first[:1])  # the model compiles itself at its first batch: that is not search
        for number in range(ROUNDS):
            found = pareto_front(
                evaluate,
                Neighbourhood(place.space),
                [*known, *first],
                rng,
                seconds=seconds / ROUNDS,
                evaluations=evaluations // ROUNDS if evaluations else None,
                most=JUDGED,
            )
            say("search")
            fresh = [c for c in found.candidates if c not in known]
            for at in range(0, len(fresh), 2):  # two at a time: what is judged when somebody stops us counts
                some = fresh[at : at + 2]
                costs = judge([place.space.plan(c) for c in some])
                known.update(zip(some, costs, strict=True))
                say("judge")
            if number + 1 < ROUNDS and len(known) > 2:
                told = np.array(list(known.values()))
                models = [model.refit(list(known), told[:, k]) for k, model in enumerate(models)]
    except KeyboardInterrupt:
        interrupted = True
    return _front(place, known, own, trace, interrupted=interrupted)


def _front(
    place: Place,
    known: dict[Candidate, Array],
    own: Array,
    trace: Sequence[Progress],
    *,
    interrupted: bool,
) -> JudgedFront:
    candidates = list(known)
    costs = np.array(list(known.values())).reshape(-1, 2)
    on = thinned(costs, best(costs), MOST) if candidates else np.zeros(0, dtype=np.int64)
    note = "a point of a front, by denxanh" + (", interrupted" if interrupted else "")
    rest = np.setdiff1d(np.arange(len(candidates)), on)
    return JudgedFront(
        tuple(candidates[k] for k in on),
        tuple(place.space.plan(candidates[k], note) for k in on),
        costs[on],
        costs[rest],
        own,
        tuple(trace),
        interrupted,
    )
