"""OpenStreetMap outside Vietnam: the side of the road as the map shows it, miles per hour, nobody's law unasked."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from math import cos, radians
from pathlib import Path

import pytest

from denxanh.networks.importing.import_report import ImportNotes
from denxanh.networks.importing.osm import clean, import_osm, motorbikes
from denxanh.networks.importing.osm.country import in_vietnam
from denxanh.networks.importing.osm.extract import Extract, Way, read
from denxanh.networks.importing.osm.side import side_of
from denxanh.networks.importing.permissions import allows
from denxanh.networks.importing.starting_demand import Demand
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import load_network

TOWN = Path(__file__).with_name("small_town.osm")
DEMAND = Demand(0.3, 600, 1, check=False)
LONDON, HA_NOI, PHNOM_PENH = (51.5, -0.12), (21.0, 105.8), (11.56, 104.92)
METRE = 1 / 111_320  # degrees of latitude
Point = tuple[float, float]  # m east and north
Street = tuple[Sequence[Point], Mapping[str, str]]

CLOCKWISE: list[Point] = [(380, 0), (400, 20), (420, 0), (400, -20), (380, 0)]
CROSSROADS: list[Street] = [
    ([(-400, 0), (0, 0)], {"highway": "primary", "lanes": "4", "maxspeed": "30 mph", "name": "High Road"}),
    ([(0, 0), (380, 0)], {"highway": "primary", "lanes": "4", "maxspeed": "30mph", "name": "High Road"}),
    ([(0, 400), (0, 0)], {"highway": "secondary", "lanes": "2", "maxspeed": "20 mph", "name": "Mill Lane"}),
    ([(0, 0), (0, -400)], {"highway": "secondary", "lanes": "2", "maxspeed": "64 km/h", "name": "Mill Lane"}),
    (CLOCKWISE, {"highway": "primary", "junction": "roundabout", "lanes": "2", "maxspeed": "30 mph"}),
    ([(420, 0), (800, 0)], {"highway": "primary", "lanes": "2", "maxspeed": "60 mph", "name": "East Road"}),
    ([(400, 20), (400, 400)], {"highway": "tertiary", "name": "Hill Street"}),
]


def extract_of(
    streets: Sequence[Street], place: Point = LONDON, sides: Sequence[tuple[str, str]] = ()
) -> Extract:
    """Streets around ``place`` (lat, lon); the same point is the same node."""
    nodes: dict[str, tuple[str, str, str]] = {}
    ids: dict[Point, str] = {}
    ways = []
    for number, (points, tags) in enumerate(streets, start=1):
        for x, y in points:
            if (x, y) not in ids:
                ids[x, y] = str(len(ids) + 1)
                signal = "traffic_signals" if (x, y) == (0, 0) else ""
                lon = place[1] + x * METRE / cos(radians(place[0]))
                nodes[ids[x, y]] = (f"{place[0] + y * METRE:.7f}", f"{lon:.7f}", signal)
        ways.append(Way(str(number), tuple(ids[point] for point in points), dict(tags)))
    return Extract(nodes, ways, [], list(sides))


def file_of(extract: Extract, path: Path, more: str = "") -> Path:
    """The extract as a file, with all its tags."""
    lines = ['<osm version="0.6">']
    for id, (lat, lon, highway) in extract.nodes.items():
        tag = f'<tag k="highway" v="{highway}"/>' if highway else ""
        lines.append(f'<node id="{id}" lat="{lat}" lon="{lon}">{tag}</node>')
    for way in extract.ways:
        inner = "".join(f'<nd ref="{n}"/>' for n in way.nodes)
        inner += "".join(f'<tag k="{k}" v="{v}"/>' for k, v in way.tags.items())
        lines.append(f'<way id="{way.id}">{inner}</way>')
    path.write_text("\n".join([*lines, more, "</osm>"]), encoding="utf-8")
    return path


def mirrored(streets: Sequence[Street]) -> list[Street]:
    return [([(x, -y) for x, y in points], tags) for points, tags in streets]


RING = {"highway": "primary", "junction": "roundabout"}
DIVIDED: list[Street] = [  # the eastbound carriageway lies north of the other
    ([(0, 10), (300, 10), (600, 12)], {"highway": "primary", "name": "A", "oneway": "yes"}),
    ([(600, 0), (250, 0), (0, 0)], {"highway": "primary", "name": "A", "oneway": "yes"}),
]
SHOWN: dict[str, list[Street]] = {
    "a roundabout": [(CLOCKWISE, RING)],
    "a roundabout drawn in parts": [(CLOCKWISE[:3], RING), (CLOCKWISE[2:], RING)],
    "a roundabout drawn the other way": [(CLOCKWISE[::-1], {**RING, "oneway": "-1"})],
    "two carriageways": DIVIDED,
    "two carriageways, one drawn the other way": [
        DIVIDED[0],
        (DIVIDED[1][0][::-1], {**DIVIDED[1][1], "oneway": "-1"}),
    ],
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_map_shows_on_which_side_traffic_drives(name: str) -> None:
    assert side_of(extract_of(SHOWN[name])).lefthand is True
    assert side_of(extract_of(mirrored(SHOWN[name]))).lefthand is False


def test_streets_that_say_nothing_or_contradict_each_other_show_no_side() -> None:
    two_way = [street for street in CROSSROADS if "junction" not in street[1]]
    assert side_of(extract_of(two_way)).lefthand is None
    both = [(CLOCKWISE, RING), ([(x + 900, -y) for x, y in CLOCKWISE], RING)]
    assert side_of(extract_of(both)).lefthand is None
    other_name = [DIVIDED[0], (DIVIDED[1][0], {**DIVIDED[1][1], "name": "B"})]
    assert side_of(extract_of(other_name)).lefthand is None


def test_a_tag_for_the_side_outweighs_shapes() -> None:
    assert side_of(extract_of([(CLOCKWISE, RING)], sides=[("driving_side", "right")])).lefthand is False
    tagged = [(CLOCKWISE, RING), ([(0, 0), (99, 0)], {"highway": "primary", "driving_side": "right"})]
    assert side_of(extract_of(tagged)).lefthand is False


@pytest.mark.parametrize(
    ("more", "left"),
    [
        ('<relation id="1"><tag k="boundary" v="administrative"/><tag k="driving_side" v="left"/></relation>', True),
        (
            '<node id="99" lat="0" lon="0"><tag k="highway" v="mini_roundabout"/>'
            '<tag k="direction" v="clockwise"/></node>',
            True,
        ),
        (
            '<node id="99" lat="0" lon="0"><tag k="highway" v="mini_roundabout"/>'
            '<tag k="direction" v="anticlockwise"/></node>',
            False,
        ),
    ],
)  # fmt: skip
def test_tags_of_nodes_and_boundaries_are_read(more: str, left: bool, tmp_path: Path) -> None:
    path = file_of(extract_of(CROSSROADS[:2]), tmp_path / "a.osm", more)
    assert side_of(read(path, ImportNotes())).lefthand is left


@pytest.fixture
def london(tmp_path: Path) -> Path:
    return file_of(extract_of(CROSSROADS), tmp_path / "london.osm")


def speeds(net: Path, street: str) -> set[str]:
    root = ET.parse(net).getroot()
    lanes = [lane for e in root.iterfind("edge") if e.get("name") == street for lane in e.iterfind("lane")]
    return {lane.get("speed", "") for lane in lanes}


def test_a_british_extract_becomes_a_left_hand_network_with_its_own_speeds(
    london: Path, tmp_path: Path
) -> None:
    report = import_osm(london, tmp_path / "out", name="x", demand=DEMAND)
    net = tmp_path / "out" / "net.net.xml"
    assert load_network(net).lefthand
    assert speeds(net, "High Road") == {"13.41"}  # 30 mph
    assert speeds(net, "East Road") == {"26.82"}  # 60 mph
    assert speeds(net, "Mill Lane") == {"8.94", "17.78"}  # 20 mph, 64 km/h
    said = (tmp_path / "out" / "about.md").read_text("utf-8")
    assert "left-hand traffic: 1" in said
    assert "lanes of a tertiary street without the tag: netconvert's default: 1" in said
    assert "speed of a tertiary street without the tag: netconvert's default: 1" in said
    assert "do not lie in Vietnam" in said
    assert "Circular" not in said
    assert "motorbike" not in report.demand.en
    kinds = {v.get("type") for v in ET.parse(tmp_path / "out" / "demand.rou.xml").iter("vehicle")}
    assert kinds == {"car"}


def test_what_is_asked_for_goes_before_what_the_map_shows(london: Path, tmp_path: Path) -> None:
    report = import_osm(london, tmp_path / "out", name="x", demand=DEMAND, lefthand=False, vietnam=True)
    net = tmp_path / "out" / "net.net.xml"
    assert not load_network(net).lefthand
    assert speeds(net, "Hill Street") == {"13.89"}  # Circular 31/2019/TT-BGTVT
    said = " ".join(f.en for f in report.notes.findings)
    assert "taken to drive on the right; what the map shows" in said
    assert "Vietnamese law and practice, as asked for" in said


def test_a_side_that_nothing_shows_is_assumed_in_so_many_words(tmp_path: Path) -> None:
    path = file_of(extract_of(CROSSROADS[:4]), tmp_path / "a.osm")
    report = import_osm(path, tmp_path / "out", name="x", demand=DEMAND)
    assert not load_network(tmp_path / "out" / "net.net.xml").lefthand
    assert any("the right is assumed; --left-hand changes it" in f.en for f in report.notes.findings)
    import_osm(path, tmp_path / "left", name="x", demand=DEMAND, lefthand=True)
    assert load_network(tmp_path / "left" / "net.net.xml").lefthand


def test_only_streets_in_vietnam_get_its_defaults() -> None:
    assert in_vietnam(read(TOWN, ImportNotes()))
    named = [([(0, 0), (99, 0)], {"highway": "primary", "name": name}) for name in ("Phố Huế", "Đường Láng")]
    assert in_vietnam(extract_of(named, HA_NOI))
    assert not in_vietnam(extract_of(named, LONDON))
    nameless = [([(0, 0), (99, 0)], {"highway": "primary"})]
    assert in_vietnam(extract_of(nameless, HA_NOI))
    khmer = [([(0, 0), (99, 0)], {"highway": "primary", "name": name}) for name in ("មហាវិថី", "Street 271")]
    assert not in_vietnam(extract_of(khmer, PHNOM_PENH))  # within Vietnam's outline


@pytest.mark.parametrize("vietnam", [True, False])
@pytest.mark.parametrize(("key", "value"), [("maxspeed", "fast"), ("lanes", "99")])
def test_a_tag_that_is_replaced_is_named(key: str, value: str, vietnam: bool) -> None:
    notes = ImportNotes()
    (way,) = clean.complete_tags(
        extract_of([([(0, 0), (99, 0)], {"highway": "primary", key: value})]), notes, vietnam=vietnam
    ).ways
    named = [kind.en for kind in notes.assumptions if f"whose tag '{value}' is not understood" in kind.en]
    assert len(named) == 1
    assert ("netconvert" in named[0]) is not vietnam
    assert (way.tags.get(key) not in (None, value)) is vietnam


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("50", "50"),
        ("50 km/h", "50"),
        ("50kph", "50"),
        ("30 mph", "30 mph"),
        ("30mph", "30 mph"),
        ("12.5 mph", "12.5 mph"),
    ],
)
def test_units_of_speed_are_understood_everywhere(given: str, written: str) -> None:
    for vietnam in (True, False):
        notes = ImportNotes()
        street = {"highway": "primary", "lanes": "2", "maxspeed": given}
        (way,) = clean.complete_tags(extract_of([([(0, 0), (99, 0)], street)]), notes, vietnam=vietnam).ways
        assert way.tags["maxspeed"] == written
        assert not notes.assumptions


@pytest.mark.parametrize(("lefthand", "kerb"), [(False, "car"), (True, "motorbike")])
def test_marks_of_lanes_run_from_left_to_right_whatever_the_side(lefthand: bool, kerb: str) -> None:
    tags = {"highway": "primary", "oneway": "yes", "motorcycle:lanes": "designated|no"}
    extract = extract_of([([(0, 0), (99, 0)], tags)])
    net = ET.fromstring(
        '<net><edge id="1"><param key="origId" value="1"/><lane index="0"/><lane index="1"/></edge></net>'
    )
    motorbikes.apply(net, extract, ImportNotes(), lefthand=lefthand)
    lane = net.find("edge/lane")
    assert lane is not None
    assert allows(lane, "motorcycle") is (kerb == "motorbike")
    assert allows(lane, "passenger") is (kerb == "car")


def test_an_unknown_mix_is_refused_before_anything_is_written() -> None:
    with pytest.raises(InputError, match="there is no mix 'bikes'"):
        Demand(0.3, 600, 1, mix="bikes")
