"""What a plan costs the queue model as batches, signals and vehicles grow, on one thread and on two.

    python benchmarks/model_growth.py [--figure docs/model-growth.svg] [--sumo 12000]

Grids of 4 to 500 signals with 200 vehicles a signal in an hour, and the largest one with fewer; batches of 1 to
256 plans on 16 signals. Costs are CPU times of this process, best of the rounds, one thread and two in turn, so
that a busy machine shows less; what two threads gain is also given on the clock. Bare SUMO runs once in every
city of at most ``--sumo`` vehicles.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from model_cities import grid_net, trips, write_routes
from model_speed import bare_sumo, shifted

from denxanh.sim.model import Model, PlanArrays, build, right_of_way, warmup
from denxanh.sim.model.arrays import Plans, memory
from denxanh.sim.model.kernel import run
from denxanh.sim.network_reader import load_network
from denxanh.sim.sumo.netfile import read_net

GRIDS = {4: (2, 2), 16: (4, 4), 60: (10, 6), 150: (15, 10), 500: (25, 20)}
EACH = 200  # vehicles a signal: busy
FEWER = (1_000, 10_000, 30_000)  # vehicles in the largest city
BATCHES = (1, 4, 16, 64, 256)
BATCH = 16  # plans, for all but the comparison of batches
ENOUGH = 1.5  # CPU seconds for one figure, once there are ROUNDS
ROUNDS = 3
SEED = 1
COLOURS = "#0072b2", "#d55e00"  # Okabe and Ito's blue and vermilion


@dataclass(frozen=True)
class Cost:
    """Of a batch: by one and two threads, CPU s and s on the clock a plan."""

    cpu: tuple[float, float]
    clock: tuple[float, float]

    @property
    def gain(self) -> float:
        """How much sooner two threads are done."""
        return self.clock[0] / self.clock[1]


@dataclass(frozen=True)
class City:
    """What was measured of one city."""

    signals: int
    vehicles: int
    lanes: int
    moves: int  # vehicles that cross a stop line or enter, in one plan
    build: float  # CPU s
    memory: float  # MB of one thread
    plan: float  # kB of one plan's own arrays
    cost: Cost
    unfinished: float  # part of the vehicles
    sumo: float  # CPU s, 0 if it was not asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--sumo", type=int, default=0, metavar="VEHICLES")
    given = parser.parse_args()
    warmup()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        batches = batch_costs(model_of(folder, 16, 16 * EACH)[0])
        print("\n| plans in a batch | ms a plan | plans per core-s | two threads: CPU | clock |")
        print("|---|---|---|---|---|")
        for size, cost in batches.items():
            print(
                f"| {size} | {1e3 * cost.cpu[0]:.2f} | {1 / cost.cpu[0]:.0f} "
                f"| × {cost.cpu[1] / cost.cpu[0]:.2f} | {cost.gain:.2f} × as fast |",
                flush=True,
            )
        print(
            "\n| signals | vehicles | lanes | moves a plan | build s | ms a plan | ns a move | plans per core-s "
            "| two threads: CPU | clock | MB a thread | kB a plan | not arrived | SUMO s | ratio per core |"
        )
        print("|" + "---|" * 15)
        growing = [city(folder, s, s * EACH, given.sumo) for s in GRIDS]
        filling = [city(folder, max(GRIDS), v, given.sumo) for v in FEWER]
    print("\nload " + " ".join(f"{load:.1f}" for load in os.getloadavg()))
    if given.figure:
        draw(batches, growing, [*filling, growing[-1]], given.figure)


def model_of(folder: Path, signals: int, vehicles: int) -> tuple[Model, float]:
    """The model of a city, and the CPU seconds that it took once its net and demand were there."""
    net = grid_net(*GRIDS[signals], folder)
    network = load_network(net)
    demand = trips(network, vehicles, SEED)
    rules = right_of_way(read_net(net))
    start = time.process_time()
    model = build(network, demand, right_of_way=rules)
    return model, time.process_time() - start


def batch_costs(model: Model) -> dict[int, Cost]:
    """Cost by batch size."""
    return {size: cost_of(model, shifted(model, size)) for size in BATCHES}


def cost_of(model: Model, plans: PlanArrays) -> Cost:
    """The least of several rounds, in which one thread and two take turns."""
    model.evaluate(plans, threads=1)
    least = {(threads, kind): np.inf for threads in (1, 2) for kind in ("cpu", "clock")}
    spent, rounds = 0.0, 0
    while rounds < ROUNDS or spent < ENOUGH:
        for threads in (1, 2):
            cpu, clock = time.process_time(), time.perf_counter()
            model.evaluate(plans, threads=threads)
            took = {"cpu": time.process_time() - cpu, "clock": time.perf_counter() - clock}
            spent += took["cpu"]
            for kind, seconds in took.items():
                least[threads, kind] = min(least[threads, kind], seconds / len(plans))
        rounds += 1
    return Cost((least[1, "cpu"], least[2, "cpu"]), (least[1, "clock"], least[2, "clock"]))


def city(folder: Path, signals: int, vehicles: int, sumo: int) -> City:
    """Measure one city and print its row."""
    model, built = model_of(folder, signals, vehicles)
    plans = shifted(model, BATCH)
    moves, held = moves_and_memory(model, plans)
    metrics = model.evaluate(plans)
    took = 0.0
    if vehicles <= sumo:
        net, routes = grid_net(*GRIDS[signals], folder), write_routes(model.demand, folder / "all.rou.xml")
        took = bare_sumo(net, routes, model.begin, model.end)
    found = City(
        signals, vehicles, len(model.lanes), moves, built, held / 1e6,
        (plans.state[0].nbytes + plans.duration[0].nbytes + plans.offset[0].nbytes) / 1e3,
        cost_of(model, plans), float((metrics[:, 5] + metrics[:, 6]).mean()) / vehicles, took,
    )  # fmt: skip
    c = found.cost
    print(
        f"| {signals} | {vehicles} | {found.lanes} | {moves} | {built:.1f} | {1e3 * c.cpu[0]:.2f} "
        f"| {1e9 * c.cpu[0] / moves:.0f} | {1 / c.cpu[0]:.1f} | × {c.cpu[1] / c.cpu[0]:.2f} "
        f"| {c.gain:.2f} × as fast | {found.memory:.2f} | {found.plan:.1f} | {found.unfinished:.0%} "
        + (f"| {took:.1f} | {took / c.cpu[0]:.0f} |" if took else "| | |"),
        flush=True,
    )
    return found


def moves_and_memory(model: Model, plans: PlanArrays) -> tuple[int, int]:
    """Stop lines crossed and vehicles inserted with the first plan, and the bytes of a thread's memory."""
    base, codes = plans.states.codes()
    own = memory(model.static, int(model.constants.horizon), plans.state.shape[1])
    out = np.zeros((1, len(model.demand.types) + 2, 2))
    batch = Plans(plans.state[:1], plans.duration[:1], plans.offset[:1], base, codes)
    begin = np.float32(model.begin)
    run(model.static, model.constants, begin, batch, own, out, False, np.zeros((1, 1, 3), dtype=np.float32))
    crossed = int((own.at - model.static.first_step).sum())
    return crossed + int(out[0, -2, 0]), sum(array.nbytes for array in own)


