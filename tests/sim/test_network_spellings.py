"""Networks in the spellings that netconvert accepts: bare SUMO is the judge of links, signal states and departures."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from denxanh.sim.demand.demand_reader import read_demand
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.backend.libsumo_backend import preload
from denxanh.sim.sumo.wheel import sumo_binary, sumo_environment

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="SUMO runs in a fork")

LONGEST = 260  # s that SUMO runs: two usual cycles
ARMS = {"n": (0, 150), "s": (0, -150), "e": (150, 0), "w": (-150, 0)}

permissions = st.sampled_from(
    [
        *["", "", "", "", ""],
        *['allow="passenger"', 'allow="all"', 'disallow="pedestrian"', 'allow="passenger bus  bicycle"'],
        *['allow="bus"', 'disallow="all"', 'disallow="truck trailer"', 'allow="motorcycle passenger"'],
    ]
)
lane_permissions = st.sampled_from(
    ["", "", 'allow="bus"', 'allow="bicycle"', 'disallow="bus"', 'speed="8.5"']
)
speeds = st.sampled_from(
    ["", 'speed="13.89"', 'speed="8.33"', 'speed="1e1"', 'speed=" 11.11"', 'speed="+20"']
)
nodes = st.sampled_from(
    [
        *['type="traffic_light"'] * 4,
        *['type="priority"', 'type="traffic_light_right_on_red"', 'type="traffic_light_unregulated"'],
        *['type="traffic_light" tlLayout="incoming"', 'type="traffic_light" tlLayout="alternateOneWay"'],
        *['type="traffic_light" tlType="static"', 'type="right_before_left"', 'type="allway_stop"'],
        *['type="traffic_light" rightOfWay="edgePriority"', 'type="traffic_light" keepClear="0"'],
    ]
)
options = st.lists(
    st.sampled_from(
        [
            *[
                "--lefthand",
                "--no-turnarounds",
                "--tls.allred.time=2",
                "--tls.yellow.time=4",
                "--tls.cycle.time=70",
            ],
            *["--sidewalks.guess --crossings.guess", "--no-internal-links", "--tls.left-green.time=0"],
            *[
                "--tls.half-offset=c0",
                "--junctions.join --junctions.join-dist=45",
                "--tls.join --tls.join-dist=45",
            ],
            *[
                "--no-left-connections",
                "--tls.crossing-min.time=6",
                "--tls.group-signals",
                "--tls.quarter-offset=c0",
            ],
            *["--rectangular-lane-cut", "--tls.no-mixed", "--walkingareas", "--tls.green.time=11"],
            *[
                "--tls.minor-left.max-speed=30",
                "--check-lane-foes.all",
                "--bikelanes.guess",
                "--tls.red.time=3",
            ],
        ]
    ),
    unique=True,
    max_size=5,
)


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """Nodes, edges and connections of one or two junctions in a street, as plain XML, and netconvert's options."""
    count, apart = draw(st.integers(1, 2)), draw(st.sampled_from([25, 40, 120]))
    joined = draw(st.booleans()) and count == 2
    together = 'tl="J"' if joined else ""
    rows, roads = [], []
    for k in range(count):
        kind = 'type="traffic_light"' if joined else draw(nodes)
        rows.append(f'<node id="c{k}" x="{k * apart}" y="0" {kind} {together}/>')
        for arm, (x, y) in ARMS.items():
            if (arm == "e" and k < count - 1) or (arm == "w" and k > 0):
                continue
            rows.append(f'<node id="{arm}{k}" x="{x + k * apart}" y="{y}"/>')
            ways = draw(st.sampled_from(["both"] * 6 + ["in", "out"]))
            roads += [(f"{arm}{k}", f"c{k}")] * (ways != "out") + [(f"c{k}", f"{arm}{k}")] * (ways != "in")
    if count == 2:
        roads += [("c0", "c1"), ("c1", "c0")]
    lanes = {road: draw(st.integers(1, 3)) for road in roads}
    edges = [_edge(draw, road, lanes[road]) for road in roads]
    connections = [_connection(draw, roads, lanes) for _ in range(draw(st.integers(0, 3)))]
    crossings = []
    if draw(st.integers(0, 3)) == 0:
        arm = next((a for a in ARMS if (f"{a}0", "c0") in roads and ("c0", f"{a}0") in roads), None)
        if arm:
            crossings.append(
                f'<crossing node="c0" edges="{arm}0>c0 c0>{arm}0" priority="1"/>'.replace(">c", "_c")
            )
    return {
        "nod": rows,
        "edg": edges,
        "con": [row for row in connections if row] + [row.replace("c0>", "c0_") for row in crossings],
        "roads": [_id(road) for road in roads],
        "options": " ".join(draw(options)).split(),
    }


