"""The figures of docs/optimize.md: tune a scenario and evaluate the plan on held-out seeds.

python tests/experiments/optimize/figures.py NET.net.xml ROUTES.rou.xml --begin 25200 --seconds 8 --drop-protected
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.search.outcome import Progress
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.experiments.optimize.tuning_problem import ProblemOptions, prepare_problem
from denxanh.sim.plan import Plan
from denxanh.sim.scenario import Scenario

HELD_OUT = range(101, 106)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("net", type=Path)
    parser.add_argument("routes", type=Path)
    parser.add_argument("--begin", type=float, default=0.0)
    parser.add_argument("--length", type=float, default=3600.0)
    parser.add_argument("--seconds", type=float, default=12.0, help="CPU time of the search")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--evaluated", type=int, default=6)
    parser.add_argument("--polish", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--drop-protected", action="store_true")
    parser.add_argument("--no-learning", action="store_true")
    parser.add_argument("--longest", type=int, default=120, help="upper bound of the cycle, s")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    scenario = Scenario(
        given.net.name.split(".")[0],
        given.net,
        (given.routes,),
        begin=given.begin,
        end=given.begin + given.length,
    )
    options = ProblemOptions(drop_protected=given.drop_protected, cycles=(20, given.longest))
    problem = prepare_problem(scenario, options, workers=2)
    wall, cpu = time.perf_counter(), time.process_time()

    def report(now: Progress) -> None:
        if now.step != "search":
            print(
                f"  {now.step}: {now.evaluations} plans, {now.runs} runs, best in SUMO {now.sumo:.2f}",
                flush=True,
            )

    budget = Budget(given.seconds, None, given.rounds, given.evaluated, given.polish)
    tuner = Tuner(
        problem.space,
        problem.surrogate,
        problem.evaluator,
        problem.cases(range(1, 1 + given.seeds)),
        np.random.default_rng(1),
        budget,
        learn=not given.no_learning,
        on_progress=report,
    )
    out = tuner.run()
    cases = [Case(0, seed) for seed in HELD_OUT]
    existing, held = problem.evaluator([Plan({}), out.plan], cases)
    last = out.trace[-1]
    cycle = problem.space.common_cycle(out.candidate) if out.candidate else None
    print(
        f"{scenario.name}: existing {existing.mean():.2f}, plan {held.mean():.2f} ± {held.std(ddof=1):.2f} s/veh on "
        f"seeds {HELD_OUT[0]}–{HELD_OUT[-1]}; cycle {cycle} s; {last.evaluations} plans, {last.runs} runs, "
        f"{time.process_time() - cpu:.1f} CPU s besides SUMO, {time.perf_counter() - wall:.0f} s in all"
    )
    if given.out:
        given.out.write_text(json.dumps(out.plan.to_json(), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
