"""A queue model of a whole network that evaluates thousands of signal plans a second (docs/model.md)."""

from sim.model.build import COLUMNS, Model, build
from sim.model.parameters import Parameters
from sim.model.signals import PlanArrays, StateTable, encode

__all__ = ["COLUMNS", "Model", "Parameters", "PlanArrays", "StateTable", "build", "encode"]
