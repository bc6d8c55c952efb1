"""Settings of an actuated program on given stages (maximum green, gap), chosen by racing in SUMO."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case, Race, race
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
    """Race every setting on the stages of every plan."""
    entries = list(itertools.product(plans, options))
    numbered = [replace(plan, note=str(k)) for k, (plan, _) in enumerate(entries)]  # the note holds the index

    def evaluate(batch: Sequence[Plan], cases: Sequence[Case]) -> NDArray[np.float64]:
        rows = [replace(evaluator, actuation=entries[int(p.note)][1])([p], cases)[0] for p in batch]
        return np.array(rows, dtype=np.float64)

    result = race(numbered, evaluate, cases)
    return ActuationResult(*entries[result.winner], result)


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
