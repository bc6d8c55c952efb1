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
    flush: float = 0.0  # s at the end, not measured either: measured vehicles may finish in it
    keep_sumo_output: bool = False
    movements: bool = True  # record passages and queues for the table of movements
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    sensing: Sensing = field(default_factory=Ideal)
    events: tuple[Event, ...] = ()
    id: str = ""  # identity of its specification, for the manifest
    code: str = ""  # SHA-256 of the code that computes the result, for the manifest
    # end with LimitError where a policy exceeds its time, so that it can be repeated
    stop_at_limit: bool = False
    repeated_after: str = ""  # the limit that the attempt before met

    @property
    def measured_from(self) -> float:
        """Begin of the measured window, s: the first step at which the warm-up is over."""
        return self.scenario.begin + whole_steps(self.warm_up, self.scenario.step)

    @property
    def measured_until(self) -> float:
        """End of the measured window, s: the last step at which the whole flush is still to come."""
        return self.scenario.end - whole_steps(self.flush, self.scenario.step)


def whole_steps(duration: float, step: float) -> float:
    """A warm-up or flush rounded up to whole steps, s: as long as the measured window really leaves out."""
    return math.ceil(duration / step - 1e-9) * step
