"""denxanh: simulate, control, optimise and explain traffic signals on any SUMO scenario.

The verbs of the command line, the contract of a controller, and the strategies:

>>> import denxanh as dx
>>> scenario = dx.open_scenario("ha-noi/pho-hue", end=1800)
>>> study = dx.compare(scenario, ["program", dx.MaxPressure(interval=20)], seeds=10)  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if not (Path(__file__).parent / "sim").is_dir():  # a checkout: the packages stand beside this folder
    __path__.append(str(Path(__file__).parent.parent))

if TYPE_CHECKING:
    from denxanh.controllers.actuated.actuated import Actuated
    from denxanh.controllers.actuated.delay_based import DelayBased
    from denxanh.controllers.actuated.nema import Nema
    from denxanh.controllers.actuated.sotl import Sotl
    from denxanh.controllers.actuated.volume_density import VolumeDensity
    from denxanh.controllers.adaptive.rolling_horizon import RollingHorizon
    from denxanh.controllers.adaptive.scats_like import ScatsLike
    from denxanh.controllers.adaptive.scoot_like import ScootLike
    from denxanh.controllers.fixed.conventional import Conventional
    from denxanh.controllers.fixed.fixed_time import FixedTime
    from denxanh.controllers.fixed.green_wave import GreenWave
    from denxanh.controllers.fixed.time_of_day import TimeOfDay
    from denxanh.controllers.fixed.webster import Webster
    from denxanh.controllers.layers.police import Police
    from denxanh.controllers.layers.priority import Priority
    from denxanh.controllers.learned.policy import Policy
    from denxanh.controllers.native.program import Program
    from denxanh.controllers.native.sumo_logic import SumoActuated, SumoDelayBased, SumoNema
    from denxanh.controllers.native.sumo_program import SumoProgram
    from denxanh.controllers.predictive.predictive import Predictive
    from denxanh.controllers.pressure.capacity_aware import CapacityAware
    from denxanh.controllers.pressure.cyclic_max_pressure import CyclicMaxPressure
    from denxanh.controllers.pressure.longest_queue import LongestQueue
    from denxanh.controllers.pressure.max_pressure import MaxPressure
    from denxanh.controllers.pressure.max_wave import MaxWave
    from denxanh.controllers.pressure.position_weighted import PositionWeighted
    from denxanh.controllers.pressure.switching_loss import SwitchingLoss
    from denxanh.experiments.interface import (
        Comparison,
        RunResult,
        compare,
        list_controllers,
        open_scenario,
        optimize,
        plot,
        run,
    )
    from denxanh.experiments.learning.environments import env, parallel_env, vector_env
    from denxanh.experiments.results.load import load
    from denxanh.networks import list_places
    from denxanh.sim.controller import Controller, Green, Observation
    from denxanh.sim.errors import ControlError, DenxanhError, InputError, RunError, WorldError
    from denxanh.sim.network import Network
    from denxanh.sim.plan import Plan
    from denxanh.sim.scenario import Scenario
    from denxanh.sim.testing.check_controller import check_controller

_HOME = {
    "Actuated": "controllers.actuated.actuated",
    "CapacityAware": "controllers.pressure.capacity_aware",
    "Comparison": "experiments.interface",
    "ControlError": "sim.errors",
    "Controller": "sim.controller",
    "Conventional": "controllers.fixed.conventional",
    "CyclicMaxPressure": "controllers.pressure.cyclic_max_pressure",
    "DelayBased": "controllers.actuated.delay_based",
    "DenxanhError": "sim.errors",
    "FixedTime": "controllers.fixed.fixed_time",
    "Green": "sim.controller",
    "GreenWave": "controllers.fixed.green_wave",
    "InputError": "sim.errors",
    "LongestQueue": "controllers.pressure.longest_queue",
    "MaxPressure": "controllers.pressure.max_pressure",
    "MaxWave": "controllers.pressure.max_wave",
    "Nema": "controllers.actuated.nema",
    "Network": "sim.network",
    "Observation": "sim.controller",
    "Plan": "sim.plan",
    "Police": "controllers.layers.police",
    "Policy": "controllers.learned.policy",
    "PositionWeighted": "controllers.pressure.position_weighted",
    "Predictive": "controllers.predictive.predictive",
    "Priority": "controllers.layers.priority",
    "Program": "controllers.native.program",
    "RollingHorizon": "controllers.adaptive.rolling_horizon",
    "RunError": "sim.errors",
    "RunResult": "experiments.interface",
    "ScatsLike": "controllers.adaptive.scats_like",
    "Scenario": "sim.scenario",
    "ScootLike": "controllers.adaptive.scoot_like",
    "Sotl": "controllers.actuated.sotl",
    "SumoActuated": "controllers.native.sumo_logic",
    "SumoDelayBased": "controllers.native.sumo_logic",
    "SumoNema": "controllers.native.sumo_logic",
    "SumoProgram": "controllers.native.sumo_program",
    "SwitchingLoss": "controllers.pressure.switching_loss",
    "TimeOfDay": "controllers.fixed.time_of_day",
    "VolumeDensity": "controllers.actuated.volume_density",
    "Webster": "controllers.fixed.webster",
    "WorldError": "sim.errors",
    "check_controller": "sim.testing.check_controller",
    "compare": "experiments.interface",
    "env": "experiments.learning.environments",
    "list_controllers": "experiments.interface",
    "list_places": "networks",
    "load": "experiments.results.load",
    "open_scenario": "experiments.interface",
    "optimize": "experiments.interface",
    "parallel_env": "experiments.learning.environments",
    "plot": "experiments.interface",
    "run": "experiments.interface",
    "vector_env": "experiments.learning.environments",
}

__all__ = [
    "Actuated",
    "CapacityAware",
    "Comparison",
    "ControlError",
    "Controller",
    "Conventional",
    "CyclicMaxPressure",
    "DelayBased",
    "DenxanhError",
    "FixedTime",
    "Green",
    "GreenWave",
    "InputError",
    "LongestQueue",
    "MaxPressure",
    "MaxWave",
    "Nema",
    "Network",
    "Observation",
    "Plan",
    "Police",
    "Policy",
    "PositionWeighted",
    "Predictive",
    "Priority",
    "Program",
    "RollingHorizon",
    "RunError",
    "RunResult",
    "ScatsLike",
    "Scenario",
    "ScootLike",
    "Sotl",
    "SumoActuated",
    "SumoDelayBased",
    "SumoNema",
    "SumoProgram",
    "SwitchingLoss",
    "TimeOfDay",
    "VolumeDensity",
    "Webster",
    "WorldError",
    "check_controller",
    "compare",
    "env",
    "list_controllers",
    "list_places",
    "load",
    "open_scenario",
    "optimize",
    "parallel_env",
    "plot",
    "run",
    "vector_env",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'denxanh' has no attribute {name!r}")
    return getattr(import_module(f"denxanh.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
