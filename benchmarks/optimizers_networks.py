"""The generated networks of the optimizers' table: made by netgenerate with fixed seeds, each with its own
default program, and loaded to a wanted degree of saturation.

The degree of saturation is the critical one of the HCM, X_c = Y · C / (C − L), of the signal that has the
highest, under netgenerate's own program. A pool of trips between the fringes is routed by duarouter, and as many of
its vehicles are kept as bring the largest X_c to between 0.6 and 1.0; the numbers are fixed, so that they do not move
with how capacity is computed.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from denxanh.sim.demand.movement_flows import with_flows
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.netfile import seconds
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment, sumo_home
from denxanh.sim.timing.critical_flow import critical_ratios, flows_of
from denxanh.sim.timing.webster import lost_time

DEMAND = 1200.0  # s of departures: more than the quarter of an hour that the HCM analyses
END = 1800.0  # s: ten minutes more, in which an undersaturated network clears
POOL = 0.15  # s between the trips of the pool: more than any of the networks can carry


@dataclass(frozen=True)
class Generated:
    """How one network is made; ``options`` are netgenerate's."""

    name: str
    options: str
    vehicles: int
    seed: int


_GRID = "--grid --grid.x-number {} --grid.y-number {} --grid.length {} --grid.attach-length 200 -L {}"
_POCKETS = " --turn-lanes 1 --turn-lanes.length 60"
_RANDOM = "--rand --rand.iterations {} --rand.min-distance 150 --rand.max-distance 300 --seed {} -L {}"
_SPIDER = "--spider --spider.arm-number {} --spider.circle-number {} --spider.space-radius 150 -L {}"

NETWORKS = (
    Generated("grid-2x2", _GRID.format(2, 2, 250, 2) + _POCKETS, 1748, 1),
    Generated("grid-3x3", _GRID.format(3, 3, 200, 2) + _POCKETS, 3656, 2),
    Generated("grid-4x4", _GRID.format(4, 4, 200, 1), 2116, 3),
    Generated("grid-5x4", _GRID.format(5, 4, 200, 1) + _POCKETS, 2487, 4),
    Generated("grid-10x6", _GRID.format(10, 6, 150, 1), 3350, 5),
    Generated("arterial-6", _GRID.format(6, 1, 300, 2) + " --tls.layout incoming", 1093, 6),
    Generated("arterial-8", _GRID.format(8, 1, 250, 2) + _POCKETS, 2468, 7),
    Generated("spider-5x2", _SPIDER.format(5, 2, 1), 1180, 8),
    Generated("spider-6x3", _SPIDER.format(6, 3, 1), 1543, 9),
    Generated("random-30", _RANDOM.format(30, 7, 1), 792, 10),
    Generated("random-50", _RANDOM.format(50, 11, 1), 1791, 11),
    Generated("random-80", _RANDOM.format(80, 3, 1), 1262, 12),
)


def generated(what: Generated, folder: Path) -> Scenario:
    """The scenario, its files written into ``folder`` unless they are there."""
    net, routes = folder / f"{what.name}.net.xml", folder / f"{what.name}.rou.xml"
    if not routes.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        program = ["--no-turnarounds", "true", "--tls.guess", "true", "--tls.guess.threshold", "0"]
        _sumo("netgenerate", [*what.options.split(), *program, "-o", net.name], folder)
        _load(what, net, routes)
    return Scenario(what.name, net, (routes,), begin=0.0, end=END)


def routed(scenario: Scenario, folder: Path) -> Path:
    """The demand as vehicles with routes, which is all that SUMO's optimising tools read."""
    out = folder / f"{scenario.name}.routed.rou.xml"
    if not out.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        files = ",".join(str(path.resolve()) for path in scenario.routes)
        more = ["-a", ",".join(str(p.resolve()) for p in scenario.additional)] if scenario.additional else []
        arguments = ["-n", str(scenario.net.resolve()), "-r", files, *more, "-o", out.name]
        times = ["-b", f"{scenario.begin:g}", "-e", f"{scenario.end:g}"]
        _sumo("duarouter", [*arguments, *times, "--ignore-errors", "true", "--named-routes", "false"], folder)
    return out


def degree_of_saturation(network: Network) -> float:
    """The largest critical degree of saturation of all signals; flows must be known."""
    found = [0.0]
    for intersection in network.intersections.values():
        states = [stage.state for stage in intersection.program.stages]
        total = float(critical_ratios(intersection, states, flows_of(intersection)).sum())
        cycle = intersection.program.cycle
        found.append(total * cycle / (cycle - lost_time(intersection.program)))
    return max(found)


def loaded(scenario: Scenario) -> float:
    """The degree of saturation of a scenario whose vehicles depart in its first DEMAND seconds, or all along."""
    busy = replace(scenario, end=DEMAND) if scenario.end == END else scenario
    return degree_of_saturation(with_flows(network_of(scenario), busy))


def _load(what: Generated, net: Path, routes: Path) -> None:
    """Write the demand: so many vehicles of the pool, drawn by the network's seed."""
    folder = net.parent
    trips, pool = folder / f"{what.name}.trips.xml", folder / f"{what.name}.pool.rou.xml"
    tool = [sys.executable, str(sumo_home() / "tools" / "randomTrips.py"), "-n", net.name, "-o", trips.name]
    asked = ["-e", f"{DEMAND:g}", "-p", f"{POOL:g}", "--seed", str(what.seed), "--fringe-factor", "20"]
    better = ["--trip-attributes", 'departLane="best" departSpeed="max"', "--min-distance", "300"]
    _run([*tool, *asked, *better], folder)
    arguments = ["-n", net.name, "-r", trips.name, "-o", pool.name, "--ignore-errors", "true"]
    _sumo("duarouter", [*arguments, "--seed", str(what.seed)], folder)
    root = ElementTree.parse(pool).getroot()
    vehicles = [v for v in root.findall("vehicle") if seconds(v.attrib["depart"], pool.name) < DEMAND]
    drawn = np.random.default_rng(what.seed).random(len(vehicles))
    last = np.sort(drawn)[what.vehicles - 1]
    for vehicle in root.findall("vehicle"):
        root.remove(vehicle)
    root.extend(v for v, x in zip(vehicles, drawn, strict=True) if x <= last)
    draft = routes.with_suffix(".new")
    ElementTree.ElementTree(root).write(draft, encoding="UTF-8", xml_declaration=True)
    draft.replace(routes)
    for path in (trips, pool):
        path.unlink()


def _sumo(program: str, arguments: list[str], folder: Path) -> None:
    _run([str(sumo_binary(program)), *arguments], folder)


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, env=sumo_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed: {done.stderr[-500:]}")
