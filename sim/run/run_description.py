"""Run: what determines the result of one run, beside the controller."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from denxanh.sim.events import Event
from denxanh.sim.scenario import Scenario
from denxanh.sim.sensing import Ideal, Sensing
from denxanh.sim.signals.rules import Rules
from denxanh.sim.supervisor import Limits

Backend = Literal["libsumo", "traci"]


@dataclass(frozen=True)
class Run:
    """One run of a scenario under a controller."""

    scenario: Scenario
    seed: int = 1
    backend: Backend = "libsumo"
    warm_up: float = 0.0  # s at the begin that are simulated and not measured
    keep_sumo_output: bool = False
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    sensing: Sensing = field(default_factory=Ideal)
    events: tuple[Event, ...] = ()
    id: str = ""  # identity of its specification, for the manifest
    code: str = ""  # SHA-256 of the code that computes the result, for the manifest
    stop_at_limit: bool = (
        False  # end with LimitError where a policy exceeds its time, so that it can be repeated
    )
    repeated_after: str = ""  # the limit that the attempt before met

    @property
    def measured_from(self) -> float:
        """Begin of the measured window, s: the first step at which the warm-up is over. It ends with the scenario."""
        return self.scenario.begin + measured_warm_up(self.warm_up, self.scenario.step)


def measured_warm_up(warm_up: float, step: float) -> float:
    """The warm-up rounded up to whole steps, s: as long as the measured window really leaves out."""
    return math.ceil(warm_up / step - 1e-9) * step
