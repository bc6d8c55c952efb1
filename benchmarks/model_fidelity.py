"""How well the queue model ranks plans, next to how well SUMO's own seeds agree.

    python benchmarks/model_fidelity.py [PLACE…] [--keep FOLDER] [--random 30] [--near 36] [--seeds 3] [--end S]

PLACE is a lent scenario (grid4x4, cologne1, …), a generated one (benchmarks/model_places.py) or a built-in place
(ha-noi/pho-hue, ha-noi/pho-hue:sublane); all of the first two without any. Random plans: stages, splits, offsets and
cycle drawn freely. Plans near the optimum: a search with the model finds it, corrected by SUMO as ``denxanh optimize``
does; then its leaders are changed by 1 to 8 random moves, and those that SUMO finds within half more of the best delay
count. FOLDER keeps what SUMO said, run by run, so that a second call only asks the model. In brackets: 95 % intervals
by bootstrap over the plans. The last column says whether the plans that the model puts in its best tenth are all in
SUMO's best third.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from model_places import LENT, RECIPES, folder_of
from numpy.typing import NDArray

from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.problem.neighbourhood import Neighbourhood
from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.experiments.optimize.problem.space import Candidate, Space
from denxanh.experiments.optimize.search.tuner import Budget, Tuner
from denxanh.experiments.optimize.tuning_problem import ProblemOptions, TuningProblem, prepare_problem
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.demand.equivalents import read_equivalents, weights
from denxanh.sim.model import COLUMNS, Model, calibrate, encode
from denxanh.sim.model.calibrate import spearman
from denxanh.sim.plan import Plan
from denxanh.sim.sumo.run_input import MEASURES, TRIPINFO, write_input
from denxanh.sim.sumo.tripinfo import read_trips

Array = NDArray[np.float64]
WITHIN = 1.5  # of the best delay: what counts as near the optimum
SEARCH = Budget(seconds=1e9, evaluations=6000, rounds=2, evaluated=5)


@dataclass
class Set:
    """Plans and what SUMO said: ``said[plan, seed]`` = (delay s/veh, stops per vehicle)."""

    plans: list[Plan]
    said: dict[str, tuple[float, float]] = field(default_factory=dict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("places", nargs="*", default=[*LENT, *RECIPES])
    parser.add_argument("--keep", type=Path, default=Path("denxanh-results/model_fidelity"))
    parser.add_argument("--random", type=int, default=30)
    parser.add_argument("--near", type=int, default=36)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--end", default="", help="simulate until this time, s; the end of the scenario without it"
    )
    parser.add_argument(
        "--ask", type=float, default=1e9, help="s to spend on SUMO at most; call again for the rest"
    )
    given = parser.parse_args()
    print(
        f"{'place':12} {'plans':7} {'n':>3}  {'delay':>6} {'fitted':>6} {'seeds':>6}  {'level':>5}  "
        f"{'stops':>6} {'seeds':>6} {'level':>5}  SUMO s/veh  best tenth in SUMO's best third"
    )
    until = time.monotonic() + given.ask
    for name in given.places:
        lent = name in (*LENT, *RECIPES)
        scenario = open_scenario(str(folder_of(name, given.keep)) if lent else name)
        if given.end:
            scenario = replace(scenario, end=float(given.end))
        place = prepare_problem(scenario, ProblemOptions(drop_protected=lent))
        file = name.replace("/", "--").replace(":", "-")
        for kind, count in (("random", given.random), ("near", given.near)):
            found = asked(place, given.keep / f"{file}.{kind}.json", kind, count, given.seeds, until)
            if found is None:
                print(f"{name:12} {kind:7} not all runs are there yet", flush=True)
                return
            print(f"{name:12} {kind:7} {row(place.surrogate.models[0], found, given.seeds)}", flush=True)


def row(model: Model, found: Set, seeds: int) -> str:
    """One line of the table."""
    said = np.array([[found.said[f"{k} {s}"] for s in range(1, seeds + 1)] for k in range(len(found.plans))])
    delay, stops = said[..., 0], said[..., 1]  # (plans, seeds)
    metrics = model.evaluate(encode(model.network, found.plans))
    believed, halts = metrics[:, COLUMNS.index("delay")], metrics[:, COLUMNS.index("stops")]
    truth = delay.mean(axis=1)
    _, trusted = calibrate(model, found.plans, lambda plans, seeds: delay, range(1, seeds + 1))
    best = np.argsort(believed, kind="stable")[: math.ceil(len(truth) / 10)]
    third = np.argsort(truth, kind="stable")[: math.ceil(len(truth) / 3)]
    low, high = bootstrap(believed, truth)
    return (
        f"{len(truth):3d}  {spearman(believed, truth):6.3f} [{low:.2f}, {high:.2f}] {trusted.rank:6.3f} "
        f"{agreement(delay):6.3f}  "
        f"{np.median(believed / truth):5.2f}  {spearman(halts, stops.mean(axis=1)):6.3f} {agreement(stops):6.3f} "
        f"{np.median(halts / stops.mean(axis=1)):5.2f}  {truth.min():.1f}–{truth.max():.1f}"
        f"  {'yes' if set(best) <= set(third) else 'NO'}"
    )


def bootstrap(believed: Array, truth: Array, draws: int = 2000) -> tuple[float, float]:
    """The 95 % interval of Spearman's correlation over plans drawn anew."""
    rng = np.random.default_rng(1)
    rows = rng.integers(len(truth), size=(draws, len(truth)))
    low, high = np.quantile([spearman(believed[row], truth[row]) for row in rows], [0.025, 0.975])
    return float(low), float(high)


