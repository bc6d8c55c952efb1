"""The default place: what its file says, what is built from it, and that it is built the same each time."""

import math
import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from denxanh import networks
from denxanh.networks.build import building
from denxanh.networks.built_in import Choice
from denxanh.networks.place import geometry, vehicles
from denxanh.networks.place.place import Place
from denxanh.networks.traffic import synthetic_demand
from denxanh.sim.movements import compass
from denxanh.sim.sumo import wheel

NAME = "ha-noi/pho-hue"

# Metres between neighbouring signals from south to north, measured in OpenStreetMap (2025-05).
SPACINGS = (534, 172, 186, 163, 166, 138, 195, 173, 139)


@pytest.fixture(scope="module")
def place() -> Place:
    return building.load_place(NAME)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DENXANH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Choice(NAME).build().parent


def test_its_ten_signals_stand_as_far_apart_as_in_the_map(place: Place) -> None:
    positions = [place.nodes[s.node].at for s in place.signals]
    assert [math.dist(a, b) for a, b in pairwise(positions)] == pytest.approx(SPACINGS, abs=2)


def test_the_street_runs_one_way_north_with_two_then_three_lanes(place: Place) -> None:
    street = [e for e in place.edges.values() if e.street in ("Phố Huế", "Phố Hàng Bài")]
    assert [e.lanes for e in street] == [2] + [3] * 8
    assert all(compass(geometry.bearing(e.line[0], e.line[-1])) == "N" for e in street)


def test_every_entry_is_long_enough_for_a_queue(place: Place) -> None:
    assert all(geometry.length(place.edges[e].line) >= 200 for e in place.entries())


def test_the_list_agrees_with_the_place(place: Place) -> None:
    info = next(p for p in networks.list_places() if p.name == NAME)
    assert (info.title, info.title_vi, info.signals) == (place.title, place.title_vi, len(place.signals))


def test_the_net_has_the_signals_with_the_plan_of_the_file(place: Place, built: Path) -> None:
    net = ET.parse(built / "net.net.xml").getroot()
    programs = {t.get("id"): t for t in net.iterfind("tlLogic")}
    assert set(programs) == {s.node for s in place.signals}
    for signal in place.signals:
        phases = programs[signal.node].findall("phase")
        assert sum(float(p.get("duration", "nan")) for p in phases) == place.plan.cycle
        assert [float(p.get("duration", "nan")) for p in phases[::3]] == list(signal.green)
        assert all(set(p.get("state", "")) <= set("Ggr") for p in phases[::3])
        assert all("y" in p.get("state", "") for p in phases[1::3])
        assert all(set(p.get("state", "")) == {"r"} for p in phases[2::3])


def test_a_left_turn_across_oncoming_traffic_gives_way(built: Path) -> None:
    net = ET.parse(built / "net.net.xml").getroot()
    left = next(
        c for c in net.iterfind("connection") if c.get("from") == "pho-nguyen-du_1" and c.get("dir") == "l"
    )
    program = next(t for t in net.iterfind("tlLogic") if t.get("id") == "nguyen-du")
    letters = {p.get("state", "")[int(left.get("linkIndex", "-1"))] for p in program.iterfind("phase")}
    assert letters == {"g", "y", "r"}


def test_street_names_keep_their_vietnamese_letters(built: Path) -> None:
    names = {e.get("name") for e in ET.parse(built / "net.net.xml").getroot().iterfind("edge")}
    assert {"Phố Huế", "Phố Trần Hưng Đạo", "Đường Đại Cồ Việt"} <= names


def test_building_twice_gives_the_same_bytes_and_no_time_stamp(tmp_path: Path, built: Path) -> None:
    building.write_place(building.load_place(NAME), tmp_path, fidelity="lane")
    assert {p.name for p in tmp_path.iterdir()} == {"net.net.xml", "demand.rou.xml", "place.sumocfg"}
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (built / path.name).read_bytes()
    assert "generated on" not in (tmp_path / "net.net.xml").read_text(encoding="utf-8")


def test_the_demand_says_that_it_is_synthetic_and_is_sorted(built: Path) -> None:
    text = (built / "demand.rou.xml").read_text(encoding="utf-8")
    assert "SYNTHETIC" in text.splitlines()[1]
    assert "© OpenStreetMap contributors" in text.splitlines()[1]
    departures = [float(d) for d in re.findall(r'depart="([\d.]+)"', text)]
    assert departures == sorted(departures)
    assert departures[-1] < 3600


def test_the_pcu_of_the_stream_is_the_same_in_both_fidelities(place: Place) -> None:
    def pcu(fidelity: vehicles.Fidelity) -> float:
        """PCU of four hours: of a single one, the standard deviation is 1 %."""
        hours = [replace(place, demand=replace(place.demand, seed=seed)) for seed in range(4)]
        counts = Counter(v.type for hour in hours for v in synthetic_demand.vehicles(hour, fidelity))
        return sum(
            n * vehicles.types()[t].pcu * vehicles.types()[t].represents(fidelity) for t, n in counts.items()
        )

    assert pcu("lane") == pytest.approx(pcu("sublane"), rel=0.02)


def test_ten_minutes_run_in_bare_sumo_without_a_word(built: Path, tmp_path: Path) -> None:
    options = ["-c", str(built / "place.sumocfg"), "--end", "600", "--no-step-log"]
    options += ["--statistic-output", str(tmp_path / "statistics.xml")]
    assert wheel.run_program("sumo", options, folder=tmp_path) == ""
    result = ET.parse(tmp_path / "statistics.xml").getroot()
    counts = {tag: result.find(tag).attrib for tag in ("vehicles", "teleports", "safety")}  # type: ignore[union-attr]
    assert counts["teleports"]["total"] == counts["safety"]["collisions"] == "0"
    assert int(counts["vehicles"]["inserted"]) > 1200
    assert int(counts["vehicles"]["waiting"]) < 30