def _id(road: tuple[str, str]) -> str:
    return f"{road[0]}_{road[1]}"


def _edge(draw: st.DrawFn, road: tuple[str, str], lanes: int) -> str:
    inner = ""
    if draw(st.integers(0, 4)) == 0:
        inner = f'<lane index="{draw(st.integers(0, lanes - 1))}" {draw(lane_permissions)}/>'
    more = draw(st.sampled_from(["", "", 'sidewalkWidth="2"', 'bikeLaneWidth="1.5"', 'priority="3"']))
    return (
        f'<edge id="{_id(road)}" from="{road[0]}" to="{road[1]}" numLanes="{lanes}" {more} '
        f"{draw(permissions)} {draw(speeds)}>{inner}</edge>"
    )


def _connection(draw: st.DrawFn, roads: list[tuple[str, str]], lanes: Mapping[Any, int]) -> str:
    """A connection of the user's own, one that is removed, or a prohibition."""
    pairs = [(a, b) for a in roads for b in roads if a[1] == b[0] and a[0] != b[1]]
    if not pairs:
        return ""
    first, second = draw(st.sampled_from(pairs))
    ends = f'from="{_id(first)}" to="{_id(second)}"'
    lane, other = draw(st.integers(0, lanes[first] - 1)), draw(st.integers(0, lanes[second] - 1))
    kind = draw(
        st.sampled_from(["own", "own", "delete", "delete lane", "uncontrolled", "pass", "prohibition"])
    )
    if kind == "delete":
        return f"<delete {ends}/>"
    if kind == "delete lane":
        return f'<delete {ends} fromLane="{lane}" toLane="{other}"/>'
    if kind == "prohibition":
        against = draw(st.sampled_from(pairs))
        if against[0][1] != first[1] or against == (first, second):
            return ""
        return (
            f'<prohibition prohibitor="{_id(first)}-&gt;{_id(second)}" '
            f'prohibited="{_id(against[0])}-&gt;{_id(against[1])}"/>'
        )
    more = {"own": "", "uncontrolled": 'uncontrolled="true"', "pass": 'pass="1" keepClear="false"'}[kind]
    return f'<connection {ends} fromLane="{lane}" toLane="{other}" {more}/>'


def convert(folder: Path, parts: Mapping[str, Any]) -> Path | None:
    """The network that netconvert makes of the parts; None if it refuses them."""
    for kind, root in (("nod", "nodes"), ("edg", "edges"), ("con", "connections")):
        text = f"<{root}>{chr(10).join(parts[kind])}</{root}>"
        (folder / f"p.{kind}.xml").write_text(text, encoding="utf-8")
    command = [str(sumo_binary("netconvert")), "-n", "p.nod.xml", "-e", "p.edg.xml", "-x", "p.con.xml"]
    done = subprocess.run(
        [*command, *parts["options"], "-o", "net.net.xml"],
        cwd=folder,
        env=sumo_environment(),
        capture_output=True,
        check=False,
        timeout=120,
    )
    return folder / "net.net.xml" if done.returncode == 0 else None


def judged(net: Path, roads: list[str]) -> dict[str, Any] | None:
    """What bare SUMO has: links by signal, states by second, ways between roads, vehicles. None if it refuses it.

    The trips of the vehicles, one for each way, are then in ``d.rou.xml`` beside the network.
    """
    preload()
    out = net.with_name("sumo.json")
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            silent = os.open(os.devnull, os.O_WRONLY)
            os.dup2(silent, 1)
            os.dup2(silent, 2)
            out.write_text(json.dumps(_simulated(net, roads)), encoding="utf-8")
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    return json.loads(out.read_text("utf-8")) if status == 0 else None