def agreement(values: Array) -> float:
    """Mean rank correlation of every two seeds; nan with one seed."""
    if values.shape[1] < 2:
        return math.nan
    return float(np.mean([spearman(a, b) for a, b in itertools.combinations(values.T, 2)]))


def asked(place: TuningProblem, keep: Path, kind: str, count: int, seeds: int, until: float) -> Set | None:
    """A set of plans evaluated in SUMO; None if the time was not enough. ``keep`` holds what was done."""
    if keep.exists():
        kept = json.loads(keep.read_text(encoding="utf-8"))
        found = Set(
            [Plan.from_json(p, location=str(keep)) for p in kept["plans"]],
            {key: tuple(value) for key, value in kept["said"].items()},
        )
    else:
        rng = np.random.default_rng(1)
        chosen = random_candidates(place.space, count, rng) if kind == "random" else near(place, count, rng)
        found = Set([place.space.plan(c) for c in chosen])
    for s in range(1, seeds + 1):
        for k, plan in enumerate(found.plans):
            if f"{k} {s}" in found.said:
                continue
            if time.monotonic() > until:
                return None
            found.said[f"{k} {s}"] = ask(place.evaluator, plan, s)
            save(found, keep)
        if kind == "near" and s == 1:
            least = min(delay for delay, _ in found.said.values())
            close = [k for k in range(len(found.plans)) if found.said[f"{k} 1"][0] <= WITHIN * least]
            found = Set(
                [found.plans[k] for k in close],
                {f"{i} {seed}": found.said[f"{k} {seed}"] for i, k in enumerate(close) for seed in range(1, seeds + 1)
                 if f"{k} {seed}" in found.said},
            )  # fmt: skip
            save(found, keep)
    return found


def save(found: Set, keep: Path) -> None:
    """Write what is known."""
    content: dict[str, Any] = {"plans": [plan.to_json() for plan in found.plans], "said": found.said}
    keep.parent.mkdir(parents=True, exist_ok=True)
    fresh = keep.with_suffix(".new")
    fresh.write_text(json.dumps(content), encoding="utf-8")
    fresh.replace(keep)


def ask(evaluator: SumoEvaluator, plan: Plan, seed: int) -> tuple[float, float]:
    """Delay (s/veh, waiting before insertion included) and stops per inserted vehicle, in bare SUMO."""
    scenario = replace(evaluator.scenarios[0], notes=())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        given = write_input(scenario, folder, seed=seed, signals=(), drop_programs=plan.timings)
        (folder / "plan.add.xml").write_text(plan_xml(plan, evaluator.network), encoding="utf-8")
        additional = [*(a for a in given.additional if a != MEASURES), "plan.add.xml"]
        evaluator._run([*given.arguments, "--additional-files", ",".join(additional)], folder)
        trips, _ = read_trips(folder / TRIPINFO)
    real = weights(trips.type, read_equivalents((*scenario.routes, *scenario.additional)))[2]
    inserted = real * trips.inserted
    lost, stops = float(real @ trips.delay), float(inserted @ trips.stops)
    return lost / float(real.sum()), stops / float(inserted.sum())


def random_candidates(space: Space, count: int, rng: np.random.Generator) -> list[Candidate]:
    """Cycle 40–120 s, splits and offsets at random; every second plan with other stages than the network's."""
    moves = Neighbourhood(space)
    stages = [kind for kind in ("drop", "replace", "swap", "add") if kind in moves.kinds]
    out: list[Candidate] = []
    while len(out) < count:
        candidate = space.existing()
        for _ in range(2 * len(space.signals) if len(out) % 2 else 0):
            move = moves.draw(candidate, stages[int(rng.integers(len(stages)))], rng)
            candidate = candidate if move is None else move.candidate
        orders = [setting.order for setting in candidate]
        cycle = max(int(rng.integers(40, 121)), space.shortest_cycle(orders))
        built = space.build(
            cycle,
            orders,
            [list(rng.dirichlet(np.full(len(order), 2.0))) for order in orders],
            [int(rng.integers(cycle)) for _ in orders],
        )
        if built is not None:
            out.append(built)
    return out


def near(place: TuningProblem, count: int, rng: np.random.Generator) -> list[Candidate]:
    """The leaders of a small search and their neighbours at 1, 2, 4 and 8 moves."""
    tuner = Tuner(place.space, place.surrogate, place.evaluator, [Case(0, 1), Case(0, 2)], rng, SEARCH)
    evaluated = sorted(tuner.run().evaluated, key=lambda j: float(np.nanmean(j.cost)))
    centres = [j.candidate for j in evaluated[:3]]
    moves = Neighbourhood(place.space)
    out = dict.fromkeys(centres)
    while len(out) < count:
        candidate = centres[len(out) % len(centres)]
        for _ in range((1, 2, 4, 8)[len(out) % 4]):
            move = moves.draw(candidate, moves.kinds[int(rng.integers(len(moves.kinds)))], rng)
            candidate = candidate if move is None else move.candidate
        out[candidate] = None
    return list(out)


if __name__ == "__main__":
    main()
