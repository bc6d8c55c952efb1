"""What starting costs beside bare SUMO: CPU time of short commands, in interleaved rounds.

    python benchmarks/startup.py [--rounds 5] [--beside PROGRAM]

``run`` is ``denxanh run`` of ten seconds of a generated grid of nine signals under its own plan and ``actuated``;
``check`` is ``denxanh check`` of a generated network of 10 200 edges without signals. Bare SUMO loads the same
files and simulates as many seconds. CPU is user + system time of the process and its children. Every command runs
once before it is measured, and Python keeps its bytecode in a temporary folder, as it does beside an installed
program. ``--beside`` measures another installation of denxanh (the path of its program) in the same rounds. A POSIX
system is needed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

SECONDS = 10


@dataclass(frozen=True)
class Case:
    """One line of the table: what denxanh is asked, and the seconds that bare SUMO simulates."""

    title: str
    command: tuple[str, ...]
    config: Path
    seconds: int


def cpu(command: Sequence[str], folder: Path) -> float:
    """CPU of a command and its children, s."""
    before = os.times()
    environment = {**sumo_environment(), "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    after = os.times()
    return sum(after[2:4]) - sum(before[2:4])


def generated(folder: Path, name: str, options: Sequence[str]) -> Path:
    """Make a grid with netgenerate and a demand of one vehicle; returns the configuration."""
    net = folder / f"{name}.net.xml"
    program = sumo_binary().with_name("netgenerate")
    cpu((str(program), "--grid", *options, "--seed", "1", "-o", str(net)), folder)
    text = net.read_text("utf-8")
    edge = text.partition('priority="')[0].rpartition('<edge id="')[2].partition('"')[0]
    route = f'<routes><vehicle id="one" depart="0"><route edges="{edge}"/></vehicle></routes>\n'
    (folder / f"{name}.rou.xml").write_text(route, encoding="utf-8")
    config = folder / f"{name}.sumocfg"
    config.write_text(
        f'<configuration><input><net-file value="{name}.net.xml"/><route-files value="{name}.rou.xml"/></input>'
        '<time><begin value="0"/><end value="600"/></time></configuration>\n',
        encoding="utf-8",
    )
    return config


def main() -> None:
    """Measure and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--beside", help="the denxanh program of another installation")
    chosen = parser.parse_args()
    program = shutil.which("denxanh", path=str(Path(sys.executable).parent))
    if program is None:
        parser.error("denxanh is not installed beside this Python")
    programs = {"this": program} | ({"beside": chosen.beside} if chosen.beside else {})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        signals = ("--grid.number=3", "--grid.attach-length=200", "-j", "traffic_light")
        small = generated(folder, "small", signals)
        large = generated(folder, "large", ("--grid.number=51", "--grid.length=150", "-j", "priority"))
        end = str(SECONDS)
        nothing = generated(folder, "nothing", ("--grid.number=2", "-j", "priority"))
        cases = [
            Case(f"run, {c}", ("run", str(small), "-c", c, "--end", end, "--out", "OUT"), small, SECONDS)
            for c in ("program", "actuated")
        ]
        cases.append(Case("check, 10 200 edges", ("check", str(large)), large, 1))
        cases.append(Case("check, 16 edges", ("check", str(nothing)), nothing, 1))
        cases.append(Case("list", ("list",), nothing, 1))
        alone: dict[Case, list[float]] = {case: [] for case in cases}
        ours: dict[tuple[Case, str], list[float]] = {(case, one): [] for case in cases for one in programs}
        for number in range(chosen.rounds + 1):
            for case in cases:
                bare = (str(sumo_binary()), "-c", str(case.config), "--end", str(case.seconds))
                spent = cpu(bare, folder)
                if number:
                    alone[case].append(spent)
                for one, path in programs.items():
                    out = str(folder / "out")
                    command = [out if part == "OUT" else part for part in case.command]
                    spent = cpu((path, *command), folder)
                    if number:
                        ours[case, one].append(spent)
                    shutil.rmtree(out, ignore_errors=True)
    print(
        f"| command | bare SUMO, CPU s | {' | '.join(f'{one}: over bare SUMO, CPU s' for one in programs)} |"
    )
    print(f"|---|---|{'---|' * len(programs)}")
    for case in cases:
        over = [
            statistics.median(a - b for a, b in zip(ours[case, one], alone[case], strict=True))
            for one in programs
        ]
        print(
            f"| {case.title} | {statistics.median(alone[case]):.2f} | {' | '.join(f'{x:.2f}' for x in over)} |"
        )


if __name__ == "__main__":
    main()