def _simulated(net: Path, roads: list[str]) -> dict[str, Any]:
    import libsumo

    os.environ.update(sumo_environment())
    libsumo.start(["sumo", "-n", str(net), "--no-step-log"])
    pairs = [(a, b) for a in roads for b in roads if a != b and _has_way(a, b)]
    libsumo.close()
    routes = write_trips(net.with_name("d.rou.xml"), pairs)
    libsumo.start(["sumo", "-n", str(net), "-r", str(routes), "--no-step-log"])
    lights = libsumo.trafficlight
    links = {
        tl: [sorted(map(list, rows)) for rows in lights.getControlledLinks(tl)] for tl in lights.getIDList()
    }
    states: dict[str, list[str]] = {tl: [] for tl in links}
    vehicles: set[str] = set()
    for _ in range(LONGEST):
        libsumo.simulationStep()
        vehicles |= {*libsumo.simulation.getDepartedIDList(), *libsumo.simulation.getPendingVehicles()}
        for tl in links:
            states[tl].append(lights.getRedYellowGreenState(tl))
    kinds = {tl: [p.type for p in lights.getAllProgramLogics(tl)] for tl in links}
    libsumo.close()
    found = {"vehicles": sorted(vehicles), "ways": sorted(f"{a}--{b}" for a, b in pairs)}
    return {"links": links, "states": states, "kinds": kinds, **found}


def _has_way(start: str, end: str) -> bool:
    """Whether SUMO finds a car a way; where it may not depart at all that is an error."""
    import libsumo

    try:
        return bool(libsumo.simulation.findRoute(start, end, "DEFAULT_VEHTYPE").edges)
    except libsumo.TraCIException:
        return False


def ways(network: Network, start: str) -> set[str]:
    """The edges that a car reaches from ``start`` over the links of our reader."""
    cars = {name: "passenger" in lane.allow for name, lane in network.lanes.items()}
    onward: dict[str, set[str]] = {}
    for link in network.all_links:
        if cars.get(link.start) and cars.get(link.end):
            onward.setdefault(network.lanes[link.start].edge, set()).add(network.lanes[link.end].edge)
    found, ahead = set(), [start]
    while ahead:
        edge = ahead.pop()
        if edge not in found:
            found.add(edge)
            ahead += onward.get(edge, ())
    return found


def write_trips(path: Path, pairs: list[tuple[str, str]]) -> Path:
    """A trip for each pair of roads."""
    rows = [f'<trip id="{a}--{b}" depart="{k}" from="{a}" to="{b}"/>' for k, (a, b) in enumerate(pairs)]
    path.write_text(f"<routes>{''.join(rows)}</routes>", encoding="utf-8")
    return path


def agrees(folder: Path, parts: Mapping[str, Any]) -> None:
    """Our reader has SUMO's links, states and reachable roads of what netconvert makes of the parts."""
    net = convert(folder, parts)
    assume(net is not None)
    assert net is not None
    text = net.read_text("utf-8")
    roads = [road for road in parts["roads"] if f'id="{road}"' in text]
    sumo, routes = judged(net, roads), folder / "d.rou.xml"
    try:
        network = network_of(Scenario("n", net, (routes,), end=float(LONGEST)))
    except InputError:
        assert sumo is None  # SUMO runs this network
        return
    assert sumo is not None, "SUMO refuses the network"
    assert set(sumo["links"]) == set(network.intersections) | set(network.left_to_sumo)
    for tl, intersection in network.intersections.items():
        ours: list[list[list[str]]] = [[] for _ in range(intersection.n_links)]
        for link in intersection.links:
            ours[link.index].append([link.start, link.end, link.via])
        theirs = [[row[:2] for row in rows] for rows in sumo["links"][tl]]
        assert [sorted(row[:2] for row in rows) for rows in ours] == theirs, tl
        if set(sumo["kinds"][tl]) == {"0"} or set(sumo["kinds"][tl]) == {0}:
            steps = (intersection.program.at(float(t)) for t in range(LONGEST))
            stages = intersection.program.stages
            shown = [
                stages[m.stage].state if m.step == 0 else stages[m.stage].change[m.step - 1].state
                for m in steps
            ]
            assert shown == sumo["states"][tl], tl
    expected = {
        f"{a}--{b}" for a in roads if _cars(network, a) for b in ways(network, a) if b in roads and b != a
    }
    assert set(sumo["ways"]) == expected
    demand = read_demand([routes], network, 0.0, float(LONGEST), net_file=net)
    assert set(demand.id) == set(sumo["vehicles"])


def _cars(network: Network, edge: str) -> bool:
    return any("passenger" in network.lanes[lane].allow for lane in network.edges[edge].lanes)


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(parts=networks())
def test_we_read_a_network_as_sumo_does(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[str, Any]
) -> None:
    agrees(tmp_path_factory.mktemp("n"), parts)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("NETWORKS", "600")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(parts=networks())
def test_we_read_many_networks_as_sumo_does(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[str, Any]
) -> None:
    agrees(tmp_path_factory.mktemp("n"), parts)
