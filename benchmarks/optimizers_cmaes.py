"""Our search next to CMA-ES that asks SUMO itself, given ten times the CPU time.

    python benchmarks/optimizers_cmaes.py PLACE OUT [--times 10] [--seconds S]

Both choose among the stages of the program, whose protected turns may be dropped, greens, offsets and one
common cycle; ours may also make stages. CPU time is that of this process and of the SUMO runs that it starts.
CMA-ES (cmaes 0.13, its own population size) works on a vector of real numbers: the cycle, a weight for each
stage (shown where positive, green in proportion), and for each signal the offset as a share of the cycle. It sees
one seed and starts again with twice the population where it has converged (Auger and Hansen 2005); its best few are
evaluated on as many seeds as ours. OUT keeps every run, so that the command goes on after a stop.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from cmaes import CMA
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.search.confirmation import confirm
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.experiments.optimize.tuning_problem import ProblemOptions, TuningProblem, prepare_problem
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.plan import Plan

Array = NDArray[np.float64]

SEEDS = (1, 2, 3)
HELD_OUT = (101, 102, 103, 104, 105)
FINALISTS = 5  # of CMA-ES, evaluated on all SEEDS as our own leaders are
SPREAD = 1.0  # first standard deviation of a stage's weight, whose mean is 1: one stage in six starts hidden


class Spent(Exception):
    """The time given on the command line is over."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("place", help="as denxanh takes it; NET.net.xml+ROUTES with --end")
    parser.add_argument("out", type=Path)
    parser.add_argument("--end", type=float)
    parser.add_argument("--times", type=float, default=10.0, help="CPU of CMA-ES, in times of ours")
    parser.add_argument("--search", type=float, default=10.0, help="CPU seconds of our search")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after so many; goes on later"
    )
    given = parser.parse_args()
    scenario = open_scenario(given.place, end=given.end)
    given.out.mkdir(parents=True, exist_ok=True)
    place = prepare_problem(scenario, ProblemOptions(drop_protected=True))
    notes = Notes(given.out / f"{scenario.name}.jsonl", time.monotonic() + given.seconds)
    try:
        ours = _ours(place, notes, given.search)
        theirs = _cmaes(place, notes, given.times * ours["cpu"])
    except Spent:
        print("the time is over; start again to go on")
        return
    own = _held_out(place, notes, "own", Plan({}))
    for name, result in (("ours", ours), ("CMA-ES in SUMO", theirs)):
        held = _held_out(place, notes, name, Plan.from_json(result["plan"], location=str(given.out)))
        print(
            f"{scenario.name}: {name}: {held:.2f} s/veh on seeds 101–105 (existing plan {own:.2f}); "
            f"{result['cpu']:.0f} CPU s, {result['runs']} SUMO runs"
        )


@dataclass
class Notes:
    """What was computed before, by a name: a line of JSON each."""

    path: Path
    deadline: float

    def __post_init__(self) -> None:
        self.known: dict[str, Any] = {}
        if self.path.is_file():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                if line.endswith("}"):
                    self.known |= json.loads(line)

    def add(self, name: str, value: Any) -> Any:
        """Remember ``value``; returns it."""
        self.known[name] = value
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({name: value}) + "\n")
        return value

    def check(self) -> None:
        """Raise Spent when the time is over."""
        if time.monotonic() > self.deadline:
            raise Spent


def _cpu() -> float:
    """CPU seconds of this process and of its children that ended."""
    ours, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return ours.ru_utime + ours.ru_stime + theirs.ru_utime + theirs.ru_stime


def _ours(place: TuningProblem, notes: Notes, seconds: float) -> dict[str, Any]:
    known = notes.known.get("ours")
    if known is None:
        before = _cpu()
        tuner = Tuner(
            place.space,
            replace(place.surrogate, threads=1),
            place.evaluator,
            place.cases(SEEDS),
            np.random.default_rng(1),
            Budget(seconds=seconds),
        )
        out = confirm(tuner.run(), place.space, place.evaluator, place.cases(SEEDS), exclude=HELD_OUT)
        known = notes.add(
            "ours", {"plan": out.plan.to_json(), "cpu": _cpu() - before, "runs": out.trace[-1].runs}
        )
    return dict(known)


