"""The generated networks of the optimizers' table: made by netgenerate with fixed seeds, each with its own
default program, and loaded to a wanted degree of saturation.

The degree of saturation is the critical one of the HCM, X_c = Y · C / (C − L), of the signal that has the
highest, under netgenerate's own program: a pool of trips between the fringes is routed by duarouter, and as
many of its vehicles are kept as bring the largest X_c to the wanted value.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from sim.critical import critical_ratios, flows_of
from sim.demand import movement_flows, read_demand
from sim.netfile import seconds
from sim.network import Network
from sim.scenario import Scenario
from sim.sumo_world import sumo_binary, sumo_environment, sumo_home
from sim.sumonet import load_network, network_of
from sim.webster import lost_time

DEMAND = 1200.0  # s of departures: more than the quarter of an hour that the HCM analyses
END = 1800.0  # s: ten minutes more, in which an undersaturated network clears
POOL = 0.15  # s between the trips of the pool: more than any of the networks can carry
CLOSE = 0.01  # of the degree of saturation


@dataclass(frozen=True)
class Generated:
    """How one network is made; ``options`` are netgenerate's."""

    name: str
    options: str
    saturation: float
    seed: int


_GRID = "--grid --grid.x-number {} --grid.y-number {} --grid.length {} --grid.attach-length 200 -L {}"
_POCKETS = " --turn-lanes 1 --turn-lanes.length 60"
_RANDOM = "--rand --rand.iterations {} --rand.min-distance 150 --rand.max-distance 300 --seed {} -L {}"
_SPIDER = "--spider --spider.arm-number {} --spider.circle-number {} --spider.space-radius 150 -L {}"

NETWORKS = (
    Generated("grid-2x2", _GRID.format(2, 2, 250, 2) + _POCKETS, 0.8, 1),
    Generated("grid-3x3", _GRID.format(3, 3, 200, 2) + _POCKETS, 0.9, 2),
    Generated("grid-4x4", _GRID.format(4, 4, 200, 1), 0.8, 3),
    Generated("grid-5x4", _GRID.format(5, 4, 200, 1) + _POCKETS, 0.7, 4),
    Generated("grid-10x6", _GRID.format(10, 6, 150, 1), 0.6, 5),
    Generated("arterial-6", _GRID.format(6, 1, 300, 2) + " --tls.layout incoming", 0.9, 6),
    Generated("arterial-8", _GRID.format(8, 1, 250, 2) + _POCKETS, 1.0, 7),
    Generated("spider-5x2", _SPIDER.format(5, 2, 1), 0.6, 8),
    Generated("spider-6x3", _SPIDER.format(6, 3, 1), 0.8, 9),
    Generated("random-30", _RANDOM.format(30, 7, 1), 0.7, 10),
    Generated("random-50", _RANDOM.format(50, 11, 1), 0.9, 11),
    Generated("random-80", _RANDOM.format(80, 3, 1), 0.8, 12),
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
    for where in network.intersections.values():
        states = [stage.state for stage in where.program.stages]
        total = float(critical_ratios(where, states, flows_of(where)).sum())
        cycle = where.program.cycle
        found.append(total * cycle / (cycle - lost_time(where.program)))
    return max(found)


def loaded(scenario: Scenario) -> float:
    """The degree of saturation of a scenario whose vehicles depart in its first DEMAND seconds, or all along."""
    span = DEMAND if scenario.end == END else scenario.end - scenario.begin
    return degree_of_saturation(_with_flows(network_of(scenario), scenario, span))


def _with_flows(network: Network, scenario: Scenario, span: float) -> Network:
    from dataclasses import replace

    begin, end = scenario.begin, scenario.begin + span
    demand = read_demand(
        scenario.routes, network, begin, end, net_file=scenario.net, type_files=scenario.additional
    )
    flows = movement_flows(demand, network)
    places = {
        name: replace(
            where,
            movements=tuple(
                replace(m, flow=float(flow)) for m, flow in zip(where.movements, flows[name], strict=True)
            ),
        )
        for name, where in network.intersections.items()
    }
    return replace(network, intersections=places)


def _load(what: Generated, net: Path, routes: Path) -> None:
    """Write the demand that brings the network to the wanted degree of saturation."""
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
    network = load_network(net)

    def saturation(share: float) -> float:
        """Keep ``share`` of the vehicles, write them, and say how loaded the network is then."""
        for vehicle in root.findall("vehicle"):
            root.remove(vehicle)
        root.extend(v for v, x in zip(vehicles, drawn, strict=True) if x < share)
        ElementTree.ElementTree(root).write(routes, encoding="UTF-8", xml_declaration=True)
        scenario = Scenario(what.name, net, (routes,), begin=0.0, end=DEMAND)
        return degree_of_saturation(_with_flows(network, scenario, DEMAND))

    low, high = 0.0, 1.0
    reached = saturation(high)
    if reached < what.saturation:
        raise SystemExit(f"{what.name}: the pool of trips reaches only X = {reached:.2f}")
    while abs(reached - what.saturation) > CLOSE and high - low > 1e-3:  # permitted turns make it not linear
        middle = (low + high) / 2
        reached = saturation(middle)
        low, high = (middle, high) if reached < what.saturation else (low, middle)
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
