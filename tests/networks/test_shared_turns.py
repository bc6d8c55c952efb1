"""Turns from a lane that they share: the side that cars keep to in sublane."""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any
from xml.etree import ElementTree

from denxanh.networks.build import building
from denxanh.networks.traffic import routes_xml
from denxanh.networks.traffic.synthetic_demand import Vehicle
from denxanh.sim.sumo import wheel

NODES = (
    '<nodes><node id="w" x="0" y="0"/><node id="c" x="200" y="0" type="traffic_light"/>'
    '<node id="e" x="400" y="0"/><node id="s" x="200" y="-200"/></nodes>'
)
EDGES = (
    '<edges><edge id="in" from="w" to="c" numLanes="1" width="3.5" speed="13.89"/>'
    '<edge id="on" from="c" to="e" numLanes="1" width="3.5" speed="13.89"/>'
    '<edge id="right" from="c" to="s" numLanes="1" width="3.5" speed="13.89"/></edges>'
)


def test_cars_keep_to_the_side_of_their_turn(tmp_path: Path, sumo_tool: Any) -> None:
    (tmp_path / "a.nod.xml").write_text(NODES, encoding="utf-8")
    (tmp_path / "a.edg.xml").write_text(EDGES, encoding="utf-8")
    sumo_tool("netconvert", tmp_path / "a.net.xml", "-n", "a.nod.xml", "-e", "a.edg.xml")
    demand = [Vehicle(5.0 * k, "car", ("in", "right" if k % 2 else "on")) for k in range(40)]
    (tmp_path / "a.rou.xml").write_text(routes_xml.document(demand, "sublane", "a test"), encoding="utf-8")
    arguments = ["-n", "a.net.xml", "-r", "a.rou.xml", "--end", "220", "--step-length", "0.5", "--seed", "1"]
    arguments += ["--lateral-resolution", building.LATERAL_RESOLUTION]
    arguments += ["--fcd-output", "f.xml", "--fcd-output.attributes", "lane,pos,posLat"]
    wheel.run_program("sumo", arguments, folder=tmp_path, timeout=120)
    side: dict[bool, list[float]] = {True: [], False: []}  # by whether it turns right, m left of the middle
    for vehicle in ElementTree.parse(tmp_path / "f.xml").getroot().iter("vehicle"):
        if vehicle.get("lane") == "in_0" and float(vehicle.get("pos", "0")) > 185:
            number = int(vehicle.get("id", "").rpartition(".")[2])
            side[number % 2 == 1].append(float(vehicle.get("posLat", "nan")))
    assert mean(side[True]) < mean(side[False]) - 0.3
