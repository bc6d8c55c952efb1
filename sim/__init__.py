"""One run: what an intersection is, what a controller is asked, the loop, the worlds, and what came out.

The names below are the package's public face; each is imported when it is first used, so that the command
line starts without numpy and SimPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.errors import ControlError, DenxanhError, InputError, RunError, WorldError
    from sim.network import Approach, Intersection, Link, Movement, Network, Phase
    from sim.plan import Interval, Plan, Stage, Timing
    from sim.protocol import Controller, Green, Observation, Policy, Vehicles
    from sim.scenario import Scenario
    from sim.simulation import Question, Simulation
    from sim.sumonet import load_network, with_plan
    from sim.world import World

_HOME = {
    "Approach": "network",
    "ControlError": "errors",
    "Controller": "protocol",
    "DenxanhError": "errors",
    "Green": "protocol",
    "InputError": "errors",
    "Intersection": "network",
    "Interval": "plan",
    "Link": "network",
    "Movement": "network",
    "Network": "network",
    "Observation": "protocol",
    "Phase": "network",
    "Plan": "plan",
    "Policy": "protocol",
    "Question": "simulation",
    "RunError": "errors",
    "Scenario": "scenario",
    "Simulation": "simulation",
    "Stage": "plan",
    "Timing": "plan",
    "Vehicles": "protocol",
    "World": "world",
    "WorldError": "errors",
    "load_network": "sumonet",
    "with_plan": "sumonet",
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
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    return getattr(import_module(f"sim.{_HOME[name]}"), name)
