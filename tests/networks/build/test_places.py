"""Every built-in place: it reads, agrees with the list, says what it is, and runs in bare SUMO."""

import xml.etree.ElementTree as ET
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import pytest

from denxanh import networks
from denxanh.networks.build import building, generators
from denxanh.networks.place import vehicles
from denxanh.networks.place.place import Place
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import load_network, network_of
from denxanh.sim.signals.pedestrian_calls import longest_red
from denxanh.sim.sumo import wheel

NAMES = [p.name for p in networks.list_places()]


def run(folder: Path, seconds: int) -> dict[str, dict[str, str]]:
    """Run a built place in bare SUMO; return the groups of its statistic output."""
    options = ["-c", "place.sumocfg", "--end", str(seconds), "--no-step-log"]
    wheel.run_program("sumo", [*options, "--statistic-output", "statistics.xml"], folder=folder)
    return {group.tag: dict(group.attrib) for group in ET.parse(folder / "statistics.xml").getroot()}


def test_the_list_is_sorted_and_holds_the_places_of_both_cities() -> None:
    assert sorted(NAMES) == NAMES
    assert {n.split("/")[0] for n in NAMES} == {"ha-noi", "tp-hcm"}


@pytest.mark.parametrize("name", NAMES)
def test_the_list_agrees_with_the_place(name: str) -> None:
    info = next(p for p in networks.list_places() if p.name == name)
    place = building.load_place(name)
    assert (info.title, info.title_vi, info.signals) == (place.title, place.title_vi, len(place.signals))


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is_where_it_comes_from_and_what_is_assumed(name: str) -> None:
    about = (files("denxanh.networks") / "data" / Path(*name.split("/")) / "about.md").read_text(
        encoding="utf-8"
    )
    for needed in (
        f"`{name}`",
        "© OpenStreetMap contributors",
        "ODbL",
        "**Known**",
        "**Assumed",
        "synthetic",
    ):
        assert needed in about


@pytest.mark.parametrize("name", [n for n in NAMES if n != "ha-noi/pho-hue"])
def test_three_minutes_run_without_teleport_or_collision(name: str, tmp_path: Path) -> None:
    building.write_place(building.load_place(name), tmp_path, fidelity="lane")
    result = run(tmp_path, 180)
    assert result["teleports"]["total"] == result["safety"]["collisions"] == "0"
    assert int(result["vehicles"]["inserted"]) > 150
    assert int(result["vehicles"]["waiting"]) < 0.02 * int(result["vehicles"]["inserted"])


def test_motorbikes_ride_side_by_side_in_the_sublane_fidelity(tmp_path: Path) -> None:
    building.write_place(building.load_place("ha-noi/hoang-dao-thuy"), tmp_path, fidelity="sublane")
    config = (tmp_path / "place.sumocfg").read_text(encoding="utf-8")
    assert f'<lateral-resolution value="{building.LATERAL_RESOLUTION}"/>' in config
    assert '<step-length value="0.5"/>' in config
    sublane = run(tmp_path, 60)
    assert sublane["safety"]["collisions"] == "0"
    types = {t.get("id"): t for t in ET.parse(tmp_path / "demand.rou.xml").getroot().iter("vType")}
    assert types["motorbike"].get("latAlignment") == "nice"
    assert all(float(t.get("tau", "nan")) >= 0.5 for t in types.values())


@pytest.mark.parametrize(("fidelity", "slow"), [("lane", True), ("sublane", False)])
def test_right_turns_from_shared_lanes_are_slow_where_nothing_stands_beside_them(
    fidelity: vehicles.Fidelity, slow: bool, tmp_path: Path
) -> None:
    place = building.load_place("tp-hcm/cach-mang-thang-tam")
    building.write_place(place, tmp_path, fidelity=fidelity)
    net = ET.parse(tmp_path / "net.net.xml").getroot()
    speed = {lane.get("id"): float(lane.get("speed", "nan")) for lane in net.iter("lane")}
    shared = {(turn.start, str(lane), turn.end) for turn, lane in place.shared_rights()}
    ways = [c for c in net.iter("connection") if c.get("via") and not c.get("from", "").startswith(":")]
    found = {
        (c.get("from"), c.get("fromLane"), c.get("to")): speed[c.get("via")]
        for c in ways
        if (c.get("from"), c.get("fromLane"), c.get("to")) in shared
    }
    assert set(found) == shared
    assert len(found) == 4
    for value in found.values():
        assert (value == building.SHARED_RIGHT_SPEED) == slow
        assert value >= building.SHARED_RIGHT_SPEED
    others = [
        speed[c.get("via")] for c in ways if (c.get("from"), c.get("fromLane"), c.get("to")) not in found
    ]
    assert min(others) > building.SHARED_RIGHT_SPEED


