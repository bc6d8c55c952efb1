"""The chosen stages as an actuated program: minimum and maximum greens and gaps, chosen by racing in SUMO."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from experiments.optimize.export import Actuation
from experiments.optimize.judge import SumoJudge
from experiments.optimize.race import Case, Race, race
from sim.plan import Plan

OPTIONS = tuple(
    Actuation(stretch=stretch, max_gap=gap)
    for stretch, gap in itertools.product((1.0, 1.5, 2.5, 4.0), (2.0, 3.0))
)
"""What is tried: greens that may only be cut short, up to four times the planned ones; two gaps."""


def tune_actuation(
    plan: Plan, judge: SumoJudge, cases: Sequence[Case], options: Sequence[Actuation] = OPTIONS
) -> tuple[Actuation, Race]:
    """The option under which SUMO's delay is least, and the race that says so."""
    entries = [replace(plan, note=str(k)) for k in range(len(options))]  # the note says which option is meant

    def actuated(plans: Sequence[Plan], cases: Sequence[Case]) -> NDArray[np.float64]:
        rows = [replace(judge, actuation=options[int(p.note)])([p], cases)[0] for p in plans]
        return np.array(rows, dtype=np.float64)

    result = race(entries, actuated, cases)
    return options[result.winner], result
