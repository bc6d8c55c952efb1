"""Settings of an actuated program on given stages (maximum green, gap), chosen by racing in SUMO."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.deadline import OutOfTime
from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case, Evaluator, Race, race
from denxanh.experiments.optimize.problem.plan_programs import Actuation
from denxanh.experiments.optimize.problem.space import Candidate, Setting, Signal, Space
from denxanh.sim.plan import Plan

GAPS = (2.0, 3.0)  # s; SUMO's default is 3; 1 s raised delay by a quarter on one-lane networks
OPTIONS = (
    *(
        Actuation(stretch=stretch, max_gap=gap)
        for stretch, gap in itertools.product((1.0, 1.5, 2.5, 4.0), GAPS)
    ),
    *(Actuation(max_green=most, max_gap=gap) for most, gap in itertools.product((20.0, 35.0, 50.0), GAPS)),
)
"""Settings that are tried: a maximum green of 1 to 4 times the planned green or one maximum for all stages, with two
gaps each. SUMO's default, 5 to 50 s and a gap of 3 s, is among them."""

AT_A_TIME = 2  # programs in a race that may run out of time: an unfinished race loses little


@dataclass(frozen=True)
class ActuationResult:
    """The stages (with the plan's greens) and the setting of least cost in SUMO, with the race that chose them."""

    plan: Plan
    actuation: Actuation
    race: Race

    @property
    def cost(self) -> NDArray[np.float64]:
        """SUMO's cost by case, shape (cases,)."""
        return np.asarray(self.race.cost[self.race.winner], dtype=np.float64)


def tune_actuation(
    plans: Sequence[Plan],
    evaluator: SumoEvaluator,
    cases: Sequence[Case],
    options: Sequence[Actuation] = OPTIONS,
) -> ActuationResult:
    """Race every setting on the stages of every plan.

    Where the evaluator has an end (``until``), the settings run two plans at a time against the best so far, and
    those that are through by then count.

    Raises:
        OutOfTime: no setting was through all cases by then.
    """
    entries = list(itertools.product(plans, options))
    numbered = [replace(plan, note=str(k)) for k, (plan, _) in enumerate(entries)]  # the note holds the index

    def evaluate(batch: Sequence[Plan], cases: Sequence[Case]) -> NDArray[np.float64]:
        rows = [replace(evaluator, actuation=entries[int(p.note)][1])([p], cases)[0] for p in batch]
        return np.array(rows, dtype=np.float64)

    if evaluator.until < inf:
        best, result = _race_in_time([numbered[k] for k in _by_setting(plans, options)], evaluate, cases)
        return ActuationResult(*entries[int(best.note)], result)
    result = race(numbered, evaluate, cases)
    return ActuationResult(*entries[result.winner], result)


def _by_setting(plans: Sequence[Plan], options: Sequence[Actuation]) -> list[int]:
    """The numbers of the entries, the first setting of every plan first."""
    return [p * len(options) + o for o in range(len(options)) for p in range(len(plans))]


def _race_in_time(entries: Sequence[Plan], evaluate: Evaluator, cases: Sequence[Case]) -> tuple[Plan, Race]:
    """The best of the entries that ran on all cases before the time was over, and the race that it won."""
    best: tuple[Plan, Race] | None = None
    for first in range(0, len(entries), AT_A_TIME):
        pair = entries[first : first + AT_A_TIME]
        incumbent = None if best is None else np.asarray(best[1].cost[best[1].winner], dtype=np.float64)
        try:
            raced = race(pair, evaluate, cases, incumbent)
        except OutOfTime:
            break
        won = raced.cost[raced.winner]
        if np.isfinite(won).all() and (incumbent is None or won.mean() < incumbent.mean()):
            best = pair[raced.winner], raced
    if best is None:
        raise OutOfTime("no actuated program ran on all seeds")
    return best


def shown_once(space: Space, candidate: Candidate) -> Candidate:
    """Each stage once per cycle, with its longest green: an actuated signal sets its own cycle."""
    return tuple(_once(signal, setting) for signal, setting in zip(space.signals, candidate, strict=True))


def _once(signal: Signal, setting: Setting) -> Setting:
    greens: dict[int, int] = {}
    for stage, green in zip(setting.order, setting.greens, strict=True):
        greens[stage] = max(green, greens.get(stage, 0))
    if len(greens) == len(setting.order):
        return setting
    return signal.normalised(Setting(tuple(greens), tuple(greens.values()), setting.offset))
