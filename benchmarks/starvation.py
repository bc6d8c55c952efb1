"""What the order of a lane and a longest red do to the acyclic strategies: docs/research/starvation.md.

    python benchmarks/starvation.py OUT [--resco FOLDER] [--only NAME…] [--seeds 101,102,103] [--controllers NAME…]
        [--forms before,lane,red,after] [--budget S]

Every strategy is run in four forms: "before" counts whole lanes and has no longest red, as the papers have it;
"lane" counts a lane up to its first vehicle that the phase does not let leave; "red" has the longest red; "after"
has both, which is the default; "1" and "2" have both with a longest red of so many of the plan's. Every run leaves
a JSON in OUT; runs that are there are not run again. The tables are printed at the end.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from xml.etree import ElementTree

from watched import Watched

from denxanh.controllers.registry import make_controller, parse_controller
from denxanh.experiments.specification.controllers import preload
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.controller import Controller, Green, Observation, Policy
from denxanh.sim.run.run import Run, execute
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

ACYCLIC = (
    "max-pressure",
    "max-pressure-position",
    "max-pressure-capacity",
    "max-pressure-switching",
    "longest-queue",
    "max-wave",
    "sotl",
    "rolling-horizon",
)
LANE_ONLY = ("max-pressure-cyclic", "delay-based")  # they show their phases in turn and need no longest red
OTHERS = ("program", "actuated")
CALLED = (
    "actuated",
    "volume-density",
)  # on networks with a dwarf stage: with it ("before") and without ("after")
FORMS = {
    "before": "whole_lane=true,longest_red=0",
    "lane": "longest_red=0",
    "red": "whole_lane=true",
    "after": "",
    "1": "longest_red=1",
    "2": "longest_red=2",
}
SECONDS = 1800.0
RESCO = {"cologne1": 25200.0, "grid4x4": 0.0}  # and where they begin, s
STREET = "ha-noi/pho-hue"


@dataclass(frozen=True)
class Shared:
    """A grid of roads with ``lanes`` lanes, all turns from them. Row 0 is the main street.

    ``main`` veh/h enter at each of its ends, ``side`` at every other end; ``turning`` is the share of the main
    street's vehicles that leave it, half of them to each side.
    """

    columns: int
    rows: int
    lanes: int
    main: float
    side: float
    turning: float
    yielding: bool = False  # whether left turns may also go, yielding, beside the main stage
    # whether a stage of 4 s for one direction follows the stage of both, instead of left turns
    dwarf: bool = False


NETWORKS = {
    "shared-cross": Shared(1, 1, 1, 300.0, 60.0, 0.5),
    "shared-street": Shared(4, 1, 1, 250.0, 60.0, 0.5),
    "shared-grid": Shared(3, 3, 1, 200.0, 50.0, 0.5),
    "shared-two-lanes": Shared(3, 1, 2, 600.0, 100.0, 0.5),
    "dwarf-cross": Shared(1, 1, 2, 900.0, 300.0, 0.2, dwarf=True),
    "dwarf-street": Shared(3, 1, 2, 800.0, 200.0, 0.2, dwarf=True),
    "shared-yielding": Shared(4, 1, 1, 400.0, 60.0, 0.4, yielding=True),
}


class LongestRed(Watched):
    """The longest that a vehicle stood at one red of its link, s."""

    def __init__(self, inner: Controller) -> None:
        super().__init__(inner)
        self.longest: float = 0.0

    def watched(self, policy: Policy) -> Policy:
        """It answers as ``policy`` does, and notes what it sees."""
        since: dict[int, float] = {}  # s, by link: since when a vehicle has stood at its red

        def decide(seen: Observation) -> Green:
            vehicles, phase = seen.vehicles, seen.intersection.phases[seen.phase]
            for link in [k for k in since if phase.serves(k)]:
                self._note(seen.time - seen.elapsed - since.pop(link))
            rows = zip(vehicles.link.tolist(), vehicles.wait.tolist(), strict=True)
            waits: dict[int, float] = {}
            for link, wait in rows:
                waits[link] = max(waits.get(link, 0.0), wait)
            for link, wait in waits.items():
                if link >= 0 and not phase.serves(link) and (wait > 0.0 or link in since):
                    since[link] = min(
                        since.get(link, seen.time), seen.time - min(wait, float(seen.red[link]))
                    )
                    self._note(seen.time - since[link])
            for link in [k for k in since if k not in waits]:
                del since[link]
            return policy(seen)

        return decide

    def _note(self, wait: float) -> None:
        self.longest = max(self.longest, wait)


def run_one(place: str, end: float | None, controller: str, seed: int, out: Path) -> None:
    """One run in this process; its figures go to ``out``."""
    watched = LongestRed(make_controller(*parse_controller(controller)))
    run = Run(open_scenario(place, end=end), seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        metrics = execute(run, watched, Path(folder))["metrics"]  # type: ignore[arg-type]
    found = {name: metrics[f"{name}"] for name in ("teleports", "waiting", "fallbacks")}
    found |= {"delay": metrics["delay_s"], "longest_red": watched.longest}
    part = out.with_suffix(".part")
    part.write_text(json.dumps(found), encoding="utf-8")
    part.replace(out)


def build(name: str, folder: Path) -> Path:
    """The configuration of a generated network, its files written into ``folder`` unless they are there."""
    config, what = folder / f"{name}.sumocfg", NETWORKS[name]
    if config.is_file():
        return config
    folder.mkdir(parents=True, exist_ok=True)
    grid = ("--grid", "--grid.x-number", f"{what.columns}", "--grid.y-number", f"{what.rows}")
    roads = ("--grid.length", "250", "--grid.attach-length", "300", "-L", f"{what.lanes}")
    signals = ("--default-junction-type", "traffic_light", "--no-turnarounds", "--tls.left-green.time", "8")
    subprocess.run(
        [str(sumo_binary("netgenerate")), *grid, *roads, *signals, "-o", f"{name}.net.xml"],
        cwd=folder,
        env=sumo_environment(),
        check=True,
        capture_output=True,
    )
    _write_programs(folder / f"{name}.net.xml", what)
    (folder / f"{name}.rou.xml").write_text("<routes>\n" + "\n".join(_flows(what)) + "\n</routes>\n")
    config.write_text(
        f'<configuration><net-file value="{name}.net.xml"/><route-files value="{name}.rou.xml"/>'
        f'<begin value="0"/><end value="{SECONDS:g}"/></configuration>\n'
    )
    return config


def _write_programs(net: Path, what: Shared) -> None:
    """Give the left turns a stage of their own after the stage that they yield in, or one direction a dwarf stage."""
    tree = ElementTree.parse(net)
    for logic in tree.iter("tlLogic"):
        rows = list(logic)
        for row in rows:
            logic.remove(row)
        for green, yellow in itertools.pairwise([*rows, rows[0]]):
            state = green.get("state", "")
            if "g" not in state:
                continue
            change = yellow.get("state", "")
            if what.dwarf:
                half = len(state) // 2
                main, second = state, state[:half] + "r" * half
                waits, last = state[:half] + change[half:], change[:half] + "r" * half
                seconds = 4
            else:
                main = state if what.yielding else state.replace("g", "r")
                waits = "".join(a if a in "gr" else b for a, b in zip(main, change, strict=True))
                second = "".join("G" if letter == "g" else "r" for letter in state)
                last, seconds = second.replace("G", "y"), 8
            for text, length in ((main, 33), (waits, 3), (second, seconds), (last, 3)):
                ElementTree.SubElement(logic, "phase", duration=f"{length}", state=text)
    tree.write(net)


def _flows(what: Shared) -> list[str]:
    """Flows between the ends: of the main street on along it or off it, of each other end to all ends alike."""
    columns = [chr(ord("A") + i) for i in range(what.columns)]
    last = columns[-1]
    entries = {f"left{j}A{j}": f"A{j}left{j}" for j in range(what.rows)}
    entries |= {f"right{j}{last}{j}": f"{last}{j}right{j}" for j in range(what.rows)}
    entries |= {f"bottom{i}{c}0": f"{c}0bottom{i}" for i, c in enumerate(columns)}
    entries |= {f"top{i}{c}{what.rows - 1}": f"{c}{what.rows - 1}top{i}" for i, c in enumerate(columns)}
    ends = {"left0A0": f"{last}0right0", f"right0{last}0": "A0left0"}
    sides = [
        out
        for out in entries.values()
        if out.startswith(tuple(columns)) and ("top" in out or "bottom" in out)
    ]
    rows = []
    for start, own in entries.items():
        if start in ends:
            shares = {ends[start]: what.main * (1.0 - what.turning)}
            shares |= {end: what.main * what.turning / len(sides) for end in sides}
        else:
            others = [end for end in entries.values() if end != own]
            shares = {end: what.side / len(others) for end in others}
        rows += [
            f'    <flow id="{start}-{end}" from="{start}" to="{end}" begin="0" end="{SECONDS:g}" '
            f'probability="{hourly / 3600.0:.6f}" departLane="best" departSpeed="max"/>'
            for end, hourly in shares.items()
        ]
    return rows


@dataclass(frozen=True)
class Task:
    """One run: network, controller, its form and the seed."""

    network: str
    controller: str
    form: str
    seed: int

    def file(self, out: Path) -> Path:
        """Where its figures stand."""
        return out / f"{self.network.replace('/', '--')}.{self.controller}.{self.form}.{self.seed}.json"


def label(controller: str, form: str) -> str:
    """The controller as ``parse_controller`` reads it."""
    values = [pair for pair in FORMS[form].split(",") if pair]
    if controller in LANE_ONLY:
        values = [pair for pair in values if pair.startswith("whole_lane")]
    if controller in CALLED:
        return controller + (":dominated=true" if form == "before" else "")
    return controller + (":" + ",".join(values) if values and controller not in OTHERS else "")


def tasks(networks: list[str], controllers: list[str], forms: list[str], seeds: list[int]) -> list[Task]:
    """All runs, those of one seed together."""
    return [
        Task(network, controller, form, seed)
        for seed in seeds
        for network in networks
        for controller in controllers
        for form in forms_of(network, controller, forms)
    ]


def forms_of(network: str, controller: str, forms: list[str]) -> list[str]:
    """The forms that differ for a controller on a network."""
    if controller in CALLED and network in NETWORKS and NETWORKS[network].dwarf:
        return [form for form in forms if form in ("before", "after")]
    if controller in (*OTHERS, *CALLED):
        return ["after"]
    return [form for form in forms if controller not in LANE_ONLY or form in ("before", "after")]


def work(everything: list[Task], out: Path, resco: Path | None, budget: float) -> None:
    """Run what is missing, each in a fork, as long as the budget lasts."""
    preload()
    begin = time.monotonic()
    for task in everything:
        if task.file(out).is_file():
            continue
        if time.monotonic() - begin > budget:
            return
        place, end = task.network, None
        if task.network in NETWORKS:
            place = str(build(task.network, (out / "networks").resolve()))
        elif task.network in RESCO:
            if resco is None:
                continue
            place = str((resco / task.network / f"{task.network}.sumocfg").resolve())
            end = RESCO[task.network] + SECONDS
        else:
            end = SECONDS
        if (child := os.fork()) == 0:
            try:
                controller = label(task.controller, task.form)
                run_one(place, end, controller, task.seed, task.file(out).resolve())
            finally:
                sys.stdout.flush()
                os._exit(0)
        os.waitpid(child, 0)


def figures(task: Task, out: Path) -> Mapping[str, float] | None:
    """What a run left, or None."""
    path = task.file(out)
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def table(network: str, controllers: list[str], forms: list[str], seeds: list[int], out: Path) -> list[str]:
    """Delay, teleports and longest red of one network in Markdown, the mean over the seeds."""
    lines = [f"| {network} | " + " | ".join(forms) + " |", "|---|" + "---|" * len(forms)]
    for controller in controllers:
        cells = []
        for form in forms:
            of = form if form in forms_of(network, controller, forms) else ""
            rows = [r for seed in seeds if of and (r := figures(Task(network, controller, of, seed), out))]
            cells.append(cell(rows))
        if any(cell != "" for cell in cells):
            lines.append(f"| `{controller}` | " + " | ".join(cells) + " |")
    return lines


def cell(rows: list[Mapping[str, float]]) -> str:
    """Mean delay, mean teleports and the mean of the longest reds."""
    if not rows:
        return ""
    delay, teleports = mean(r["delay"] for r in rows), mean(r["teleports"] for r in rows)
    wait = mean(r["longest_red"] for r in rows)
    red = f" / {wait:.0f}" if wait > 0 else ""
    fell = " *fell back*" if any(r["fallbacks"] for r in rows) else ""
    return f"{delay:.1f} / {teleports:.1f}{red}{fell}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    networks = [*NETWORKS, *RESCO, STREET]
    parser.add_argument("out", type=Path, nargs="?", default=Path("starvation-out"))
    parser.add_argument("--resco", type=Path, help="folder with the RESCO scenarios")
    parser.add_argument("--only", nargs="*", default=networks, help="names of networks")
    parser.add_argument("--seeds", default="101,102,103")
    parser.add_argument("--controllers", nargs="*", default=[*OTHERS, *ACYCLIC, *LANE_ONLY])
    parser.add_argument("--forms", default="before,after")
    parser.add_argument("--budget", type=float, default=float("inf"), help="s after which no run is started")
    given = parser.parse_args()
    seeds, forms = [int(seed) for seed in given.seeds.split(",")], given.forms.split(",")
    given.out.mkdir(parents=True, exist_ok=True)
    work(tasks(given.only, given.controllers, forms, seeds), given.out, given.resco, given.budget)
    for network in given.only:
        print("\n".join(table(network, given.controllers, forms, seeds, given.out)) + "\n")


if __name__ == "__main__":
    main()
