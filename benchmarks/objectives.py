"""How well the model orders plans by each objective, against SUMO.

python benchmarks/objectives.py cologne1.sumocfg ingolstadt1.sumocfg --seconds 900

Unlike plans (other cycles, stages, splits) on two seeds; the roads of ``queue`` and ``spillback`` are the three with
the largest flow into a signal. Printed: Spearman's correlation of model and SUMO, of SUMO's two seeds, median level.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.objective import MEASURES, Objective, Term
from denxanh.experiments.optimize.search.fidelity import diverse_plans
from denxanh.experiments.optimize.surrogate.predicted_measures import predicted_cost
from denxanh.experiments.optimize.tuning_problem import TuningProblem, prepare_problem
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.model.calibrate import spearman

ROADS = 3
PLANS = 16
CASES = (Case(0, 1), Case(0, 2))


def main() -> None:
    """Measure and print a table for each place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("places", nargs="+")
    parser.add_argument("--seconds", type=float, default=3600.0, help="of each scenario")
    given = parser.parse_args()
    for name in given.places:
        scenario = open_scenario(name)
        end = min(scenario.end, scenario.begin + given.seconds)
        place = prepare_problem(replace(scenario, end=end), workers=2)
        print(f"{scenario.name}, {end - scenario.begin:g} s")
        table(place)


def table(place: TuningProblem) -> None:
    """A line for each measure."""
    terms = [Term(m, 1.0, busiest(place) if m.on_links else ()) for m in MEASURES.values()]
    candidates = diverse_plans(place, np.random.default_rng(0), PLANS)
    told = place.evaluator.values([place.space.plan(c) for c in candidates], CASES, terms)
    plans = place.surrogate.packer(candidates)
    for k, term in enumerate(terms):
        guess = predicted_cost(Objective((term,)), place.surrogate.models, plans)
        said = told[..., k]
        mean = said.mean(axis=1)
        level = float(np.median(guess / np.maximum(mean, 1e-9)))
        print(
            f"{term.measure.name:13s} rank {spearman(guess, mean):5.2f}  seeds "
            f"{spearman(said[:, 0], said[:, 1]):5.2f}  level {level:5.2f}  SUMO {mean.min():.4g}–{mean.max():.4g} "
            f"{term.measure.unit}"
        )


def busiest(place: TuningProblem) -> tuple[str, ...]:
    """The roads with the largest flow into a signal."""
    flow: dict[str, float] = {}
    for intersection in place.network.intersections.values():
        for movement in intersection.movements:
            if movement.flow is not None:
                flow[movement.start] = flow.get(movement.start, 0.0) + movement.flow
    return tuple(sorted(flow, key=lambda road: (-flow[road], road))[:ROADS])


if __name__ == "__main__":
    main()
