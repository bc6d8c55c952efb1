"""Whether `lane` and `sublane` rank signal plans and strategies alike on built-in places.

    python benchmarks/fidelity_agreement.py FOLDER PLACE… [--plans 12] [--seeds 1] [--end S] [--without STRATEGY]

For each place random plans (cycle, splits and offsets drawn freely, the network's own stages in every second plan) and
the strategies below run in both fidelities on the same demand. The first table has Spearman's correlation of the mean
delays with its 95 % interval and the ratio of the delays, the second the delay of each strategy and, of all runs of a
fidelity, collisions and teleports as shares of the vehicles. With --model a third one has how the queue model ranks the
random plans in each fidelity. Done runs in FOLDER are not run again.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
from model_fidelity import bootstrap, random_candidates

from denxanh.controllers.fixed.fixed_time import read_plan
from denxanh.experiments.cli.app import app
from denxanh.experiments.optimize.tuning_problem import ProblemOptions, prepare_problem
from denxanh.experiments.results.load import load
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import with_window
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.model import COLUMNS, encode
from denxanh.sim.model.calibrate import spearman

STRATEGIES = (
    "program",
    "conventional",
    "webster",
    "actuated",
    "max-pressure:interval=20",
    "longest-queue",
    "predictive",
)
FIDELITIES = ("lane", "sublane")
MODEL_HEAD = """\
| place | fidelity | plans | delay | better half | level | best tenth within SUMO's best third | SUMO s/veh |
|---|---|---|---|---|---|---|---|"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("places", nargs="+")
    parser.add_argument("--plans", type=int, default=12)
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--end", default="", help="simulate until this time, s")
    parser.add_argument("--without", action="append", default=[], help="a strategy that is left out")
    parser.add_argument("--model", action="store_true", help="also the queue model beside the random plans")
    given = parser.parse_args()
    strategies = [name for name in STRATEGIES if name not in given.without]
    print("| place | plans and strategies | Spearman | delay `lane` / `sublane`: median, least to most |")
    print("|---|---|---|---|")
    until = ["--end", given.end] if given.end else []
    for place in given.places:
        target = (given.folder / place.replace("/", "--")).absolute()
        options = write_plans(place, target, given.plans)
        chosen = [part for option in (*strategies, *options) for part in ("-c", option)]
        for fidelity in FIDELITIES:
            out = ["--out", str(target / fidelity)]
            arguments = ["compare", f"{place}:{fidelity}", "--seeds", given.seeds, "--jobs", "1"]
            app([*arguments, *until, *chosen, *out], standalone_mode=False)
        print(row(place, target), flush=True)
    for place in given.places:
        print(details(place, (given.folder / place.replace("/", "--")).absolute()), flush=True)
    if given.model:
        print(f"\n{MODEL_HEAD}")
        for place in given.places:
            print(
                model_rows(place, (given.folder / place.replace("/", "--")).absolute(), given.end), flush=True
            )


def write_plans(place: str, folder: Path, count: int) -> list[str]:
    """Write random plans of a place, the same every time, and return them as controllers."""
    space = prepare_problem(open_scenario(place), ProblemOptions()).space
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for k, candidate in enumerate(random_candidates(space, count, np.random.default_rng(1)), 1):
        path = folder / f"random-{k}.json"
        path.write_text(json.dumps(space.plan(candidate).to_json()), encoding="utf-8")
        names.append(f"fixed-time:plan={path}")
    return names


def row(place: str, folder: Path) -> str:
    """One line of the table for all, for the random plans and for the strategies."""
    lane, sublane = (delays(folder / fidelity) for fidelity in FIDELITIES)
    both = [name for name in lane if name in sublane]
    plans = [name for name in both if name.startswith("fixed-time")]
    strategies = [name for name in both if name not in plans]
    lines = []
    for kind, names in (("all", both), ("random plans", plans), ("strategies", strategies)):
        a, b = (np.array([found[name] for name in names]) for found in (lane, sublane))
        rank, ratio = spearman(a, b), a / b
        low, high = interval(rank, len(names))
        lines.append(
            f"| {place} | {len(names)} ({kind}) | {rank:.2f} [{low:.2f}, {high:.2f}] |"
            f" {np.median(ratio):.2f}, {ratio.min():.2f} to {ratio.max():.2f} |"
        )
    return "\n".join(lines)


