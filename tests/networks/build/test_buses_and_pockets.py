"""Bus lines with their stops, and the lane in which two-wheelers turn right on red."""

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from denxanh import networks
from denxanh.networks.build import building
from denxanh.networks.place import geometry, pockets, reader, schema
from denxanh.networks.place.place import Place
from denxanh.networks.traffic import synthetic_demand
from denxanh.sim.errors import InputError
from denxanh.sim.sumo import wheel

GRID = "tp-hcm/quan-1-3"


@pytest.fixture(scope="module")
def place() -> Place:
    return building.load_place(GRID)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, place: Place) -> Path:
    folder = tmp_path_factory.mktemp("built")
    building.write_place(place, folder, fidelity="lane")
    return folder


def ride(built: Path, folder: Path, vehicles: str, *options: str) -> None:
    """Run the built net with these vehicles alone."""
    types = "".join(
        f'<vType id="{c}" vClass="{c}" sigma="0" speedDev="0"/>' for c in ("motorcycle", "passenger", "bus")
    )
    (folder / "few.rou.xml").write_text(f"<routes>{types}{vehicles}</routes>")
    arguments = ["-n", str(built / "net.net.xml"), "-r", "few.rou.xml", "--no-step-log"]
    wheel.run_program("sumo", [*arguments, *options], folder=folder)


@pytest.mark.parametrize("name", [p.name for p in networks.list_places()])
def test_a_line_comes_in_at_one_open_end_and_leaves_at_another(name: str) -> None:
    place = building.load_place(name)
    turns = {(t.start, t.end) for t in place.turns}
    for line in place.bus_lines:
        assert place.nodes[place.edges[line.route[0]].start].gate
        assert place.nodes[place.edges[line.route[-1]].end].gate
        assert set(pairwise(line.route)) <= turns
        assert all(s.edge in line.route for s in place.bus_stops if s.id in line.stops)


def test_a_stop_lies_on_the_street_beside_its_coordinates(place: Place) -> None:
    stop = next(s for s in place.bus_stops if s.name == "Sở Ngoại vụ")
    edge = place.edges[stop.edge]
    assert edge.street == "Đường Pasteur"
    assert 30 <= stop.position <= geometry.length(edge.line) - 30


def test_buses_come_at_their_headway_and_leave_the_rest_of_the_traffic_alone(place: Place) -> None:
    traffic = synthetic_demand.vehicles(place, "lane")
    buses = [v for v in traffic if v.line]
    assert len(buses) == 6 * len(place.bus_lines)
    departures = [v.depart for v in buses if v.line == place.bus_lines[0].id]
    assert {b - a for a, b in pairwise(departures)} == {600.0}
    assert [v for v in traffic if not v.line] == list(
        synthetic_demand.vehicles(replace(place, bus_lines=()), "lane")
    )


def test_a_bus_stands_at_every_stop_of_its_line(built: Path, tmp_path: Path, place: Place) -> None:
    line = place.bus_lines[0]
    stops = "".join(f'<stop busStop="{s}" duration="20"/>' for s in line.stops)
    route = " ".join(pockets.expand(line.route, place.pockets))
    vehicle = f'<vehicle id="b" type="bus" depart="0"><route edges="{route}"/>{stops}</vehicle>'
    stops_file = str(built / "stops.add.xml")
    ride(built, tmp_path, vehicle, "-a", stops_file, "--stop-output", "stops.xml", "--end", "1500")
    stood = ET.parse(tmp_path / "stops.xml").getroot().findall("stopinfo")
    assert len(stood) == 6
    assert [s.get("busStop") for s in stood] == list(line.stops)
    assert all(float(s.get("ended", "nan")) - float(s.get("started", "nan")) == 20 for s in stood)
    assert vehicle.split("<route", 1)[1] in (built / "demand.rou.xml").read_text(encoding="utf-8")


