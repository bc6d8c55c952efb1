"""The wall-clock time of an optimisation, divided among its stages so that every one of them is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

Stage = Literal[
    "conventional", "fidelity", "search", "confirmation", "actuation", "validation", "other fidelity"
]

ENDS: dict[Stage, float] = {
    "conventional": 0.25,
    "fidelity": 0.35,
    "search": 0.6,
    "confirmation": 0.7,
    "actuation": 0.8,  # of --kind actuated alone; without it the time is the validation's
    "validation": 0.92,
    "other fidelity": 0.97,
}
"""Share of the time after which each stage ends. A stage that ends early leaves its time to the later ones; what is
left at the end is for the report."""

ENDS_ACTUATED: dict[Stage, float] = ENDS | {
    "conventional": 0.18,
    "fidelity": 0.25,
    "search": 0.4,
    "confirmation": 0.46,
}
"""The same with ``--kind actuated``, whose search is for stages alone before the actuated program is searched."""


class OutOfTime(Exception):
    """The time of a stage is over: the stage ends with what it has."""


@dataclass(frozen=True)
class Deadline:
    """``seconds`` of wall-clock time from ``began`` on; infinite where the user gives none."""

    seconds: float = math.inf
    clock: Callable[[], float] = time.monotonic
    began: float = field(default=-math.inf)
    actuated: bool = False  # an actuated program is searched

    def started(self) -> Deadline:
        """The same, beginning now."""
        return replace(self, began=self.clock())

    def until(self, stage: Stage) -> float:
        """The moment at which a stage ends, on ``clock``."""
        return (
            math.inf
            if math.isinf(self.seconds)
            else self.began + (ENDS_ACTUATED if self.actuated else ENDS)[stage] * self.seconds
        )

    def check(self, stage: Stage) -> None:
        """Raise OutOfTime once the stage is over."""
        if self.clock() > self.until(stage):
            raise OutOfTime(stage)
