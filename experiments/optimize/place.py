"""A scenario made ready for tuning: its space, its models (one for each demand), its judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from experiments.optimize.believing import Believing
from experiments.optimize.freeze import NOTHING_FROZEN, Freeze
from experiments.optimize.judge import DELAY, SumoJudge
from experiments.optimize.objective import Objective
from experiments.optimize.pack import Packer
from experiments.optimize.race import Case
from experiments.optimize.space import Space
from experiments.resample import Resampling, another_day, scaled_demand
from sim.demand import Demand
from sim.demand_reader import read_demand
from sim.errors import InputError
from sim.flows import with_flows
from sim.model import build
from sim.model.priority import right_of_way
from sim.netfile import read_net
from sim.network import Network
from sim.scenario import Scenario
from sim.sumonet import network_of

BLOCK = (
    900.0  # s, the quarter of an hour within which HCM takes demand as even: vehicles are redrawn within it
)


@dataclass(frozen=True)
class Place:
    """What a Tuner needs: ``Tuner(place.space, place.believing, place.judge, place.cases(seeds), rng)``."""

    network: Network
    space: Space
    believing: Believing
    judge: SumoJudge

    def cases(self, seeds: Sequence[int]) -> list[Case]:
        """Every seed and every demand once; they take turns, so that the runs are not multiplied."""
        demands = len(self.judge.scenarios)
        return [Case(k % demands, seeds[k % len(seeds)]) for k in range(max(len(seeds), demands))]


def prepare(
    scenario: Scenario,
    *,
    objective: Objective = DELAY,
    freeze: Freeze = NOTHING_FROZEN,
    freezing: Callable[[Network], Freeze] | None = None,
    drop_protected: bool = False,
    cycles: tuple[int, int] | None = None,
    free_cycles: bool = False,
    demand_samples: int = 0,
    scales: Sequence[float] = (1.0,),
    also: Sequence[Scenario] = (),
    seed: int = 0,
    folder: Path | None = None,
    workers: int = 1,
) -> Place:
    """Read a scenario for tuning.

    It is tuned for the demand given times each of ``scales``, for the demands of ``also`` (the same network under
    other traffic), and for ``demand_samples`` other days, which are drawn into ``folder``. ``freezing`` says what stays
    once the network is known. Raises InputError.
    """
    folder = folder or Path()
    scenarios = [_times(scenario, factor, folder) for factor in dict.fromkeys(scales)]
    for other in also:
        if other.net.read_bytes() != scenario.net.read_bytes():
            raise InputError(
                "this is another network", where=other.name, remedy="give other traffic on the same"
            )
        scenarios.append(other)
    for day in range(demand_samples):
        how = Resampling("bootstrap", BLOCK, seed)
        scenarios.append(another_day(scenario, how, day, folder, random_flows=True))
    network = with_flows(network_of(scenario), scenario)
    _something_to_tune(network)
    objective.check(network)
    priorities = right_of_way(read_net(scenario.net))
    if freezing is not None:
        freeze = freezing(network)
    space = Space(
        network, freeze=freeze, drop_protected=drop_protected, cycles=cycles, free_cycles=free_cycles
    )
    models = tuple(
        build(
            network,
            demand_of(one, network, seed=seed),
            right_of_way=priorities,
        )
        for one in scenarios
    )
    for one, model in zip(scenarios, models, strict=True):
        if not len(model.demand):
            raise InputError(
                f"no vehicle departs between {one.begin:g} and {one.end:g} s, so there is nothing to tune for",
                where=one.name,
                remedy="check the route files and the begin",
            )
    believing = Believing(models, Packer(space), objective, seed)
    return Place(
        network, space, believing, SumoJudge(network, tuple(scenarios), workers, objective=objective)
    )


def _something_to_tune(network: Network) -> None:
    """Raise InputError where no signal can be set, and say why."""
    if network.intersections:
        return
    if not network.left_to_sumo:
        raise InputError(
            "there is no signal in this network",
            where=network.name,
            remedy="make its junctions traffic_light with netconvert or netedit",
        )
    name, why = next(iter(sorted(network.left_to_sumo.items())))
    raise InputError(
        f"every signal is left to SUMO, {name!r} because {why}",
        where=network.name,
        remedy="give them programs of at least two greens",
    )


def demand_of(
    scenario: Scenario, network: Network, *, seed: int = 0, window: tuple[float, float] | None = None
) -> Demand:
    """The demand that SUMO simulates, a ``scale`` among its options included, in ``window`` s (begin to end)."""
    begin, end = window or (scenario.begin, scenario.end)
    demand = read_demand(
        scenario.routes,
        network,
        begin,
        end,
        net_file=scenario.net,
        type_files=scenario.additional,
        seed=seed,
    )
    factor = float(scenario.options.get("scale", "1"))
    if factor == 1:
        return demand
    due = np.floor(factor * np.arange(len(demand) + 1) + 1e-9)
    which = np.repeat(np.arange(len(demand)), np.diff(due).astype(np.int64))  # copies as SUMO makes them
    return replace(
        demand,
        **{
            name: getattr(demand, name)[which]
            for name in ("depart", "type", "route", "depart_lane", "standing", "spread")
        },
        id=tuple(f"{demand.id[k]}#{n}" for n, k in enumerate(which)) if demand.id else (),
    )


def _times(scenario: Scenario, factor: float, folder: Path) -> Scenario:
    if factor == 1:
        return scenario
    return replace(scaled_demand(scenario, factor, folder), name=f"{scenario.name} × {factor:g}")
