"""Where traffic drives on the left everything is the mirror image of where it drives on the right."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from denxanh.controllers.actuated.dual_ring import Rings, rings_of
from denxanh.controllers.predictive.one_road import one_road_at_a_time
from denxanh.experiments.report.drawing.maps import network_map
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import same
from denxanh.sim.model.build import _waiting
from denxanh.sim.network import Intersection, Network
from denxanh.sim.network_reader import load_network

MIRROR = str.maketrans("lLrRtT", "rRlLTt")
ROADS = {"bottom": "top", "top": "bottom"}  # a mirror image: bottom and top change places
OPTIONS = (
    "--grid", "--grid.number", "1", "--grid.attach-length", "300", "--default.lanenumber", "3",
    "--turn-lanes", "1", "--default-junction-type", "traffic_light", "--tls.left-green.time", "6",
)  # fmt: skip


@dataclass(frozen=True)
class Mirrored:
    """The same crossroads for right-hand and for left-hand traffic, and the mirror image of each link."""

    right: Network
    left: Network
    path: Path
    image: Mapping[int, int]  # link index on the right → on the left

    @property
    def wheres(self) -> tuple[Intersection, Intersection]:
        return self.right.intersections["A0"], self.left.intersections["A0"]

    def reflect(self, state: str) -> str:
        """A state of the right-hand signal as the left-hand one shows it."""
        intersection = self.wheres[1]
        letters = {self.image[k]: letter for k, letter in enumerate(state)}
        return "".join(letters[k] for k in range(intersection.n_links))


def reflected(lane: str) -> str:
    """The lane that a lane becomes in the mirror."""
    for name, other in ROADS.items():
        if name in lane:
            return lane.replace(name, other)
    return lane


@pytest.fixture(scope="module")
def mirrored(sumo_tool: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Mirrored:
    folder = tmp_path_factory.mktemp("sides")
    right = load_network(sumo_tool("netgenerate", folder / "right.net.xml", *OPTIONS))
    path = sumo_tool("netgenerate", folder / "left.net.xml", *OPTIONS, "--lefthand")
    left = load_network(path)
    at = {(x.start, x.end): x.index for x in left.intersections["A0"].links}
    links = right.intersections["A0"].links
    return Mirrored(right, left, path, {x.index: at[reflected(x.start), reflected(x.end)] for x in links})


def test_the_side_of_the_road_is_read(mirrored: Mirrored) -> None:
    assert (mirrored.right.lefthand, mirrored.left.lefthand) == (False, True)
    direction = {x.index: x.direction for x in mirrored.wheres[1].links}
    for link in mirrored.wheres[0].links:
        assert direction[mirrored.image[link.index]] == link.direction.translate(MIRROR)


def same_phases(right: Rings, left: Rings, mirrored: Mirrored) -> bool:
    """Whether the phases of both hold the same links, whatever their numbers: the main street may be the other."""
    images = {frozenset(mirrored.image[k] for k in links) for links in right.links.values()}
    return images == {frozenset(links) for links in left.links.values()}


def test_the_rings_of_left_hand_traffic_are_the_mirror_image(mirrored: Mirrored) -> None:
    right, left = (rings_of(n.intersections["A0"], n) for n in (mirrored.right, mirrored.left))
    assert not right.single
    assert not left.single
    assert len(right.links) == 8  # four of them turns across oncoming traffic
    assert same_phases(right, left, mirrored)
    assert {mirrored.reflect(state) for state in right.states} == set(left.states)


def test_added_phases_are_the_mirror_image(mirrored: Mirrored) -> None:
    """Without protected turns in the program; the near turns of other roads come first in both."""
    states = []
    for network in (mirrored.right, mirrored.left):
        intersection = network.intersections["A0"]
        stages = tuple(stage for stage in intersection.program.stages if "g" in stage.state)
        phases = tuple(phase for phase in intersection.phases if "g" in phase.state)
        alone = replace(intersection, program=replace(intersection.program, stages=stages), phases=phases)
        states.append(one_road_at_a_time(alone, network.near_turns))
    assert states[0]
    assert {mirrored.reflect(state) for state in states[0]} == set(states[1])


def test_who_turns_across_oncoming_traffic_waits_within_the_junction_in_the_model(mirrored: Mirrored) -> None:
    """Where no right of way is known, by the direction alone."""
    waits = []
    for network in (mirrored.right, mirrored.left):
        links = network.intersections["A0"].links
        ahead = _waiting(links, [0] * len(links), None, network.opposed_turns)
        waits.append({link.index for link, metres in zip(links, ahead, strict=True) if metres > 0})
    assert waits[0]
    assert {mirrored.image[k] for k in waits[0]} == waits[1]


@pytest.mark.parametrize(("word", "left"), [("true", True), ("1", True), ("x", True), ("false", False)])
def test_the_attribute_is_read_in_sumos_spellings(
    word: str, left: bool, mirrored: Mirrored, tmp_path: Path
) -> None:
    net = tmp_path / "spelled.net.xml"
    net.write_text(mirrored.path.read_text().replace('lefthand="true"', f'lefthand="{word}"'))
    assert load_network(net).lefthand is left


def test_what_is_no_truth_value_is_refused(mirrored: Mirrored, tmp_path: Path) -> None:
    net = tmp_path / "spelled.net.xml"
    net.write_text(mirrored.path.read_text().replace('lefthand="true"', 'lefthand="maybe"'))
    with pytest.raises(InputError, match="'maybe' is not true or false"):
        load_network(net)


def test_maps_draw_each_direction_on_its_side(mirrored: Mirrored) -> None:
    """The road from the left to the right of the page lies below the other in right-hand traffic."""
    for network, sign in ((mirrored.right, 1), (mirrored.left, -1)):
        drawn = network_map(network, {}, lambda edge: same(edge.id), same("map"))
        first = re.findall(r'd="M[-\d.]+ ([-\d.]+)[^"]*"[^>]*><title>([^<]+)', drawn)
        at = {name: float(y) for y, name in first}
        assert sign * (at["left0A0"] - at["A0left0"]) > 0