def test_two_wheelers_turn_right_on_red_and_cars_wait(built: Path, tmp_path: Path, place: Place) -> None:
    signal = next(s for s in place.signals if s.node == "pasteur-ly-tu-trong")
    yellow = signal.offset + signal.green[0]  # s; Pasteur has the first stage
    green_again = signal.offset + place.plan.cycle
    depart = yellow + 4
    assert green_again - depart > 35  # enough to reach the stop line on red
    way = '<route edges="duong-pasteur_3 duong-pasteur_3.stop duong-ly-tu-trong_3"/>'
    vehicles = "".join(
        f'<vehicle id="{type}" type="{type}" depart="{depart}" departLane="best">{way}</vehicle>'
        for type in ("motorcycle", "passenger")
    )
    ride(
        built,
        tmp_path,
        vehicles,
        "--end",
        "600",
        "--vehroute-output",
        "ways.xml",
        "--vehroute-output.exit-times",
    )
    left = {
        v.get("id"): float(v.find("route").get("exitTimes", "").split()[1])  # type: ignore[union-attr]
        for v in ET.parse(tmp_path / "ways.xml").getroot().iter("vehicle")
    }
    assert left["motorcycle"] < depart + 32
    assert left["passenger"] >= green_again


def test_the_lane_of_two_wheelers_stands_outside_the_signal(built: Path) -> None:
    net = ET.parse(built / "net.net.xml").getroot()
    start = "duong-pasteur_3.stop"
    links = [c for c in net.iterfind("connection") if c.get("from") == start and c.get("dir") == "r"]
    assert [(c.get("fromLane"), c.get("tl")) for c in links] == [("0", None), ("1", "pasteur-ly-tu-trong")]
    program = next(t for t in net.iterfind("tlLogic") if t.get("id") == "pasteur-ly-tu-trong")
    assert [p.get("state") for p in program.iterfind("phase")][::3] == ["GGGGrrrr", "rrrrGGGG"]


def test_the_lane_of_two_wheelers_is_entered_from_beside_and_the_others_go_on_straight(built: Path) -> None:
    """Two lanes that begin in one let motorbikes collide where they part (decision 0437)."""
    net = ET.parse(built / "net.net.xml").getroot()
    into = [c for c in net.iterfind("connection") if c.get("from") == "duong-pasteur_3"]
    assert sorted((c.get("fromLane"), c.get("toLane")) for c in into) == [("0", "1"), ("1", "2"), ("2", "3")]
    shapes = {
        lane.get("id"): [tuple(map(float, xy.split(","))) for xy in lane.get("shape", "").split()]
        for lane in net.iterfind("edge/lane")
    }
    for before, after in (("0", "1"), ("2", "3")):
        a, b = shapes[f"duong-pasteur_3_{before}"]
        c, d = shapes[f"duong-pasteur_3.stop_{after}"]
        # How far the second lane's ends lie beside the line of the first, m.
        for x, y in (c, d):
            beside = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / math.dist(a, b)
            assert abs(beside) < 0.1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('["duong-le-loi_SW", "pasteur-le-loi", "pasteur-d', '["le-loi_W", "pasteur-d', "'le-loi_W'"),
        ('"duong-vo-van-tan_NE", "duong-vo', '"duong-vo-van-tan_SW", "duong-vo', "no route leads"),
        ("at = [10.775116, 106.700682]", "at = [10.795116, 106.700682]", "'Pasteur – Lê Thánh Tôn': no street"),
        ('right_on_red = ["Pasteur"]', 'right_on_red = ["Lê Lợi"]', "junctions.pasteur-ly-tu-trong.right_on_red"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(old: str, new: str, said: str) -> None:
    text = building.place_text(GRID)
    assert old in text
    with pytest.raises(InputError) as caught:
        reader.read(schema.parse(text.replace(old, new, 1), location="x.toml"), location="x.toml")
    assert said in str(caught.value)
