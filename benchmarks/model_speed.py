"""How fast the queue model is, next to bare SUMO in the same run.

    python benchmarks/model_speed.py [PLACE…]    lent scenarios, generated places or folders; the lent ones if none

Times are CPU seconds of this process (model) and of the child (SUMO), so that a busy machine shows less.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
from model_places import LENT, RECIPES, folder_of

from denxanh.sim.demand.demand_reader import read_demand
from denxanh.sim.model import PlanArrays, build, encode, right_of_way, warmup
from denxanh.sim.network_reader import load_network
from denxanh.sim.plan import Plan, Timing
from denxanh.sim.sumo.netfile import read_net
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

BATCHES = (1, 16, 256)
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="*", metavar="PLACE", default=list(LENT))
    places = parser.parse_args().places
    print(f"warm-up {warmup():.2f} s")
    print(
        f"{'place':14} {'signals':>7} {'vehicles':>8} {'build s':>7} "
        + " ".join(f"ms/plan B={b}" for b in BATCHES),
        end="",
    )
    print("  plans/core-s  SUMO s  ratio  memory of a plan kB  two threads")
    with tempfile.TemporaryDirectory() as name:
        for place in places:
            measure(folder_of(place, Path(name)) if place in (*LENT, *RECIPES) else Path(place))


def measure(folder: Path) -> None:
    config = next(folder.glob("*.sumocfg")).read_text(encoding="utf-8")
    begin, end = (float(re.findall(rf'<{name} value="([\d.]+)"', config)[0]) for name in ("begin", "end"))
    net_file, routes = next(folder.glob("*.net.xml")), next(folder.glob("*.rou.xml"))
    network = load_network(net_file)
    demand = read_demand([routes], network, begin, end, net_file=net_file)
    start = time.process_time()
    model = build(network, demand, right_of_way=right_of_way(read_net(net_file)))
    took = time.process_time() - start
    cost = {}
    for batch in BATCHES:
        plans = shifted(model, batch)
        model.evaluate(plans, threads=1)
        repeats = max(1, 64 // batch)
        rounds = []
        for _ in range(ROUNDS):
            start = time.process_time()
            for _ in range(repeats):
                model.evaluate(plans, threads=1)
            rounds.append((time.process_time() - start) / repeats / batch)
        cost[batch] = min(rounds)
    many, wall = shifted(model, BATCHES[-1]), {}
    for threads in (1, 2):
        rounds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            model.evaluate(many, threads=threads)
            rounds.append(time.perf_counter() - start)
        wall[threads] = min(rounds)
    sumo = min(bare_sumo(net_file, routes, begin, end) for _ in range(2))
    vehicles, lanes = len(demand), len(model.lanes)
    memory = (16 * vehicles + 60 * lanes + 8 * int(model.static.ring_first[-1]) + 4 * int(end - begin)) / 1000
    print(
        f"{folder.name:14} {len(network.intersections):7d} {vehicles:8d} {took:7.2f} "
        + " ".join(f"{1e3 * cost[b]:11.2f}" for b in BATCHES)
        + f"  {1 / cost[256]:12.0f} {sumo:7.2f} {sumo / cost[256]:6.0f} {memory:8.0f} "
        f"{wall[1] / wall[2]:20.2f} ×"
    )


def shifted(model: object, count: int) -> PlanArrays:
    """Plans that differ in offsets and cycles, so that no two cost the same."""
    network = model.network  # type: ignore[attr-defined]
    rng = np.random.default_rng(0)
    return encode(
        network,
        [
            Plan(
                {
                    name: Timing(w.program.stages, float(rng.integers(0, 90)))
                    for name, w in network.intersections.items()
                }
            )
            for _ in range(count)
        ],
    )


def bare_sumo(net: Path, routes: Path, begin: float, end: float) -> float:
    """CPU seconds of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [
            str(sumo_binary()),
            "-n",
            str(net),
            "-r",
            str(routes),
            "-b",
            str(begin),
            "-e",
            str(end),
            "--no-step-log",
            "--no-warnings",
        ],
        env=sumo_environment(),
        check=True,
        capture_output=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