def _cmaes(place: TuningProblem, notes: Notes, budget: float) -> dict[str, Any]:
    """The best plan of CMA-ES after ``budget`` CPU seconds; what was run before is not run again."""
    space = place.space
    mean = np.concatenate([[_middle(space)], *(_first(signal.stages.own) for signal in space.signals)])
    search = CMA(mean=mean, sigma=SPREAD, seed=1)
    spent, runs, starts = 0.0, 0, 1
    found: dict[str, float] = {}
    plans: dict[str, Candidate] = {}
    while spent < budget:
        if search.should_stop():  # again with a population twice as large (Auger and Hansen 2005)
            starts += 1
            size = 2 * search.population_size
            search = CMA(mean=mean, sigma=SPREAD, seed=starts, population_size=size)
        told = []
        for _ in range(search.population_size):
            x = search.ask()
            candidate = decode(space, x)
            name = f"cmaes {json.dumps([[s.order, s.greens, s.offset] for s in candidate])}"
            if name not in notes.known:
                notes.check()
                before = _cpu()
                delay = float(place.evaluator([space.plan(candidate)], [Case(0, SEEDS[0])])[0, 0])
                notes.add(name, {"delay": delay, "cpu": _cpu() - before})
            if name not in found:
                found[name], plans[name] = notes.known[name]["delay"], candidate
                spent += notes.known[name]["cpu"]
                runs += 1
            told.append((x, found[name]))
        search.tell(told)
    best = sorted(found, key=lambda name: found[name])[:FINALISTS]
    evaluated = {name: _evaluated(place, notes, name, plans[name]) for name in best}
    winner = min(best, key=lambda name: evaluated[name])
    return {
        "plan": space.plan(plans[winner]).to_json(),
        "cpu": spent,
        "runs": runs + (len(SEEDS) - 1) * len(best),
    }


def decode(space: Space, x: Array) -> Candidate:
    """A legal candidate for a vector: stages whose weight is positive, and more until every link is served."""
    cycle = max(space.cycles[0], min(space.cycles[1], round(20.0 * math.exp(0.5 * float(x[0])))))
    orders, weights, shares, first = [], [], [], 1
    for signal in space.signals:
        own = signal.stages.own
        weight, share = x[first : first + len(own)], float(x[first + len(own)])
        first += len(own) + 1
        shown = [k for k in range(len(own)) if weight[k] > 0]
        for k in np.argsort(-weight, kind="stable").tolist():
            if signal.stages.complete([own[i] for i in shown]):
                break
            if k not in shown:
                shown.append(k)
        shown.sort()
        orders.append(tuple(own[k] for k in shown))
        weights.append([max(float(weight[k]), 0.05) for k in shown])
        shares.append(share)
    cycle = max(cycle, space.shortest_cycle(orders))
    offsets = [round(share * cycle) % cycle for share in shares]
    built = space.build(cycle, orders, weights, offsets)
    if built is None:
        raise SystemExit("a signal has maximum greens that no common cycle can keep")
    return built


def _middle(space: Space) -> float:
    """Where the cycle's coordinate starts: at 60 s."""
    return 2.0 * math.log(60.0 / 20.0)


def _first(own: tuple[int, ...]) -> Array:
    """A weight of 1 for each stage, no offset."""
    return np.array([1.0] * len(own) + [0.0])


def _evaluated(place: TuningProblem, notes: Notes, name: str, candidate: Candidate) -> float:
    key = f"final {name}"
    if key not in notes.known:
        notes.check()
        cases = [Case(0, seed) for seed in SEEDS]
        notes.add(key, {"delay": float(place.evaluator([place.space.plan(candidate)], cases).mean())})
    return float(notes.known[key]["delay"])


def _held_out(place: TuningProblem, notes: Notes, name: str, plan: Plan) -> float:
    key = f"held out {name}"
    if key not in notes.known:
        cases = [Case(0, seed) for seed in HELD_OUT]
        notes.add(key, {"delay": float(place.evaluator([plan], cases).mean())})
    return float(notes.known[key]["delay"])


if __name__ == "__main__":
    main()
