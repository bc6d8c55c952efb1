"""``predictive`` on the RESCO scenarios, on generated networks and at Hà Nội, beside other strategies.

    python benchmarks/predictive.py OUT [--resco FOLDER] [--only NAME…] [--seeds 201,202] [--network-seeds 101]
        [--budget S] [--write FILE]

Every run is a process of its own and leaves a JSON in OUT; runs that are there are not run again, and several of these
commands may work on one OUT. ``--seeds`` are those of the RESCO scenarios, ``--network-seeds`` those of the rest.
``--budget`` starts no further run after so many seconds. ``--write`` puts the tables
between the marks of a page (docs/predictive.md). All changes take 3 s of yellow (``uniform_change``); the lines marked
"own" keep the change intervals of the network.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
from watched import Watched

from denxanh.controllers.registry import make_controller, parse_controller
from denxanh.networks.build.building import write_place
from denxanh.networks.build.generators import arterial, grid
from denxanh.networks.place.place import Place
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.controller import Controller, Green, Observation, Policy
from denxanh.sim.run.run import Run, execute
from denxanh.sim.sensing import Camera, Ideal, Loops, Sensing
from denxanh.sim.signals.rules import Rules

RESCO = ("grid4x4", "arterial4x4", "cologne1", "cologne3", "ingolstadt1")
GOALS = {"grid4x4": 17.0, "arterial4x4": 680.0, "cologne1": 13.5, "cologne3": 14.5, "ingolstadt1": 10.5}
STREETS = ("ha-noi/pho-hue",)
RIVALS = ("predictive", "max-pressure", "actuated", "max-wave")
HALF_AN_HOUR = 1800.0  # s of the generated networks: queues are in balance by then, or grow
KNOWN, SHARES = "predictive", "predictive:movements=shares"
CASES = (  # what a line of the first table says, its controller, its sensing, whether the changes take 3 s
    ("known", KNOWN, "ideal", True),
    ("shares", SHARES, "ideal", True),
    ("known, own changes", KNOWN, "ideal", False),
    ("shares, loops", SHARES, "loops", True),
    ("shares, camera", SHARES, "camera", True),
)
SENSINGS: Mapping[str, Sensing] = {"ideal": Ideal(), "loops": Loops(), "camera": Camera()}
YELLOW = 3.0  # s
HALTED = 0.1  # m/s
BEGIN, END = "<!-- predictive: begin -->", "<!-- predictive: end -->"


def generated() -> Mapping[str, Place]:
    """Ten networks of 4 to 60 signals, below and near capacity."""
    places = [
        grid(2, 2, saturation=0.6, seed=11),
        grid(3, 2, saturation=0.8, seed=12),
        grid(3, 3, saturation=0.7, oneway=True, seed=13),
        grid(4, 4, saturation=0.7, seed=14),
        grid(5, 5, saturation=0.7, lanes=1, seed=15),
        grid(6, 6, saturation=0.6, oneway=True, seed=16),
        grid(10, 6, saturation=0.6, seed=17),
        arterial(4, saturation=0.7, seed=18),
        arterial(8, saturation=0.85, seed=19),
        arterial(12, saturation=0.7, seed=20),
    ]
    return {place.name.removeprefix("generated/"): place for place in places}


class WaitsAndTime(Watched):
    """What a run shows beside its metrics: the longest wait at a red light, and the CPU time of the decisions."""

    def __init__(self, inner: Controller) -> None:
        super().__init__(inner)
        self.waits: float = 0.0  # s from a vehicle's first halt, while its link is red
        self.cpu: float = 0.0  # s
        self.asked: int = 0

    def watched(self, policy: Policy) -> Policy:
        """It answers as ``policy`` does, and notes what it sees."""
        halted: dict[str, float] = {}

        def decide(seen: Observation) -> Green:
            nonlocal halted
            vehicles, phase = seen.vehicles, seen.intersection.phases[seen.phase]
            rows = zip(vehicles.id, vehicles.link, vehicles.speed, strict=True)
            now: dict[str, float] = {}
            for name, link, speed in rows:
                if name in halted or speed < HALTED:
                    now[name] = halted.get(name, seen.time)
                    if link >= 0 and not phase.serves(int(link)):
                        self.waits = max(self.waits, seen.time - now[name])
            halted = now
            begin = time.process_time()
            answer = policy(seen)
            if self.asked > 100:  # the first ones compile
                self.cpu += time.process_time() - begin
            self.asked += 1
            return answer

        return decide


def run_one(
    place: str, seconds: float | None, controller: str, sensing: str, uniform: bool, seed: int, out: Path
) -> None:
    """One run in this process, of the whole scenario or its first ``seconds``; its figures go to ``out``."""
    scenario = open_scenario(place, end=seconds)
    watched = WaitsAndTime(make_controller(*parse_controller(controller)))
    rules = Rules(uniform_change=YELLOW) if uniform else Rules()
    run = Run(scenario, seed=seed, rules=rules, sensing=SENSINGS[sensing])
    with tempfile.TemporaryDirectory() as folder:
        manifest = execute(run, watched, Path(folder))  # type: ignore[arg-type]
    metrics = manifest["metrics"]
    figures = {
        "delay": metrics["delay_s"],
        "teleports": metrics["teleports"],
        "waiting": metrics["waiting"],
        "fallbacks": metrics["fallbacks"],
        "longest_red_wait": watched.waits,
        "cpu_per_decision": watched.cpu / max(watched.asked - 100, 1),
    }
    part = out.with_suffix(".part")
    part.write_text(json.dumps(figures), encoding="utf-8")
    part.replace(out)


@dataclass(frozen=True)
class Task:
    """One run: where, who, with which sensing, whether every change takes YELLOW, seed."""

    name: str
    controller: str
    sensing: str
    uniform: bool
    seed: int

    def file(self, out: Path) -> Path:
        """Where its figures stand."""
        what = self.controller.replace(":", "-").replace("=", "-")
        change = "uniform" if self.uniform else "own"
        return out / f"{self.name.replace('/', '--')}.{what}.{self.sensing}.{change}.{self.seed}.json"


def tasks(resco: bool, seeds: list[int], network_seeds: list[int]) -> list[Task]:
    """All runs of the two tables, the first ones those of the goal."""
    named = RESCO if resco else ()
    first = [
        Task(name, controller, sensing, uniform, seed)
        for _, controller, sensing, uniform in CASES
        for name in named
        for seed in seeds
    ]
    return first + [
        Task(name, controller, "ideal", True, seed)
        for name in (*STREETS, *generated())
        for seed in network_seeds
        for controller in RIVALS
    ]


def place_of(name: str, out: Path, resco: Path | None) -> str:
    """What ``open_scenario`` takes for the name; a generated network is built on first use."""
    if name in RESCO and resco is not None:
        return str((resco / name / f"{name}.sumocfg").resolve())
    if name in STREETS:
        return name
    folder = (out / "networks" / name).resolve()
    if not (folder / "place.sumocfg").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_place(generated()[name], folder, fidelity="lane")
    return str(folder / "place.sumocfg")


def work(given: argparse.Namespace, everything: list[Task]) -> None:
    """Run what is missing, each in a process of its own, as long as the budget lasts."""
    begin = time.monotonic()
    for task in everything:
        out = task.file(given.out)
        claim = out.with_suffix(".claim")
        if out.is_file() or (claim.is_file() and time.time() - claim.stat().st_mtime < given.stale):
            continue
        if time.monotonic() - begin > given.budget:
            return
        claim.touch()
        place = place_of(task.name, given.out, given.resco)
        seconds = HALF_AN_HOUR if task.name in generated() else None
        arguments = (
            place,
            seconds,
            task.controller,
            task.sensing,
            task.uniform,
            task.seed,
            str(out.resolve()),
        )
        done = subprocess.run(
            [sys.executable, __file__, "--one", json.dumps(arguments)],
            check=False,
            capture_output=True,
            text=True,
        )
        claim.unlink(missing_ok=True)
        print(task, "" if done.returncode == 0 else done.stderr[-2000:], flush=True)


def figures(task: Task, out: Path) -> dict[str, float] | None:
    """What a run left, or None."""
    path = task.file(out)
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def found(task: Task, seeds: list[int], out: Path) -> list[dict[str, float]]:
    """The figures of a task for all seeds that were run."""
    each = (
        figures(Task(task.name, task.controller, task.sensing, task.uniform, seed), out) for seed in seeds
    )
    return [row for row in each if row is not None]


def tables(seeds: list[int], network_seeds: list[int], out: Path, resco: bool) -> list[str]:
    """Both tables in Markdown."""
    lines = []
    if resco:
        lines += [
            f"Delay, s/veh, mean ± standard deviation over the seeds {', '.join(map(str, seeds))} that were run",
            "(in brackets how many, where not all); *t* teleports, *w* the longest wait at red, s.",
            "",
            "| | " + " | ".join(RESCO) + " |",
            "|---|" + "---|" * len(RESCO),
            "| goal | " + " | ".join(f"{GOALS[name]:g}" for name in RESCO) + " |",
        ]
        for label, controller, sensing, uniform in CASES:
            cells = []
            for name in RESCO:
                rows = found(Task(name, controller, sensing, uniform, 0), seeds, out)
                cells.append(cell(rows, len(seeds)))
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
        lines.append("")
    lines += [
        "Delay, s/veh, paired seeds, an hour of Phố Huế and half an hour of the generated networks; **bold**: the",
        "best, and those whose difference from it is within the 95 % interval of its mean (t distribution).",
        "",
        "| network | " + " | ".join(RIVALS) + " |",
        "|---|" + "---|" * len(RIVALS),
    ]
    for name in (*STREETS, *generated()):
        measured = {
            rival: {
                seed: row["delay"]
                for seed in network_seeds
                if (row := figures(Task(name, rival, "ideal", True, seed), out)) is not None
            }
            for rival in RIVALS
        }
        common = sorted(set.intersection(*(set(row) for row in measured.values())))
        if common:
            delays = {rival: np.array([row[seed] for seed in common]) for rival, row in measured.items()}
            top = group_of_the_best(delays)
            cells = [f"**{d.mean():.1f}**" if r in top else f"{d.mean():.1f}" for r, d in delays.items()]
            lines.append(f"| {name} ({len(common)} seeds) | " + " | ".join(cells) + " |")
    costs = [
        row["cpu_per_decision"]
        for task in tasks(resco, seeds, network_seeds)
        if task.controller.startswith("predictive") and (row := figures(task, out)) is not None
    ]
    if costs:
        lines += [
            "",
            f"CPU of a decision: {1e3 * mean(costs):.2f} ms in the mean of the runs, {1e3 * max(costs):.2f} ms in the",
        ]
        lines += [
            f"dearest run, so {20e3 * max(costs):.0f} ms a simulated second for 20 signals asked every second."
        ]
    return lines


def cell(rows: list[dict[str, float]], wanted: int) -> str:
    """Mean and spread of the delay with teleports and the longest wait."""
    if not rows:
        return "–"
    delay = [row["delay"] for row in rows]
    spread = f" ± {stdev(delay):.1f}" if len(rows) > 1 else ""
    some = f" ({len(rows)})" if len(rows) < wanted else ""
    teleports = sum(int(row["teleports"]) for row in rows)
    wait = max(row["longest_red_wait"] for row in rows)
    return f"{mean(delay):.1f}{spread}{some} *t*{teleports} *w*{wait:.0f}"


def group_of_the_best(delays: Mapping[str, Any]) -> set[str]:
    """The best by its mean, and who cannot be told from it by paired differences."""
    from scipy.stats import t

    best = min(delays, key=lambda name: float(delays[name].mean()))
    out = {best}
    for name, values in delays.items():
        difference = values - delays[best]
        n = len(difference)
        if name != best and n > 1:
            half = float(t.ppf(0.975, n - 1)) * float(difference.std(ddof=1)) / n**0.5
            if float(difference.mean()) - half <= 0.0:
                out.add(name)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, nargs="?", default=Path("predictive-out"))
    parser.add_argument("--resco", type=Path, help="folder with the RESCO scenarios")
    parser.add_argument("--only", nargs="*", help="names of networks")
    parser.add_argument("--seeds", default="201,202,203,204,205")
    parser.add_argument("--network-seeds", default="101,102,103")
    parser.add_argument("--budget", type=float, default=float("inf"), help="s after which no run is started")
    parser.add_argument("--stale", type=float, default=900.0, help="s after which a claimed run is run again")
    parser.add_argument("--write", type=Path, help="page to put the tables in")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        *arguments, target = json.loads(given.one)
        run_one(*arguments, Path(target))
        return
    seeds, network_seeds = (
        [int(seed) for seed in text.split(",")] for text in (given.seeds, given.network_seeds)
    )
    given.out.mkdir(parents=True, exist_ok=True)
    everything = tasks(given.resco is not None, seeds, network_seeds)
    work(given, [t for t in everything if not given.only or t.name in given.only])
    lines = tables(seeds, network_seeds, given.out, given.resco is not None)
    print("\n".join(lines))
    if given.write:
        before, _, rest = given.write.read_text("utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        given.write.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
