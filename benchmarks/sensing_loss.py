"""What each strategy loses when it sees by loops or by camera instead of the truth, beside the fixed plan.

    python benchmarks/sensing_loss.py --out FOLDER ha-noi/pho-hue path/to/cologne1.sumocfg … [--seeds 3] [--jobs 1]

Writes FOLDER/PLACE/ (resumable: give the command again) and prints the table of docs/sensing.md:
mean delay in s/veh by sensing, its difference to ideal sensing with a 95 % interval, and to the fixed plan.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from denxanh.experiments.compare import execute_runs, specify_runs
from denxanh.experiments.runs.run_row import RunRow
from denxanh.experiments.specification.run_options import Limits, RunOptions
from denxanh.experiments.statistics import compare_paired
from denxanh.networks.scenarios import open_scenario

FIXED = "program"
CONTROLLERS = (
    FIXED,
    "actuated",
    "volume-density",
    "delay-based",
    "longest-queue",
    "sotl",
    "max-wave",
    "max-pressure",
    "max-pressure-cyclic",
    "max-pressure-position",
    "max-pressure-capacity",
    "max-pressure-switching",
    "predictive",
)
SENSINGS = ("ideal", "loops:missed_two_wheelers=0.2", "camera:missed_two_wheelers=0.2")


def delays(rows: Sequence[RunRow], label: str) -> dict[tuple[int, float | str], float]:
    """Delay by (seed, demand) of the runs that were done."""
    return {
        (row.seed, row.demand): float(row.metrics["delay_s"] or 0.0)
        for row in rows
        if row.controller == label and row.state == "done"
    }


def table(place: str, rows: Sequence[RunRow], controllers: Sequence[str]) -> list[str]:
    """One place as lines of Markdown."""
    fixed = delays(rows, FIXED)
    plan = float(np.mean(list(fixed.values())))
    out = [
        f"### {place}: fixed plan {plan:.1f} s/veh ({len(fixed)} seeds)",
        "",
        "| strategy | ideal | loops | loses | camera | loses | below the fixed plan with |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in controllers:
        if name == FIXED:
            continue
        ideal = delays(rows, name)
        if not ideal:
            continue
        cells, below = [name, f"{np.mean(list(ideal.values())):.1f}"], []
        for sensing in SENSINGS[1:]:
            short = sensing.partition(":")[0]
            found = delays(rows, f"{name} @ {sensing}")
            if not set(found) & set(ideal):
                cells += ["–", "–"]
                continue
            mean = float(np.mean(list(found.values())))
            paired = compare_paired(found, ideal)
            ends = paired.interval
            wide = f" ± {(ends.high - ends.low) / 2:.1f}" if ends else ""
            cells += [f"{mean:.1f}", f"{paired.difference:+.1f}{wide}"]
            if mean > plan:
                below.append(short)
        out.append(f"| {' | '.join([*cells, ', '.join(below) or '–'])} |")
    return [*out, ""]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--controllers", default=",".join(CONTROLLERS))
    parser.add_argument("--end", type=float, default=None)
    arguments = parser.parse_args()
    controllers = arguments.controllers.split(",")
    options = RunOptions(limits=Limits(1200.0))
    for place in arguments.places:
        scenario = open_scenario(place, end=arguments.end)
        runs = specify_runs(
            scenario, controllers, range(1, arguments.seeds + 1), sensing=SENSINGS, options=options
        )
        rows = execute_runs(
            arguments.out / scenario.name.replace("/", "-"),
            runs,
            jobs=arguments.jobs,
            on_progress=lambda _, outcome: print(outcome.reason) if outcome.manifest is None else None,
        )
        print("\n".join(table(scenario.name, rows, controllers)), flush=True)


if __name__ == "__main__":
    main()
