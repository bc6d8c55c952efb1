"""Does the queue model order controllers as SUMO does? Spearman's rank correlation of their delays, place by place.

    python benchmarks/closed_loop_fidelity.py --keep FOLDER PLACE… [--seconds 900] [--seeds 2] [--draws 5] [--jobs 1]

Each controller drives the same loop over SUMO and over the queue model, with the same vehicles; delays are means over
the seeds of SUMO and over the draws of the model's drivers. Beside it stand how well SUMO's seeds agree with each
other (the mean correlation over their pairs: no model can be expected to do better) and the controllers that are
furthest from their place. The interval of 95 % is that of D. G. Bonett and T. A. Wright,
Psychometrika 65 (2000) 23–28: Fisher's z with the standard error √((1 + ρ²/2) / (n − 3)). FOLDER keeps every run;
the same call goes on where it was stopped. PLACE is a place, or generated/KIND:SEED.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

import denxanh as dx
from denxanh.experiments.learning.environment_options import Draw, read_environment
from denxanh.experiments.learning.model_episode import DayModels
from denxanh.experiments.specification.controllers import make_controller, parse_controller
from denxanh.networks import generated
from denxanh.sim.model import ModelWorld
from denxanh.sim.model.calibrate import spearman
from denxanh.sim.scenario import Scenario
from denxanh.sim.simulation import run

Array = NDArray[np.float64]
CONTROLLERS = (
    "actuated", "actuated:max_green=20", "volume-density", "delay-based", "sotl", "longest-queue", "max-wave",
    "max-pressure", "max-pressure:interval=5", "max-pressure:interval=20", "max-pressure:interval=40",
    "max-pressure:near=0", "max-pressure-capacity", "max-pressure-cyclic", "max-pressure-position",
    "max-pressure-switching",
)  # fmt: skip


def in_the_model(scenario: Scenario, draws: int) -> Array:
    """Delays in the model, s/veh, (controllers,)."""
    options, network = read_environment(scenario, backend="model")
    found = np.zeros(len(CONTROLLERS))
    with tempfile.TemporaryDirectory() as folder:
        models = DayModels(options, network, folder)
        for seed in range(1, draws + 1):
            model = models.model(Draw(seed, 1.0, 0))
            for number, text in enumerate(CONTROLLERS):
                world = ModelWorld(model)
                run(world, make_controller(*parse_controller(text)), options.scenario.end)
                delay = world.delay()
                found[number] += delay.seconds / delay.vehicles / draws
    return found


def in_sumo(scenario: Scenario, seeds: int, keep: Path, jobs: int) -> Array:
    """Delays in SUMO, s/veh, (controllers, seeds)."""
    rows = dx.compare(scenario, CONTROLLERS, seeds=seeds, days="same", jobs=jobs, out=keep, warm_up=0.0).rows
    found: dict[str, list[float]] = {}
    for row in rows:
        if row.metrics["fallbacks"]:
            raise SystemExit(f"{row.place}, {row.controller}: a signal fell back to its plan")
        found.setdefault(row.controller, []).append(float(row.metrics["delay_s"] or math.nan))
    return np.array(list(found.values()))


def agreement(delays: Array) -> float:
    """Mean correlation of the seeds' orders, of (controllers, seeds); NaN with one seed."""
    pairs = itertools.combinations(delays.T, 2)
    return float(np.mean([spearman(one, other) for one, other in pairs] or [math.nan]))


def displaced(model: Array, sumo: Array) -> str:
    """The three controllers whose ranks differ most, with the rank in SUMO and in the model; 1 is the best."""
    here, there = rankdata(sumo), rankdata(model)
    worst = np.argsort(-np.abs(here - there), kind="stable")[:3]
    return ", ".join(f"{CONTROLLERS[k]} {here[k]:g}→{there[k]:g}" for k in worst)


def interval(rank: float, count: int) -> tuple[float, float]:
    """The interval of 95 % of a Spearman correlation of ``count`` pairs."""
    if abs(rank) >= 1.0:
        return rank, rank
    half = 1.959964 * math.sqrt((1 + rank**2 / 2) / (count - 3))  # Bonett & Wright (2000)
    return math.tanh(math.atanh(rank) - half), math.tanh(math.atanh(rank) + half)


def opened(name: str, keep: Path, seconds: float) -> Scenario:
    """The scenario of a name, so long."""
    where = name
    if name.startswith(generated.PREFIX):
        kind, seed = generated.read_name(name)
        folder = keep / "scenarios" / f"{kind}-{seed}"
        if not folder.is_dir():
            generated.build(kind, seed, folder)
        where = str(folder)
    scenario = dx.open_scenario(where)
    return dx.open_scenario(where, end=min(scenario.begin + seconds, scenario.end))


def main() -> None:
    """Print a line for each place."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="+")
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    print(
        "| place | controllers | Spearman (95 %) | SUMO's seeds | model / SUMO, median | SUMO, s/veh | "
        f"furthest, SUMO→model | {given.seconds:g} s |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in given.places:
        scenario = opened(name, given.keep, given.seconds)
        kept = given.keep / f"{scenario.name.replace('/', '-')}-{given.seconds:g}"
        path = kept.with_name(f"{kept.name}-{given.draws}.json")
        if path.is_file():
            model = np.array(json.loads(path.read_text()))
        else:
            model = in_the_model(scenario, given.draws)
            path.write_text(json.dumps(model.tolist()))
        seeds = in_sumo(scenario, given.seeds, kept, given.jobs)
        sumo = seeds.mean(axis=1)
        rank = float(spearman(model, sumo))
        low, high = interval(rank, len(sumo))
        print(
            f"| {scenario.name} | {len(sumo)} | {rank:.3f} ({low:.2f}…{high:.2f}) | {agreement(seeds):.3f} | "
            f"{np.median(model / sumo):.2f} | {sumo.min():.1f}–{sumo.max():.1f} | {displaced(model, sumo)} | "
            f"{given.seeds} seeds, {given.draws} draws |",
            flush=True,
        )


if __name__ == "__main__":
    main()
