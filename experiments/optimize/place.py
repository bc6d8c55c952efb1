"""A scenario made ready for tuning: its space, its models (one for each demand), its judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.optimize.believing import Believing
from experiments.optimize.freeze import NOTHING_FROZEN, Freeze
from experiments.optimize.judge import DELAY, SumoJudge
from experiments.optimize.objective import Objective
from experiments.optimize.pack import Packer
from experiments.optimize.race import Case
from experiments.optimize.space import CYCLES, Space
from experiments.resample import Resampling, another_day
from sim.demand import read_demand
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
        """Every seed; the demands take turns, so that each is met without multiplying the runs."""
        demands = len(self.judge.scenarios)
        return [Case(k % demands, seed) for k, seed in enumerate(seeds)]


def prepare(
    scenario: Scenario,
    *,
    objective: Objective = DELAY,
    freeze: Freeze = NOTHING_FROZEN,
    drop_protected: bool = False,
    cycles: tuple[int, int] = CYCLES,
    demand_samples: int = 0,
    seed: int = 0,
    folder: Path | None = None,
    workers: int = 1,
) -> Place:
    """Read a scenario for tuning.

    ``demand_samples`` other days of the demand are drawn into ``folder`` and tuned for together with the
    given one. Raises InputError.
    """
    network = with_flows(network_of(scenario), scenario)
    objective.check(network)
    priorities = right_of_way(read_net(scenario.net))
    scenarios = [scenario]
    for day in range(demand_samples):
        how = Resampling("bootstrap", BLOCK, seed)
        scenarios.append(another_day(scenario, how, day, folder or Path()))
    space = Space(network, freeze=freeze, drop_protected=drop_protected, cycles=cycles)
    models = tuple(
        build(
            network,
            read_demand(
                one.routes,
                network,
                one.begin,
                one.end,
                net_file=one.net,
                type_files=one.additional,
                seed=seed,
            ),
            right_of_way=priorities,
        )
        for one in scenarios
    )
    believing = Believing(models, Packer(space), objective, seed)
    return Place(
        network, space, believing, SumoJudge(network, tuple(scenarios), workers, objective=objective)
    )