def draw(batches: dict[int, Cost], growing: list[City], filling: list[City], file: Path) -> None:
    """Cost against vehicles, cost of a move against vehicles, cost against the batch's size."""
    plt.rcParams.update({"font.size": 11, "svg.hashsalt": "model-growth"})
    figure, (whole, move, batch) = plt.subplots(1, 3, figsize=(13, 4.4), layout="constrained")
    for cities, colour, mark, label in (
        (growing, COLOURS[0], "o", f"4–{max(GRIDS)} signals, {EACH} vehicles each"),
        (filling, COLOURS[1], "s", f"{max(GRIDS)} signals"),
    ):
        vehicles = [c.vehicles for c in cities]
        lines = {"color": colour, "marker": mark, "label": label}
        whole.plot(vehicles, [1e3 * c.cost.cpu[0] for c in cities], **lines)
        move.plot(vehicles, [1e9 * c.cost.cpu[0] / c.moves for c in cities], **lines)
    for c in growing:
        whole.annotate(
            f"{c.signals}",
            (c.vehicles, 1e3 * c.cost.cpu[0]),
            (7, -12),
            textcoords="offset points",
            color=COLOURS[0],
        )
    first = growing[0]
    reach = np.array([first.vehicles, growing[-1].vehicles])
    whole.plot(
        reach, 1e3 * first.cost.cpu[0] * reach / first.vehicles, "--", color="0.5", label="proportional"
    )
    for number, colour, mark in ((0, COLOURS[0], "o"), (1, COLOURS[1], "s")):
        batch.plot(
            list(batches),
            [1e3 * c.cpu[number] for c in batches.values()],
            color=colour,
            marker=mark,
            label=("one thread", "two threads")[number],
        )
    finish(whole, "vehicles in an hour", "CPU ms a plan", f"A plan in a batch of {BATCH}", log="xy")
    finish(move, "vehicles in an hour", "CPU ns a vehicle's move", "A move", log="x")
    finish(batch, "plans in a batch", "CPU ms a plan", f"16 signals, {16 * EACH} vehicles", log="x")
    batch.set_xticks(list(batches), [str(size) for size in batches])
    batch.minorticks_off()
    figure.savefig(file, metadata={"Date": None})


def finish(axes: Axes, x: str, y: str, title: str, *, log: str) -> None:
    """Labels, scales and grid; a linear axis starts at zero."""
    axes.set(xlabel=x, ylabel=y, title=title, xscale="log", yscale="log" if "y" in log else "linear")
    if "y" not in log:
        axes.set_ylim(bottom=0)
    axes.grid(True, which="major", color="0.85")
    axes.set_axisbelow(True)
    axes.legend(frameon=False)


if __name__ == "__main__":
    main()
