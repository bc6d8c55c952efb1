"""What control costs: CPU time of each strategy per simulated second and signal, beside SUMO's own step.

    python benchmarks/controller_cost.py [--signals 1,4,20,100,500] [--only NAME,…] [--seconds 120] [--out FILE]

Generated grids with the Hà Nội mix at 0.6 saturation, two stages a signal. Of each run the first ``--warm`` s
are left out; CPU is counted apart for SUMO's steps and for all else (seeing, deciding, checking, showing). One
process a measurement, one thread; times depend on the machine, ratios less so.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from denxanh.controllers.registry import controllers, make_controller, parse_controller
from denxanh.networks.build import building
from denxanh.networks.build.generators import grid
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.run.preparation import prepare_network
from denxanh.sim.simulation import Simulation
from denxanh.sim.sumo import run_input
from denxanh.sim.sumo.backend.libsumo_backend import open_libsumo
from denxanh.sim.sumo.backend.sumo_world import SumoWorld
from denxanh.sim.supervisor import Supervisor

SHAPES = {1: (1, 1), 4: (2, 2), 20: (5, 4), 100: (10, 10), 500: (25, 20)}
NEEDS_A_FILE = {"conventional", "fixed-time", "time-of-day", "sumo-program"}
BY_SUMO = {"program", "sumo:actuated", "sumo:delay_based", "sumo:NEMA"}


class Timed(SumoWorld):
    """A world that notes the CPU time of its own steps."""

    stepping = 0.0

    def advance(self, steps: int) -> None:
        """Step, and count."""
        before = time.process_time()
        super().advance(steps)
        self.stepping += time.process_time() - before


def measure(config: Path, name: str, seconds: float, warm: float) -> dict[str, Any]:
    """CPU seconds of SUMO's steps and of control in ``seconds`` s after ``warm`` s, in this process."""
    scenario = open_scenario(str(config))
    scenario = replace(scenario, end=scenario.begin + warm + seconds)
    controller = make_controller(*parse_controller(name))
    network = prepare_network(scenario, controller)
    policies = controller.start(network)
    supervisor = Supervisor(network, policies)
    with tempfile.TemporaryDirectory() as folder:
        given = run_input.write_input(scenario, Path(folder), seed=1, signals=[], drop_programs=policies)
        os.chdir(folder)
        world = Timed(open_libsumo(given.arguments), network, scenario.begin, scenario.step)
        simulation = Simulation(world, scenario.end, policies, sees=controller.sees)
        began = (0.0, 0.0)
        measured = False
        for question in simulation:
            if not measured and simulation.now >= scenario.begin + warm:
                measured, began = True, (time.process_time(), world.stepping)
            supervisor.answer(question)
        total, stepping = time.process_time() - began[0], world.stepping - began[1]
        world.close()
        os.chdir("/" if os.name != "nt" else str(config.parent))
    return {
        "strategy": name,
        "signals": len(network.intersections),
        "step_cpu_s": stepping / seconds,
        "control_cpu_s": (total - stepping) / seconds,
        "fallbacks": len(supervisor.events),
    }


def line(row: dict[str, Any]) -> str:
    """A row of the table: per simulated second in ms, per signal in µs, and as a ratio to SUMO's step."""
    control, step = row["control_cpu_s"], row["step_cpu_s"]
    return (
        f"| {row['strategy']} | {row['signals']} | {1e3 * step:.2f} | {1e3 * control:.2f} | "
        f"{1e6 * control / row['signals']:.0f} | {control / step:.2f} | {row['fallbacks']} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signals", default="1,4,20,100,500")
    parser.add_argument("--only", default="")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--warm", type=float, default=180.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    names = [n for n in controllers() if n not in NEEDS_A_FILE | BY_SUMO]
    names = given.only.split(",") if given.only else names
    rows = []
    print(
        "| strategy | signals | SUMO's step, ms/s | control, ms/s | µs/s a signal | control / step | fallbacks |"
    )
    print("|---|---|---|---|---|---|---|")
    with (
        tempfile.TemporaryDirectory() as name,
        ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool,
    ):
        for signals in map(int, given.signals.split(",")):
            folder = Path(name) / str(signals)
            folder.mkdir()
            building.write_place(grid(*SHAPES[signals], saturation=0.6), folder, fidelity="lane")
            config = next(folder.glob("*.sumocfg"))
            for strategy in names:
                rows.append(pool.submit(measure, config, strategy, given.seconds, given.warm).result())
                print(line(rows[-1]), flush=True)
    if given.out:
        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
