"""A search in SUMO itself, for places where the model cannot rank plans (a gridlocked one).

The same starts, neighbourhood and climb as the search in the model, but every plan asked for is run: on one case,
so that many plans can be looked at. The best of them then meet all cases as everywhere else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.moves import Neighbourhood
from experiments.optimize.race import Case, Judge, accept, race
from experiments.optimize.search import Search
from experiments.optimize.space import Candidate, Space
from experiments.optimize.tune import Budget, Judged, Outcome, Progress
from sim.plan import Plan

Array = NDArray[np.float64]

CLIMBS = 2  # starts that are climbed from: SUMO is too slow for more
BATCH = 8  # plans asked for at a time
HURRIED = 2  # of the best that still meet all cases after Ctrl-C: nobody waits long then


def search_in_sumo(
    space: Space,
    judge: Judge,
    cases: Sequence[Case],
    starts: Sequence[Candidate],
    rng: np.random.Generator,
    budget: Budget,
    report: Callable[[Progress], None] = lambda progress: None,
    *,
    spent: int = 0,
) -> Outcome:
    """Tune in SUMO alone: the runs that judging would have taken anyway, and then ``budget.seconds`` more (wall time).

    ``spent`` are runs made before. With ``budget.evaluations`` that many plans are looked at instead. Ctrl-C ends it
    with the best that met all cases so far, the network's own plan if none did.
    """
    trace: list[Progress] = []
    judged: dict[Candidate, Judged] = {}
    looked: dict[Candidate, float] = {}
    own = np.full(len(cases), np.nan)
    runs, began, interrupted = spent, time.perf_counter(), False
    free = budget.rounds * budget.judged * len(cases)

    def look(batch: Sequence[Candidate]) -> Array:
        nonlocal runs
        cost = judge([space.plan(c) for c in batch], cases[:1])[:, 0]
        runs += len(batch)
        looked.update(zip(batch, cost.tolist(), strict=True))
        say("search in SUMO")
        return cost

    def say(step: str) -> None:
        best = min(looked.values(), default=float("nan"))
        progress = Progress(step, len(looked), runs, time.perf_counter() - began, float("nan"), best)
        trace.append(progress)
        report(progress)

    def goes_on() -> bool:
        if budget.evaluations is not None:
            return len(looked) < budget.evaluations
        return runs - spent < free or time.perf_counter() - began < budget.seconds

    try:
        own = judge([Plan({})], cases)[0]
        runs += len(cases)
        first = list(dict.fromkeys(starts))
        for k in range(0, len(first), BATCH):
            if k == 0 or goes_on():
                look(first[k : k + BATCH])
        best = sorted(looked, key=lambda c: looked[c])[:CLIMBS]
        search = Search(Neighbourhood(space), best, rng, batch=BATCH)
        while goes_on():
            batch = search.ask()
            if not batch:
                break
            fresh = [c for c in batch if c not in looked]
            if fresh:
                look(fresh)
            search.tell([looked[c] for c in batch])
    except KeyboardInterrupt:
        interrupted = True
    try:
        most = HURRIED if interrupted else budget.judged
        leaders = sorted(looked, key=lambda c: looked[c])[:most]
        if leaders and np.isfinite(own).all():
            result = race([space.plan(c) for c in leaders], judge, cases)
            runs += result.runs
            for candidate, cost in zip(leaders, result.cost, strict=True):
                judged[candidate] = Judged(candidate, float("nan"), cost)
            say("judge")
    except KeyboardInterrupt:
        interrupted = True
    return _outcome(space, judged, own, trace, interrupted=interrupted)


def _outcome(
    space: Space,
    judged: dict[Candidate, Judged],
    own: Array,
    trace: Sequence[Progress],
    *,
    interrupted: bool,
) -> Outcome:
    whole = sorted(
        (j for j in judged.values() if np.isfinite(j.cost).all()), key=lambda j: float(j.cost.mean())
    )
    comparison = accept(whole[0].cost, own) if whole else None
    note = "optimised by denxanh in SUMO" + (", interrupted" if interrupted else "")
    if comparison is None:
        kept = Plan({}, "the network's own plan was not beaten")
        return Outcome(kept, None, own, own, None, tuple(judged.values()), tuple(trace), interrupted)
    best = whole[0]
    return Outcome(
        space.plan(best.candidate, note),
        best.candidate,
        best.cost,
        own,
        comparison,
        tuple(judged.values()),
        tuple(trace),
        interrupted,
    )