def details(place: str, folder: Path) -> str:
    """The delay of each strategy in both fidelities, and the collisions and teleports of all of their runs."""
    lane, sublane = (delays(folder / fidelity) for fidelity in FIDELITIES)
    lines = [
        "",
        f"| {place}, delay in s/veh | `lane` | `sublane` | `lane` / `sublane` |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {lane[name]:.1f} | {sublane[name]:.1f} | {lane[name] / sublane[name]:.2f} |"
        for name in sorted(set(STRATEGIES) & lane.keys(), key=lane.__getitem__)
    ]
    for fidelity in FIDELITIES:
        runs = load(folder / fidelity).runs
        vehicles = float(np.sum(runs["simulated"]))
        counts = ", ".join(
            f"{name} {np.sum(runs[name]):.0f} ({np.sum(runs[name]) / vehicles:.3%})"
            for name in ("collisions", "teleports")
        )
        lines.append(f"\n{fidelity}, {len(runs['simulated'])} runs, {vehicles:.0f} vehicles: {counts}")
    return "\n".join(lines)


def model_rows(place: str, folder: Path, end: str) -> str:
    """How the queue model ranks the random plans beside SUMO, in both fidelities; the model has the demand as given."""
    lines = []
    for fidelity in FIDELITIES:
        scenario = open_scenario(f"{place}:{fidelity}")
        if end:
            scenario = replace(scenario, end=float(end))
        scenario, options = with_window(scenario, RunOptions())
        cuts = float(options.warm_up), float(options.flush)
        model = prepare_problem(scenario, ProblemOptions(cuts=cuts)).surrogate.models[0]
        found = delays(folder / fidelity)
        said = {name: value for name, value in found.items() if name.startswith("fixed-time")}
        plans = [read_plan(name.partition("plan=")[2]) for name in said]
        believed = model.evaluate(encode(model.network, plans))[:, COLUMNS.index("delay")]
        truth = np.array(list(said.values()))
        low, high = bootstrap(believed, truth)
        half = np.argsort(truth, kind="stable")[: len(truth) // 2]
        best = np.argsort(believed, kind="stable")[: math.ceil(len(truth) / 10)]
        third = np.argsort(truth, kind="stable")[: math.ceil(len(truth) / 3)]
        lines.append(
            f"| {place} | `{fidelity}` | {len(truth)} | {spearman(believed, truth):.2f} [{low:.2f}, {high:.2f}] |"
            f" {spearman(believed[half], truth[half]):.2f} | {np.median(believed / truth):.2f} |"
            f" {'yes' if set(best) <= set(third) else 'no'} | {truth.min():.1f}–{truth.max():.1f} |"
        )
    return "\n".join(lines)


def delays(folder: Path) -> dict[str, float]:
    """The mean delay of each controller in a result folder, s/veh."""
    runs = load(folder).runs
    controllers = np.asarray(runs["controller"], dtype=str)
    return {
        name: float(np.mean(runs["delay_s"][controllers == name]))
        for name in dict.fromkeys(controllers.tolist())
    }


def interval(rank: float, n: int) -> tuple[float, float]:
    """The 95 % interval of Spearman's correlation of ``n`` pairs (Bonett and Wright 2000, Psychometrika 65, 23–28)."""
    if n <= 3 or abs(rank) >= 1:
        return rank, rank
    half = 1.96 * math.sqrt((1 + rank**2 / 2) / (n - 3))
    return math.tanh(math.atanh(rank) - half), math.tanh(math.atanh(rank) + half)


if __name__ == "__main__":
    main()
