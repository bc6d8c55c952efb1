"""Run: what determines the result of one run, beside the controller."""

from __future__ import annotations

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
    warm_up: float = 0.0  # s cut off all averages
    keep_sumo_output: bool = False
    limits: Limits = field(default_factory=Limits)
    rules: Rules = field(default_factory=Rules)
    sensing: Sensing = field(default_factory=Ideal)
    events: tuple[Event, ...] = ()