def test_no_driver_reacts_faster_than_the_step_of_the_lane_fidelity(tmp_path: Path) -> None:
    building.write_place(building.load_place("ha-noi/hoang-dao-thuy"), tmp_path, fidelity="lane")
    types = list(ET.parse(tmp_path / "demand.rou.xml").getroot().iter("vType"))
    assert types
    assert all(float(t.get("tau", "nan")) >= 1 for t in types)


@pytest.mark.parametrize(
    ("place", "signals"),
    [(generators.grid(3, 2), 6), (generators.grid(2, 2, oneway=True), 4), (generators.arterial(4), 4)],
    ids=["grid", "one-way grid", "arterial"],
)
def test_a_generated_place_runs(place: Place, signals: int, tmp_path: Path) -> None:
    assert len(place.signals) == signals
    building.write_place(place, tmp_path, fidelity="lane")
    result = run(tmp_path, 180)
    assert result["teleports"]["total"] == result["safety"]["collisions"] == "0"
    assert int(result["vehicles"]["inserted"]) > 80


def test_streets_of_a_one_way_grid_alternate() -> None:
    edges = generators.grid(2, 2, oneway=True).edges.values()
    heading = {e.street: e.line[-1][0] - e.line[0][0] for e in edges if e.street.startswith("Row")}
    assert heading["Row 1"] > 0 > heading["Row 2"]


def test_a_generated_place_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="spacing is 20; give at least 60"):
        generators.grid(2, 2, spacing=20)
    with pytest.raises(InputError, match="there is no mix 'moon'"):
        generators.arterial(2, mix="moon")


@pytest.mark.parametrize("name", NAMES)
def test_lanes_of_one_approach_do_not_cross_while_they_have_green(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DENXANH_CACHE", str(tmp_path))
    for intersection in network_of(open_scenario(name)).intersections.values():
        road = {link.index: link.start.rsplit("_", 1)[0] for link in intersection.links}
        target = {link.index: link.end for link in intersection.links}
        for phase in intersection.phases:
            green = [k for k in road if phase.serves(k)]
            assert not [
                (intersection.id, a, b)
                for a, b in combinations(green, 2)
                if road[a] == road[b] and target[a] != target[b] and intersection.foes[a, b]
            ]


def test_people_on_foot_walk_in_the_time_that_their_green_leaves_them(tmp_path: Path) -> None:
    """The time from the end of their green to that of their foes lasts for the walk."""
    place = building.load_place("tp-hcm/cach-mang-thang-tam")
    building.write_place(place, tmp_path, fidelity="lane", on_foot=True)
    net = ET.parse(tmp_path / "net.net.xml").getroot()
    lengths = [float(e[0].get("length", "nan")) for e in net.iter("edge") if e.get("function") == "crossing"]
    assert lengths == [21.0] * 4  # 2 x 3 lanes of 3.5 m
    network = load_network(tmp_path / "net.net.xml")
    intersection = network.intersections["cach-mang-thang-tam"]
    assert sorted(intersection.crossings) == [20, 21, 22, 23]
    assert [phase.min_green for phase in intersection.phases] == [7.0, 7.0]
    for stage in intersection.program.stages:
        assert stage.green >= 7.0
        assert sum(interval.duration for interval in stage.change) >= 21.0 / 1.07
        assert stage.green + stage.change[0].duration == 25.0  # vehicles have the green of the plan
    statistics = run(tmp_path, 240)
    assert statistics["safety"]["collisions"] == "0"
    people = ET.parse(tmp_path / "on-foot.rou.xml").getroot().findall("person")
    assert 320 < len(people) < 480  # 100 an hour at each crossing
    without = tmp_path / "without"
    without.mkdir()
    building.write_place(place, without, fidelity="lane")
    assert (without / "demand.rou.xml").read_text("utf-8") == (tmp_path / "demand.rou.xml").read_text("utf-8")
    assert "on-foot" not in (without / "place.sumocfg").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_people_on_foot_at_every_place(name: str, tmp_path: Path) -> None:
    building.write_place(building.load_place(name), tmp_path, fidelity="lane", on_foot=True)
    network = load_network(tmp_path / "net.net.xml")
    assert len(network.intersections) == len(building.load_place(name).signals)
    for intersection in network.intersections.values():
        for link, crossing in intersection.crossings.items():
            assert any(phase.state[link] == "G" for phase in intersection.phases)
            assert longest_red(intersection.program)[link] >= crossing.length / 1.07
    assert run(tmp_path, 300)["safety"]["collisions"] == "0"
