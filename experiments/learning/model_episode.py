"""Episodes on the queue model, in this process."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.definition.days import BLOCK
from denxanh.experiments.definition.resample import Resampling, another_day
from denxanh.experiments.learning.environment_options import Draw, EnvironmentOptions
from denxanh.experiments.learning.episode import Episode, learner_of
from denxanh.experiments.optimize.tuning_problem import demand_of
from denxanh.sim.demand.demand import Demand
from denxanh.sim.errors import InputError
from denxanh.sim.model.build import Model, build
from denxanh.sim.model.model_world import ModelWorld
from denxanh.sim.model.right_of_way import right_of_way
from denxanh.sim.model.variations import with_drivers, with_vehicles
from denxanh.sim.network import Network
from denxanh.sim.run.preparation import limits_of, start_policies
from denxanh.sim.run.run_description import Run
from denxanh.sim.scenario import Scenario
from denxanh.sim.signals.monitor import SignalMemory
from denxanh.sim.simulation import Simulation
from denxanh.sim.sumo.netfile import read_net
from denxanh.sim.supervisor import Supervisor

DAY_SEED = 6007  # of the resampled days


def scenario_of(options: EnvironmentOptions, day: int, folder: Path) -> Scenario:
    """The scenario on a day; 0 is the one given. Resampled days are written into ``folder``."""
    if day == 0:
        return options.scenario
    return another_day(
        options.scenario, Resampling("bootstrap", BLOCK, DAY_SEED), day - 1, folder, random_flows=True
    )


class ModelEpisodes:
    """Starts episodes on the queue model of a scenario; ``folder`` receives the route files of resampled days."""

    def __init__(self, options: EnvironmentOptions, network: Network, folder: Path) -> None:
        self._options, self._folder = options, folder
        self._run = Run(options.scenario, sensing=options.sensing, rules=options.rules)
        self._learner = learner_of(options)
        self.network, self._given, self._policies = start_policies(self._learner, network, options.rules)
        self._models = DayModels(options, self.network, folder)
        self._memories: dict[str, SignalMemory] = {}  # shared by all episodes

    def start(self, drawn: Draw) -> Episode:
        """A new episode."""
        options = self._options
        self._learner.answers.clear()
        world = ModelWorld(self._models.model(drawn))
        simulation = Simulation(
            world,
            options.scenario.end,
            self._policies,
            sees=self._learner.sees,
            sensing=options.sensing,
            seed=drawn.seed,
            given=self._given,
            memories=self._memories,
        )
        limits = limits_of(self._run)
        supervisor = Supervisor(self.network, self._policies, limits, timed=False)
        return Episode(options, world, simulation, self._learner, supervisor, limits)


class DayModels:
    """The queue models of the days of a scenario, each built once, and their variations by demand and seed."""

    def __init__(self, options: EnvironmentOptions, network: Network, folder: str | Path) -> None:
        self._options, self._network, self._folder = options, network, Path(folder)
        self._right_of_way = right_of_way(read_net(options.scenario.net))
        self._days: dict[int, tuple[Model, NDArray[np.int64], NDArray[np.int64]]] = {}

    def model(self, drawn: Draw) -> Model:
        """The model of an episode: the vehicles that SUMO's ``--scale`` keeps, and drivers by the seed."""
        if drawn.day not in self._days:
            self._days[drawn.day] = self._build(drawn.day)
        model, original, copy = self._days[drawn.day]
        number = int(original.max()) + 1
        due = np.floor(drawn.demand * np.arange(number + 1) + 1e-9)
        kept = copy < np.diff(due)[original]
        if not kept.any():
            raise InputError(
                f"a demand of {drawn.demand:g} leaves no vehicle",
                location=self._options.scenario.name,
                remedy="give a larger factor",
            )
        return with_drivers(model if kept.all() else with_vehicles(model, kept), drawn.seed)

    def whole(self) -> tuple[Model, NDArray[np.int64], NDArray[np.int64]]:
        """The model with all copies that the largest demand needs, the vehicle of each copy, and its number."""
        return self._build(0)

    def _build(self, day: int) -> tuple[Model, NDArray[np.int64], NDArray[np.int64]]:
        """The model with all copies that the largest demand needs, the vehicle of each copy, and its number."""
        scenario = scenario_of(self._options, day, self._folder)
        demand = demand_of(scenario, self._network)
        times = math.ceil(self._options.demand[1] - 1e-9)
        copies = np.repeat(np.arange(len(demand)), times)
        number = np.tile(np.arange(times), len(demand))
        model = build(
            self._network,
            _repeated(demand, copies, number),
            right_of_way=self._right_of_way,
            sublane=scenario.sublane,
        )
        if len(model.demand) != len(copies):  # vehicles on ways of their own are not in the model
            names = {name: k for k, name in enumerate(_names(demand, copies, number))}
            chosen = np.array([names[name] for name in model.demand.id], dtype=np.int64)
            copies, number = copies[chosen], number[chosen]
        if not len(model.demand):
            raise InputError(
                "no vehicle departs, so there is nothing to learn",
                location=scenario.name,
                remedy="check the route files and the begin",
            )
        return model, copies, number


def _names(demand: Demand, copies: NDArray[np.int64], number: NDArray[np.int64]) -> tuple[str, ...]:
    names = demand.id or tuple(map(str, range(len(demand))))
    return tuple(f"{names[k]}#{n}" if n else names[k] for k, n in zip(copies, number, strict=True))


def _repeated(demand: Demand, copies: NDArray[np.int64], number: NDArray[np.int64]) -> Demand:
    return replace(
        demand,
        **{
            name: getattr(demand, name)[copies]
            for name in ("depart", "type", "route", "depart_lane", "standing", "spread")
        },
        id=_names(demand, copies, number),
    )
