"""A turn in two steps (``indirect``) has a second signal link within the junction: a vehicle's, no crossing."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from denxanh.controllers.actuated.dual_ring import rings_of
from denxanh.sim.network import Network
from denxanh.sim.network_reader import load_network

SIDES = {"N": (0, 200), "E": (200, 0), "S": (0, -200), "W": (-200, 0)}
LEFT = {"N": "E", "E": "S", "S": "W", "W": "N"}


@dataclass(frozen=True)
class Crossroads:
    """The same crossroads with direct left turns of bicycles and with those in two steps."""

    direct: Network
    path: Path

    @property
    def two_steps(self) -> Network:
        return load_network(self.path)


@pytest.fixture(scope="module")
def crossroads(sumo_tool: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Crossroads:
    folder = tmp_path_factory.mktemp("bicycles")
    nodes = "".join(f'<node id="{n}" x="{x}" y="{y}"/>' for n, (x, y) in SIDES.items())
    nodes += '<node id="C" x="0" y="0" type="traffic_light"/>'
    roads = "".join(
        f'<edge id="{a}{b}" from="{a}" to="{b}" numLanes="2"><lane index="0" allow="bicycle"/></edge>'
        for n in SIDES
        for a, b in ((n, "C"), ("C", n))
    )
    turns = "".join(
        f'<connection from="{n}C" to="C{m}" fromLane="{lane}" toLane="{lane}"'
        f"{' INDIRECT' if lane == 0 and m == LEFT[n] else ''}/>"
        for n in SIDES
        for m in SIDES
        for lane in (0, 1)
        if m != n
    )
    (folder / "x.nod.xml").write_text(f"<nodes>{nodes}</nodes>")
    (folder / "x.edg.xml").write_text(f"<edges>{roads}</edges>")
    for name, value in (("direct", ""), ("two", 'indirect="true"')):
        text = turns.replace("INDIRECT", value)
        (folder / f"{name}.con.xml").write_text(f"<connections>{text}</connections>")
        files = ("-n", "x.nod.xml", "-e", "x.edg.xml", "-x", f"{name}.con.xml", "--no-turnarounds")
        sumo_tool("netconvert", folder / f"{name}.net.xml", *files)
    assert "linkIndex2" in (folder / "two.net.xml").read_text()
    return Crossroads(load_network(folder / "direct.net.xml"), folder / "two.net.xml")


def test_the_second_step_is_no_crossing_and_has_no_foes_of_its_own(crossroads: Crossroads) -> None:
    direct, two = crossroads.direct.intersections["C"], crossroads.two_steps.intersections["C"]
    assert not [link for link in two.links if link.crossing]
    assert not two.crossings
    assert [link.index for link in two.links] == [link.index for link in direct.links]
    assert [approach.lane for approach in two.approaches] == [approach.lane for approach in direct.approaches]
    road = {link.index: link.start for link in two.links}
    more = [(a, b) for a, b in np.argwhere(two.foes & ~direct.foes) if road[a] != road[b]]
    assert not more  # only a lane's own straight stream passes where its left turns wait


def test_rings_are_those_of_direct_turns(crossroads: Crossroads) -> None:
    states = [
        rings_of(network.intersections["C"], network).states
        for network in (crossroads.direct, crossroads.two_steps)
    ]
    assert states[0] == states[1]


def test_a_second_step_with_a_letter_of_its_own_counts_as_a_link_of_the_whole_way(
    crossroads: Crossroads, tmp_path: Path
) -> None:
    lines = crossroads.path.read_text().splitlines()
    row = re.compile(r'<connection from=":C_\d+" to="CS" .*tl="C" linkIndex="(\d+)"')
    ((k, straight),) = ((i, found[1]) for i, line in enumerate(lines) if (found := row.search(line)))
    lines[k] = lines[k].replace(f'linkIndex="{straight}"', 'linkIndex="24"')
    for i, line in enumerate(lines):
        if "<phase " in line:
            lines[i] = re.sub(r'state="(\w+)"', lambda m: f'state="{m[1]}{m[1][int(straight)]}"', line)
    net = tmp_path / "own.net.xml"
    net.write_text("\n".join(lines))
    intersection = load_network(net).intersections["C"]
    (link,) = (link for link in intersection.links if link.index == 24)
    assert (link.start, link.end, link.crossing) == ("EC_0", "CS_0", False)
    (whole,) = (x.index for x in intersection.links if (x.start, x.end) == ("EC_0", "CS_0") and x.index != 24)
    others = np.arange(24) != whole
    assert (intersection.foes[24, :24][others] == intersection.foes[whole, :24][others]).all()
