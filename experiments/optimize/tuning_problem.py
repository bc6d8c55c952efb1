"""A scenario prepared for tuning: its search space, its surrogate (a queue model per demand), its evaluator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from denxanh.experiments.definition.days import BLOCK
from denxanh.experiments.definition.resample import Resampling, another_day, scaled_demand
from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.constraints import NO_CONSTRAINTS, Constraints
from denxanh.experiments.optimize.problem.objective import DELAY, Objective
from denxanh.experiments.optimize.problem.space import Space
from denxanh.experiments.optimize.surrogate.packer import Packer
from denxanh.experiments.optimize.surrogate.predicted_cost import Surrogate
from denxanh.sim.demand.demand import Demand
from denxanh.sim.demand.demand_reader import scenario_demand
from denxanh.sim.demand.movement_flows import with_flows
from denxanh.sim.errors import InputError
from denxanh.sim.model import build
from denxanh.sim.model.right_of_way import right_of_way
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.netfile import read_net


@dataclass(frozen=True)
class ProblemOptions:
    """What is optimised, within which bounds and for which demands."""

    objective: Objective = DELAY
    constraints: Constraints | Callable[[Network], Constraints] = NO_CONSTRAINTS
    """The constraints, or a function that returns them for the network of the scenario."""
    drop_protected: bool = False  # protected turns may become permitted ones
    cycles: tuple[int, int] | None = None  # s, bounds of the common cycle; None: ``space.cycle_bounds``
    free_cycles: bool = False  # a signal may run any cycle
    demand_samples: int = 0  # further days, drawn from the demand
    scales: Sequence[float] = (1.0,)  # factors of the demand
    also: Sequence[Scenario] = ()  # other demands on the same network
    seed: int = 0  # of the days drawn
    cuts: tuple[float, float] = (0.0, 0.0)  # s, warm-up and flush, which are not measured


@dataclass(frozen=True)
class TuningProblem:
    """What a search needs: ``Tuner(p.space, p.surrogate, p.evaluator, p.cases(seeds), rng)``."""

    network: Network
    space: Space
    surrogate: Surrogate
    evaluator: SumoEvaluator

    def cases(self, seeds: Sequence[int]) -> list[Case]:
        """Every seed and every demand at least once, paired in turn instead of all combinations."""
        demands = len(self.evaluator.scenarios)
        return [Case(k % demands, seeds[k % len(seeds)]) for k in range(max(len(seeds), demands))]


def prepare_problem(
    scenario: Scenario,
    options: ProblemOptions | None = None,
    *,
    folder: Path | None = None,
    workers: int = 1,
) -> TuningProblem:
    """Read a scenario and build its space, surrogate and evaluator.

    ``folder`` receives the route files of drawn days and scaled demands; ``workers`` is the number of SUMO processes at
    a time. Raises InputError where nothing can be tuned.
    """
    options = options or ProblemOptions()
    for one in (scenario, *options.also):
        if one.signals_off:
            raise InputError(
                "its configuration switches every signal off (tls.all-off), so no plan would run",
                location=one.name,
                remedy="remove tls.all-off from the configuration",
            )
    scenarios = _scenarios(scenario, options, folder or Path())
    network = with_flows(network_of(scenario), scenario)
    _check_signals(network)
    options.objective.check(network)
    priorities = right_of_way(read_net(scenario.net))
    constraints = options.constraints
    space = Space(
        network,
        constraints=constraints if isinstance(constraints, Constraints) else constraints(network),
        drop_protected=options.drop_protected,
        cycles=options.cycles,
        free_cycles=options.free_cycles,
    )
    models = tuple(
        build(
            network,
            counted(
                demand_of(one, network, seed=options.seed),
                one.begin + options.cuts[0],
                one.end - options.cuts[1],
            ),
            right_of_way=priorities,
            sublane=one.sublane,
        )
        for one in scenarios
    )
    for one, model in zip(scenarios, models, strict=True):
        if not len(model.demand):
            raise InputError(
                f"no vehicle departs between {one.begin:g} and {one.end:g} s, so there is nothing to tune for",
                location=one.name,
                remedy="check the route files and the begin",
            )
    surrogate = Surrogate(models, Packer(space), options.objective, options.seed)
    evaluator = SumoEvaluator(network, scenarios, workers, objective=options.objective, cuts=options.cuts)
    return TuningProblem(network, space, surrogate, evaluator)


def _scenarios(scenario: Scenario, options: ProblemOptions, folder: Path) -> tuple[Scenario, ...]:
    """The demands to tune for: scaled ones, those of ``also``, drawn days. Raises InputError."""
    scenarios = [_scaled(scenario, factor, folder) for factor in dict.fromkeys(options.scales)]
    for other in options.also:
        if other.net.read_bytes() != scenario.net.read_bytes():
            raise InputError(
                "this is another network",
                location=other.name,
                remedy="give other traffic on the same network",
            )
        scenarios.append(other)
    resampling = Resampling("bootstrap", BLOCK, options.seed)
    days = range(options.demand_samples)
    return (*scenarios, *(another_day(scenario, resampling, day, folder, random_flows=True) for day in days))


def _check_signals(network: Network) -> None:
    """Raise InputError where no signal of the network can be set."""
    if network.intersections:
        return
    if not network.left_to_sumo:
        raise InputError(
            "there is no signal in this network",
            location=network.name,
            remedy="make its junctions traffic_light with netconvert or netedit",
        )
    name, reason = next(iter(sorted(network.left_to_sumo.items())))
    raise InputError(
        f"every signal is left to SUMO, {name!r} because {reason}",
        location=network.name,
        remedy="give them programs of at least two greens",
    )


def demand_of(
    scenario: Scenario, network: Network, *, seed: int = 0, window: tuple[float, float] | None = None
) -> Demand:
    """The demand that SUMO simulates, with the ``scale`` of its options, in ``window`` (begin, end), s."""
    demand = scenario_demand(scenario, network, window, seed=seed)
    factor = float(scenario.options.get("scale", "1"))
    if factor == 1:
        return demand
    due = np.floor(factor * np.arange(len(demand) + 1) + 1e-9)
    copies = np.repeat(np.arange(len(demand)), np.diff(due).astype(np.int64))  # in the manner of SUMO
    return replace(
        demand,
        **{
            name: getattr(demand, name)[copies]
            for name in ("depart", "type", "route", "depart_lane", "standing", "spread")
        },
        id=tuple(f"{demand.id[k]}#{n}" for n, k in enumerate(copies)) if demand.id else (),
    )


def counted(demand: Demand, begin: float, end: float) -> Demand:
    """The demand in which only vehicles due from ``begin`` to ``end`` (s) count; the others drive and weigh nothing."""
    outside = (demand.depart < begin - 1e-6) | (demand.depart >= end - 1e-6)
    if not outside.any():
        return demand
    silent = tuple(replace(kind, represents=0.0, pcu=0.0, persons=0.0) for kind in demand.types)
    shifted = np.where(outside, demand.type + len(demand.types), demand.type)
    return replace(demand, types=(*demand.types, *silent), type=shifted)


def _scaled(scenario: Scenario, factor: float, folder: Path) -> Scenario:
    if factor == 1:
        return scenario
    return replace(scaled_demand(scenario, factor, folder), name=f"{scenario.name} × {factor:g}")
