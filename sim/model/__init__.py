"""A queue model of a whole network that evaluates thousands of signal plans a second (docs/model.md)."""

from sim.model.build import COLUMNS, QUEUE_COLUMNS, Model, build
from sim.model.calibrate import Trust, calibrate, trust
from sim.model.parameters import Parameters
from sim.model.priority import RightOfWay, right_of_way
from sim.model.signals import PlanArrays, StateTable, encode
from sim.model.warmup import warmup
from sim.model.world import ModelWorld

__all__ = [
    "COLUMNS",
    "QUEUE_COLUMNS",
    "Model",
    "ModelWorld",
    "Parameters",
    "PlanArrays",
    "RightOfWay",
    "StateTable",
    "Trust",
    "build",
    "calibrate",
    "encode",
    "right_of_way",
    "trust",
    "warmup",
]
