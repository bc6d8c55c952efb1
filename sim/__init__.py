"""One run: the network, the contract of a controller, the loop, the worlds it runs against, and the metrics.

The names below are the public interface; each is imported at its first use, so that the command line starts
without numpy and SimPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from denxanh.sim.controller import Controller, Green, Policy
    from denxanh.sim.errors import ControlError, DenxanhError, InputError, RunError, WorldError
    from denxanh.sim.network import Approach, Intersection, Link, Movement, Network, Phase
    from denxanh.sim.network_reader import load_network
    from denxanh.sim.observation import Observation, Vehicles
    from denxanh.sim.plan import Interval, Plan, Stage, Timing
    from denxanh.sim.scenario import Scenario
    from denxanh.sim.signals.planned_network import with_plan
    from denxanh.sim.simulation import Question, Simulation
    from denxanh.sim.world import World

_HOME = {
    "Approach": "network",
    "ControlError": "errors",
    "Controller": "controller",
    "DenxanhError": "errors",
    "Green": "controller",
    "InputError": "errors",
    "Intersection": "network",
    "Interval": "plan",
    "Link": "network",
    "Movement": "network",
    "Network": "network",
    "Observation": "observation",
    "Phase": "network",
    "Plan": "plan",
    "Policy": "controller",
    "Question": "simulation",
    "RunError": "errors",
    "Scenario": "scenario",
    "Simulation": "simulation",
    "Stage": "plan",
    "Timing": "plan",
    "Vehicles": "observation",
    "World": "world",
    "WorldError": "errors",
    "load_network": "network_reader",
    "with_plan": "signals.planned_network",
}

__all__ = [
    "Approach",
    "ControlError",
    "Controller",
    "DenxanhError",
    "Green",
    "InputError",
    "Intersection",
    "Interval",
    "Link",
    "Movement",
    "Network",
    "Observation",
    "Phase",
    "Plan",
    "Policy",
    "Question",
    "RunError",
    "Scenario",
    "Simulation",
    "Stage",
    "Timing",
    "Vehicles",
    "World",
    "WorldError",
    "load_network",
    "with_plan",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'denxanh.sim' has no attribute {name!r}")
    return getattr(import_module(f"denxanh.sim.{_HOME[name]}"), name)
