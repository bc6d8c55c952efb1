"""A queue model of a whole network that evaluates thousands of signal plans a second (docs/model.md)."""

from denxanh.sim.model.build import COLUMNS, QUEUE_COLUMNS, Model, build
from denxanh.sim.model.calibrate import Fidelity, assess_fidelity, calibrate
from denxanh.sim.model.model_world import ModelWorld
from denxanh.sim.model.parameters import Parameters
from denxanh.sim.model.plan_arrays import PlanArrays, StateTable, encode
from denxanh.sim.model.right_of_way import RightOfWay, right_of_way
from denxanh.sim.model.warmup import warmup

__all__ = [
    "COLUMNS",
    "QUEUE_COLUMNS",
    "Fidelity",
    "Model",
    "ModelWorld",
    "Parameters",
    "PlanArrays",
    "RightOfWay",
    "StateTable",
    "assess_fidelity",
    "build",
    "calibrate",
    "encode",
    "right_of_way",
    "warmup",
]
