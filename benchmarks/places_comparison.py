"""The existing plan against other strategies and an optimised plan, on built-in places.

    python benchmarks/places_comparison.py FOLDER [PLACE…] [--seeds 3] [--budget 30] [--end S]

For each place a plan is optimised and every strategy runs on the same demand and seeds. The table has means, and the
change from the existing plan, seed by seed, with the 95 % interval of its mean. Done runs in FOLDER are not run again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from denxanh import networks
from denxanh.experiments.cli.app import app
from denxanh.experiments.results.load import Results, load
from denxanh.networks.calibration.saturation_flow import Interval

STRATEGIES = ("program", "green-wave", "actuated", "max-pressure:interval=20", "predictive")
METRICS = (("delay_s", "s/veh"), ("delay_pcu_s", "s/PCU"), ("delay_person_s", "s/person"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("places", nargs="*", default=[p.name for p in networks.list_places()])
    parser.add_argument("--seeds", default="3")
    parser.add_argument("--budget", default="30", help="CPU seconds of search a place")
    parser.add_argument("--end", default="", help="simulate until this time, s")
    given = parser.parse_args()
    units = " | ".join(f"{unit} | against program, %" for _, unit in METRICS)
    print(f"| place | strategy | {units} | travel time, % | stopped, % |\n|{'---|' * (2 * len(METRICS) + 4)}")
    for place in given.places:
        until = ["--end", given.end] if given.end else []
        target = given.folder / place.replace("/", "--")
        plan = target / "optimize" / "plan.json"
        if not plan.is_file():
            arguments = ["optimize", place, "--budget", given.budget, "--no-trust", "--jobs", "1", *until]
            app([*arguments, "--out", str(target / "optimize")], standalone_mode=False)
        strategies = [*STRATEGIES, f"fixed-time:plan={plan}"]
        arguments = ["compare", place, "--seeds", given.seeds, "--jobs", "1", *until]
        chosen = [part for strategy in strategies for part in ("-c", strategy)]
        app([*arguments, *chosen, "--out", str(target / "compare")], standalone_mode=False)
        for line in rows(place, load(target / "compare")):
            print(line, flush=True)


def rows(place: str, found: Results) -> list[str]:
    """One line of the table a strategy."""
    names = list(dict.fromkeys(map(str, found.runs["controller"])))
    base = found.where(controller=names[0])
    lines = []
    for name in names:
        runs = found.where(controller=name)
        cells = [place, "optimised plan" if name.startswith("fixed-time") else name]
        for metric, _ in METRICS:
            cells += [f"{runs.runs[metric].mean():.1f}", change(runs, base, metric)]
        cells += [change(runs, base, metric) for metric in ("travel_time_s", "stopped_s")]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def change(runs: Results, base: Results, metric: str) -> str:
    """The change of a metric from the base, seed by seed, in per cent."""
    if runs is base or (runs.runs["id"] == base.runs["id"]).all():
        return "–"
    by_seed = dict(zip(base.runs["seed"], base.runs[metric], strict=True))
    pairs = zip(runs.runs["seed"], runs.runs[metric], strict=True)
    value = Interval.of(100 * (v / by_seed[s] - 1) for s, v in pairs)
    return f"{value.mean:+.0f} ± {value.half:.0f}" if value.n > 1 else f"{value.mean:+.0f}"


if __name__ == "__main__":
    main()
