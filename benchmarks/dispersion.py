"""Platoons on their way: how far they spread in SUMO and in the queue model, as Robertson's α and β.

    python benchmarks/dispersion.py FOLDER [--lengths 200 400 800] [--lanes 1 2] [--seed 1]

A signal lets platoons out (30 s of green in a cycle of 90 s, saturated), which then drive LENGTH metres at 50 km/h
without another signal. Passages of each car at the stop line and at the end of the road, in SUMO from its exit times of
edges, in the queue model from its lanes; α and β by ``denxanh.sim.timing.dispersion.fit_dispersion`` (Robertson 1969,
TRANSYT: α 0.35, β 0.8). "Spread" is the standard deviation of the travel times, s.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from denxanh.networks.scenarios import open_scenario
from denxanh.sim.demand.demand_reader import read_demand
from denxanh.sim.model import ModelWorld, build
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo import wheel
from denxanh.sim.timing.dispersion import fit_dispersion

END = 1800.0  # s
SETTLED = 180.0  # s, passages before are of an empty network
Passages = tuple[NDArray[np.float64], NDArray[np.float64]]  # s, of the same vehicles at both ends

_NODES = """<nodes><node id="W" x="-400" y="0"/><node id="A" x="0" y="0" type="traffic_light"/>
<node id="S" x="0" y="-300"/><node id="N" x="0" y="300"/><node id="B" x="{length}" y="0"/>
<node id="E" x="{far}" y="0"/></nodes>"""
_EDGES = """<edges>{edges}</edges>"""
_EDGE = '<edge id="{id}" from="{start}" to="{end}" numLanes="{lanes}" speed="13.89"/>'
_STREETS = (("WA", "W", "A"), ("AB", "A", "B"), ("BE", "B", "E"), ("SA", "S", "A"), ("AN", "A", "N"))
_TURNS = """<connections>{turns}</connections>"""
_ROUTES = """<routes><flow id="s" begin="0" end="{end}" vehsPerHour="{flow}" departLane="free" departSpeed="max">
<route edges="WA AB BE"/></flow></routes>"""
_PLAN = """<additional><tlLogic id="A" type="static" programID="platoons" offset="0">
<phase duration="30" state="{own}"/><phase duration="3" state="{yellow}"/><phase duration="57" state="{other}"/>
</tlLogic></additional>"""


def street(folder: Path, length: float, lanes: int) -> Path:
    """A street with one signal, and its scenario."""
    folder.mkdir(parents=True, exist_ok=True)
    edges = "".join(_EDGE.format(id=i, start=s, end=e, lanes=lanes) for i, s, e in _STREETS)
    pairs = (("WA", "AB"), ("SA", "AN"), ("AB", "BE"))
    turns = "".join(
        f'<connection from="{start}" to="{end}" fromLane="{k}" toLane="{k}"/>'
        for start, end in pairs
        for k in range(lanes)
    )
    (folder / "s.nod.xml").write_text(_NODES.format(length=length, far=length + 300), encoding="utf-8")
    (folder / "s.edg.xml").write_text(_EDGES.format(edges=edges), encoding="utf-8")
    (folder / "s.con.xml").write_text(_TURNS.format(turns=turns), encoding="utf-8")
    files = ["-n", "s.nod.xml", "-e", "s.edg.xml", "-x", "s.con.xml", "-o", "s.net.xml"]
    wheel.run_program("netconvert", files, folder=folder)
    links = ElementTree.parse(folder / "s.net.xml").getroot().findall("connection[@tl='A']")
    own = "".join("G" if c.get("from") == "WA" else "r" for c in sorted(links, key=_index))
    states = {"own": own, "yellow": own.replace("G", "y"), "other": own.translate(str.maketrans("Gr", "rG"))}
    (folder / "s.add.xml").write_text(_PLAN.format(**states), encoding="utf-8")
    flow = 900 * lanes  # more than 30 s of green in 90 s serve
    (folder / "s.rou.xml").write_text(_ROUTES.format(end=END, flow=flow), encoding="utf-8")
    config = folder / "s.sumocfg"
    config.write_text(
        '<configuration><net-file value="s.net.xml"/><route-files value="s.rou.xml"/>'
        f'<additional-files value="s.add.xml"/><end value="{END:g}"/></configuration>',
        encoding="utf-8",
    )
    return config


def _index(connection: ElementTree.Element) -> int:
    return int(connection.get("linkIndex", "0"))


def in_sumo(config: Path, seed: int) -> Passages:
    """Passages of the vehicles in SUMO."""
    exits = ["--vehroute-output", "exits.xml", "--vehroute-output.exit-times", "--seed", str(seed)]
    wheel.run_program("sumo", ["-c", config.name, *exits, "--no-step-log"], folder=config.parent)
    found = []
    for vehicle in ElementTree.parse(config.parent / "exits.xml").getroot().iter("vehicle"):
        route = vehicle.find("route")
        if route is not None:
            found.append([float(t) for t in route.get("exitTimes", "").split()][:2])
    return _settled(np.array(found))


def in_the_model(scenario: Scenario, lanes: int, seed: int) -> Passages:
    """Passages of the vehicles in the queue model."""
    network = network_of(scenario)
    demand = read_demand(
        scenario.routes, network, 0.0, END, net_file=scenario.net, type_files=scenario.additional
    )
    world = ModelWorld(build(network, demand, seed=seed))
    left: list[dict[str, float]] = [{}, {}]
    before: list[set[str]] = [set(), set()]
    for second in range(1, int(END)):
        world.advance(second)
        for place, edge in enumerate(("WA", "AB")):
            here = set(_vehicles(world, edge, lanes))
            left[place].update(dict.fromkeys(before[place] - here, float(second)))
            before[place] = here
    both = [name for name in left[0] if name in left[1]]
    return _settled(np.array([[left[0][name], left[1][name]] for name in both]))


def _vehicles(world: ModelWorld, edge: str, lanes: int) -> Iterator[str]:
    for k in range(lanes):
        yield from (vehicle.id for vehicle in world.on_lane(f"{edge}_{k}"))


def _settled(passages: NDArray[np.float64]) -> Passages:
    kept = passages[passages[:, 0] >= SETTLED]
    kept = kept[np.argsort(kept[:, 0], kind="stable")]
    return kept[:, 0], kept[:, 1]


def main() -> None:
    """Read the arguments, measure, print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lengths", type=float, nargs="+", default=[200.0, 400.0, 800.0])
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(
        "| lanes | length, m | | vehicles | travel time, s | spread, s | α | β |\n|---|---|---|---|---|---|---|---|"
    )
    for lanes in given.lanes:
        for length in given.lengths:
            config = street(given.folder / f"{lanes}-{length:g}", length, lanes)
            scenario = open_scenario(str(config))
            for name, (start, end) in (
                ("SUMO", in_sumo(config, given.seed)),
                ("queue model", in_the_model(scenario, lanes, given.seed)),
            ):
                found = fit_dispersion(start, end)
                print(
                    f"| {lanes} | {length:g} | {name} | {len(start)} | {np.mean(end - start):.1f} | "
                    f"{np.std(end - start):.1f} | {found.alpha:.2f} | {found.beta:.2f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
