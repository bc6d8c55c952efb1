"""The chosen stages as an actuated program: stages, minimum and maximum greens and gaps, chosen by racing in SUMO."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.export import Actuation
from experiments.optimize.judge import SumoJudge
from experiments.optimize.race import Case, Race, race
from experiments.optimize.space import Candidate, Setting, Signal, Space
from sim.plan import Plan

GAPS = (2.0, 3.0)  # s; SUMO's default is 3, and 1 s lost a quarter on one-lane networks
OPTIONS = (
    *(
        Actuation(stretch=stretch, max_gap=gap)
        for stretch, gap in itertools.product((1.0, 1.5, 2.5, 4.0), GAPS)
    ),
    *(Actuation(max_green=most, max_gap=gap) for most, gap in itertools.product((20.0, 35.0, 50.0), GAPS)),
)
"""What is tried: greens that may only be cut short, up to four times the planned ones, or up to one maximum for all;
two gaps. SUMO's own default, 5 to 50 s and a gap of 3 s, is among them."""


@dataclass(frozen=True)
class Actuated:
    """The stages (with the plan's greens) and the option that cost least in SUMO, and the race that says so."""

    plan: Plan
    actuation: Actuation
    race: Race

    @property
    def cost(self) -> NDArray[np.float64]:
        """SUMO's, by case."""
        return np.asarray(self.race.cost[self.race.winner], dtype=np.float64)


def tune_actuation(
    plans: Sequence[Plan], judge: SumoJudge, cases: Sequence[Case], options: Sequence[Actuation] = OPTIONS
) -> Actuated:
    """Race every option on the stages of every plan."""
    entries = list(itertools.product(plans, options))
    numbered = [
        replace(plan, note=str(k)) for k, (plan, _) in enumerate(entries)
    ]  # the note says which entry

    def actuated(asked: Sequence[Plan], cases: Sequence[Case]) -> NDArray[np.float64]:
        rows = [replace(judge, actuation=entries[int(p.note)][1])([p], cases)[0] for p in asked]
        return np.array(rows, dtype=np.float64)

    result = race(numbered, actuated, cases)
    return Actuated(*entries[result.winner], result)


def shown_once(space: Space, candidate: Candidate) -> Candidate:
    """Each stage once a cycle, with the longest green it had: an actuated signal makes its own cycle."""
    return tuple(_once(signal, setting) for signal, setting in zip(space.signals, candidate, strict=True))


def _once(signal: Signal, setting: Setting) -> Setting:
    greens: dict[int, int] = {}
    for stage, green in zip(setting.order, setting.greens, strict=True):
        greens[stage] = max(green, greens.get(stage, 0))
    if len(greens) == len(setting.order):
        return setting
    return signal.turned(Setting(tuple(greens), tuple(greens.values()), setting.offset))
