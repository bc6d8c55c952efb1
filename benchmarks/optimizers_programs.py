"""Programs that the optimised plans are compared with: SUMO's actuated logic, SUMO's own tools, Webster's plan."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from denxanh.experiments.optimize.problem.plan_programs import plan_xml
from denxanh.sim.demand.movement_flows import with_flows
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.wheel import sumo_environment, sumo_home
from denxanh.sim.timing.webster import webster_plan

LEAST, MOST = 5.0, 50.0  # s of green of SUMO's actuated programs: what its networks are usually given
HOUR = 3600.0  # s: tlsCycleAdaptation wants an hour of vehicles
ADAPTED = ("", "{own}", "{own} --min-cycle 60", "{own} -u", "{own} -u --min-cycle 60", "{own} -e",
           "{own} -u -H 1.8", "{own} -R --max-cycle 90")  # fmt: skip
"""Options of tlsCycleAdaptation; ``{own}`` are the network's own yellow and a minimum green of 5 s."""
COORDINATED = ("", "--speed-factor 1.0", "--speed-factor 0.6")
"""Options of tlsCoordinator; its default is 0.8 of the limit."""


class Failed(Exception):
    """A tool of SUMO's ended with an error."""


def actuated(scenario: Scenario) -> str:
    """The network's own stages as SUMO's actuated programs."""
    root = Element("additional")
    for name, intersection in sorted(network_of(scenario).intersections.items()):
        own = intersection.program
        logic = ElementTree.SubElement(
            root, "tlLogic", id=name, type="actuated", programID="actuated", offset=f"{own.offset:g}"
        )
        for stage in own.stages:
            limits = {"minDur": f"{min(LEAST, stage.green):g}", "maxDur": f"{max(MOST, stage.green):g}"}
            ElementTree.SubElement(
                logic, "phase", duration=f"{stage.green:g}", state=stage.state, attrib=limits
            )
            for interval in stage.change:
                ElementTree.SubElement(
                    logic, "phase", duration=f"{interval.duration:g}", state=interval.state
                )
    return _text(root)


def webster(scenario: Scenario) -> str:
    """Webster's plan on all stages of the program."""
    network = with_flows(network_of(scenario), scenario)
    return plan_xml(webster_plan(network), network)


def adapted(scenario: Scenario, routes: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """(options, programs) of tlsCycleAdaptation; raises Failed where the tool does."""
    network = network_of(scenario)
    hour, net = _an_hour(scenario, routes, folder), _net(scenario, folder)
    own = f"-y {_yellow(network)} -g {LEAST:g}"
    for options in (text.format(own=own) for text in ADAPTED):
        out = folder / "adapted.add.xml"
        files = ["-n", net, "-r", str(hour.resolve()), "-b", f"{scenario.begin:g}"]
        _tool("tlsCycleAdaptation.py", [*files, *options.split(), "-o", str(out.resolve())], folder)
        yield options or "defaults", _text(_renamed(ElementTree.parse(out).getroot(), network))


def coordinated(
    scenario: Scenario, routes: Path, programs: Path | None, folder: Path
) -> Iterator[tuple[str, str]]:
    """(options, programs) of tlsCoordinator on top of ``programs``, or of the network's own if None."""
    network, net = network_of(scenario), _net(scenario, folder)
    for options in COORDINATED:
        out = folder / "coordinated.add.xml"
        files = ["-n", net, "-r", str(routes.resolve()), *options.split()]
        more = ["-a", str(programs.resolve())] if programs else []
        _tool("tlsCoordinator.py", [*files, *more, "-o", str(out.resolve())], folder)
        offsets = {e.attrib["id"]: e.attrib["offset"] for e in ElementTree.parse(out).getroot()}
        root = ElementTree.parse(programs).getroot() if programs else _own(network)
        for logic in root.findall("tlLogic"):
            logic.set("offset", offsets.get(logic.attrib["id"], logic.get("offset", "0")))
        yield options or "defaults", _text(root)


def _net(scenario: Scenario, folder: Path) -> str:
    """A copy under a plain name: the tools write their arguments into a comment, where XML forbids two hyphens."""
    copy = folder / "place.net.xml"
    copy.write_bytes(scenario.net.read_bytes())
    return str(copy.resolve())


def _own(network: Network) -> Element:
    root = Element("additional")
    for name, intersection in sorted(network.intersections.items()):
        own = intersection.program
        logic = ElementTree.SubElement(
            root, "tlLogic", id=name, type="static", programID="own", offset=f"{own.offset:g}"
        )
        for stage in own.stages:
            ElementTree.SubElement(logic, "phase", duration=f"{stage.green:g}", state=stage.state)
            for interval in stage.change:
                ElementTree.SubElement(
                    logic, "phase", duration=f"{interval.duration:g}", state=interval.state
                )
    return root


def _renamed(root: Element, network: Network) -> Element:
    """The tool repeats every program of a signal; the last one runs. Signals that we do not read are left out."""
    last = {logic.attrib["id"]: logic for logic in root.findall("tlLogic")}
    out = Element("additional")
    out.extend(logic for name, logic in sorted(last.items()) if name in network.intersections)
    return out


def _yellow(network: Network) -> int:
    """The usual yellow of the network, s."""
    seen = [
        interval.duration
        for intersection in network.intersections.values()
        for stage in intersection.program.stages
        for interval in stage.change
        if "y" in interval.state.lower()
    ]
    return round(statistics.mode(seen)) if seen else 3


def _an_hour(scenario: Scenario, routes: Path, folder: Path) -> Path:
    """The vehicles for the tool: demand that is shorter than an hour is repeated until it fills one.

    The tool would stretch it by (1 + missing / 3600), which is too little.
    """
    root = ElementTree.parse(routes).getroot()
    vehicles = root.findall("vehicle")
    departs = [float(v.attrib["depart"]) for v in vehicles]
    span = max(departs) - scenario.begin
    out = folder / "hour.rou.xml"
    if span < 0.9 * HOUR:
        text = [ElementTree.tostring(v, encoding="unicode") for v in vehicles]
        for copy in range(1, int(HOUR // span) + 1):
            for vehicle, depart in zip(map(ElementTree.fromstring, text), departs, strict=True):
                later = depart + copy * span
                if later < scenario.begin + HOUR:
                    vehicle.set("id", f"{vehicle.attrib['id']}#{copy}")
                    vehicle.set("depart", f"{later:.2f}")
                    root.append(vehicle)
    ElementTree.ElementTree(root).write(out, encoding="UTF-8", xml_declaration=True)
    return out


def _tool(name: str, arguments: list[str], folder: Path) -> None:
    command = [sys.executable, str(sumo_home() / "tools" / name), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=sumo_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{name}: {done.stderr.strip().splitlines()[-1]}")


def _text(root: Element) -> str:
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
