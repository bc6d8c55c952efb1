"""What a run costs beside bare SUMO: CPU time as ratios, in interleaved rounds.

    python benchmarks/overhead.py [--rounds 5] [--end SECONDS] [--data FOLDER]

Bare SUMO is the wheel's own program with the run's own ``sumo_command`` in the run's own folder: the same
traffic, the same outputs. CPU is user + system time of the process and its children, from after our imports to
the published folder; starting the interpreter and importing are reported apart. A POSIX system is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from denxanh.networks.scenarios import open_scenario
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "resco"
RUN = """
import json, os, sys
from pathlib import Path
from denxanh.experiments.runs.forkserver import _import_all
from denxanh.experiments.specification.controllers import make_controller
from denxanh.sim.run.run import Run, execute
from denxanh.sim.scenario import Scenario
_import_all()
scenario = Scenario.from_json(json.loads(sys.argv[1]))
before = os.times()
execute(Run(scenario, 1, sys.argv[3]), make_controller(sys.argv[2], {}), Path(sys.argv[4]))
after = os.times()
print(json.dumps([sum(before[:4]), sum(after[:4]) - sum(before[:4])]))
"""


@dataclass(frozen=True)
class Case:
    """One line of the table."""

    place: str
    controller: str
    backend: str
    goal: float


CASES = tuple(
    Case(place, controller, backend, goal)
    for place in ("grid4x4", "cologne3")
    for controller, backend, goal in (
        ("program", "libsumo", 1.10),
        ("max-pressure", "libsumo", 1.25),
        ("actuated", "libsumo", 1.25),
        ("program", "traci", 5.0),
        ("max-pressure", "traci", 5.0),
        ("actuated", "traci", 5.0),
    )
)


def children() -> float:
    """CPU of all children so far, s."""
    now = os.times()
    return now.children_user + now.children_system


def run(case: Case, scenario: str, folder: Path) -> tuple[float, float]:
    """CPU (s) of start and imports, and of the run after them."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, scenario, case.controller, case.backend, str(folder)],
        capture_output=True,
        text=True,
        env=sumo_environment(),
        check=True,
    )
    imports, own = json.loads(done.stdout.splitlines()[-1])
    return imports, own


def bare(folder: Path) -> float:
    """CPU (s) of bare SUMO repeating the run."""
    command = json.loads((folder / "manifest.json").read_text("utf-8"))["sumo_command"]
    before = children()
    subprocess.run(
        [str(sumo_binary()), *command[1:]],
        cwd=folder,
        env=sumo_environment(),
        check=True,
        capture_output=True,
    )
    return children() - before


def main() -> None:
    """Measure and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--end", type=float, help="seconds simulated; the whole hour if not given")
    parser.add_argument("--data", type=Path, default=DATA)
    chosen = parser.parse_args()
    scenarios = {}
    for place in sorted({case.place for case in CASES}):
        scenario = open_scenario(str(chosen.data / place))
        if chosen.end is not None:
            scenario = open_scenario(str(chosen.data / place), end=scenario.begin + chosen.end)
        scenarios[place] = json.dumps(scenario.to_json())
    own: dict[Case, list[float]] = {case: [] for case in CASES}
    alone: dict[Case, list[float]] = {case: [] for case in CASES}
    imports: list[float] = []
    for _ in range(chosen.rounds):
        for case in CASES:
            with tempfile.TemporaryDirectory() as name:
                spent, after = run(case, scenarios[case.place], Path(name) / "run")
                imports.append(spent)
                own[case].append(after)
                alone[case].append(bare(Path(name) / "run"))
    print("| place | controller | back end | bare SUMO, CPU s | ours, CPU s | ratio | goal |")
    print("|---|---|---|---|---|---|---|")
    for case in CASES:
        ratio = statistics.median(a / b for a, b in zip(own[case], alone[case], strict=True))
        numbers = f"{statistics.median(alone[case]):.2f} | {statistics.median(own[case]):.2f} | {ratio:.2f}"
        verdict = f"{'≤' if ratio <= case.goal else 'missed:'} {case.goal:g}"
        print(f"| {case.place} | {case.controller} | {case.backend} | {numbers} | {verdict} |")
    print(f"\nStart of the interpreter and all imports: {statistics.median(imports):.2f} s of CPU.")


if __name__ == "__main__":
    main()
