"""SUMO's files are believed only when they are whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from denxanh.sim.errors import RunError
from denxanh.sim.sumo.outputs import read_edges, read_signals, read_statistic
from denxanh.sim.sumo.tripinfo import read_trips

HEAD = '<?xml version="1.0"?>\n<!-- generated on {when} -->\n'
BODY = """<tripinfos>
    <tripinfo id="a" vType="car" depart="3.00" departDelay="1.00" arrival="40.00" duration="37.00"
        routeLength="300.00" waitingTime="5.00" waitingCount="2" stopTime="0.00" timeLoss="11.50" vaporized=""/>
    <tripinfo id="b" vType="bus" depart="9.00" departDelay="0.00" arrival="-1.00" duration="91.00"
        routeLength="80.00" waitingTime="70.00" waitingCount="1" stopTime="0.00" timeLoss="80.00" vaporized="end"/>
    <tripinfo id="c" vType="car" depart="-1" departDelay="50.00" arrival="-1" duration="0"
        routeLength="0" waitingTime="0" waitingCount="0" stopTime="0" timeLoss="0"/>
    <tripinfo id="d" vType="car" depart="5.00" departDelay="0.00" arrival="30.00" duration="25.00"
        routeLength="80.00" waitingTime="9.00" waitingCount="1" stopTime="0.00" timeLoss="9.00" vaporized="teleport"/>
    <personinfo id="p" depart="1.00"/>
</tripinfos>
"""


def test_trips_come_as_columns_and_the_hash_leaves_the_time_of_day_out(tmp_path: Path) -> None:
    path = tmp_path / "tripinfo.xml"
    digests = []
    for when in ("Monday", "Tuesday"):
        path.write_text(HEAD.format(when=when) + BODY)
        trips, digest = read_trips(path)
        digests.append(digest)
    assert digests == [hashlib.sha256(BODY.encode()).hexdigest()] * 2
    assert trips.id == ("a", "b", "c", "d")
    assert trips.type == ("car", "bus", "car", "car")
    assert trips.inserted.tolist() == [True, True, False, True]
    assert trips.arrived.tolist() == [True, False, False, False]
    assert trips.removed.tolist() == [False, False, False, True]
    assert trips.time_loss.tolist() == [11.5, 80.0, 0.0, 9.0]
    assert trips.depart_delay.tolist() == [1.0, 0.0, 50.0, 0.0]


@pytest.mark.parametrize("kept", [0, 10, 60, 300, len(HEAD + BODY) // 2, -1])
def test_a_cut_file_is_an_error(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "tripinfo.xml"
    path.write_text((HEAD + BODY).rstrip()[:kept])
    with pytest.raises(RunError, match="cut off"):
        read_trips(path)


def test_a_file_cut_between_two_records_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "tripinfo.xml"
    path.write_text((HEAD + BODY)[: (HEAD + BODY).index('    <tripinfo id="c"')])
    assert path.read_text().rstrip().endswith("/>")
    with pytest.raises(RunError, match="cut off"):
        read_trips(path)


def test_a_missing_or_damaged_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"left no tripinfo\.xml"):
        read_trips(tmp_path / "tripinfo.xml")
    path = tmp_path / "tripinfo.xml"
    path.write_text(BODY.replace('id="b"', 'id=b"'))
    with pytest.raises(RunError, match="cannot be read"):
        read_trips(path)


STATISTIC = """<statistics>
    <performance begin="0.00" end="{end}"/>
    <vehicles loaded="4" inserted="3" running="1" waiting="1"/>
    <teleports total="1" jam="1" yield="0" wrongLane="0"/>
    <safety collisions="2" emergencyStops="0" emergencyBraking="5"/>
</statistics>
"""


def test_the_statistic_says_how_far_sumo_came(tmp_path: Path) -> None:
    path = tmp_path / "statistic.xml"
    path.write_text(STATISTIC.format(end="100.00"))
    found = read_statistic(path)
    assert (found.end, found.loaded, found.inserted, found.teleports) == (100.0, 4, 3, 1)
    assert (found.collisions, found.emergency_brakings) == (2, 5)


@pytest.mark.parametrize("gone", ["<performance", "<vehicles", "<teleports", "<safety"])
def test_a_statistic_without_its_parts_is_no_proof(tmp_path: Path, gone: str) -> None:
    path = tmp_path / "statistic.xml"
    path.write_text(STATISTIC.format(end="100.00").replace(gone, "<other"))
    with pytest.raises(RunError, match="did not finish"):
        read_statistic(path)
    path.write_text(STATISTIC[:80])
    with pytest.raises(RunError, match="cut off or damaged"):
        read_statistic(path)


def test_edge_data_is_joined_by_edge_and_in_kilograms(tmp_path: Path) -> None:
    traffic, emissions = tmp_path / "edges.xml", tmp_path / "emissions.xml"
    traffic.write_text(
        '<meandata><interval begin="0" end="9"><edge id="b" sampledSeconds="8" timeLoss="2" waitingTime="1" '
        'entered="3" departed="1" left="2" arrived="2" speed="5"/><edge id="a" sampledSeconds="4"/>'
        "</interval></meandata>"
    )
    emissions.write_text(
        '<meandata><interval begin="0" end="9"><edge id="b" CO2_abs="2500000" fuel_abs="800000"/></interval></meandata>'
    )
    table = read_edges(traffic, emissions)
    assert table["edge"] == ["a", "b"]
    assert np.asarray(table["entered"]).tolist() == [0.0, 4.0]
    assert np.asarray(table["left"]).tolist() == [0.0, 4.0]
    assert np.asarray(table["co2_kg"]).tolist() == [0.0, 2.5]
    assert np.asarray(table["fuel_kg"]).tolist() == pytest.approx([0.0, 0.8])


def test_a_network_without_signals_has_an_empty_table(tmp_path: Path) -> None:
    assert all(len(column) == 0 for column in read_signals(tmp_path / "none.xml").values())


def test_the_walks_of_a_person_are_added_up_and_rides_are_none(tmp_path: Path) -> None:
    persons = (
        '<personinfo id="p"><walk arrival="9" waitingTime="4.5"/><ride waitingTime="60"/>'
        '<walk arrival="-1" waitingTime="2"/></personinfo><personinfo id="q"><ride waitingTime="30"/></personinfo>'
    )
    path = tmp_path / "tripinfo.xml"
    path.write_text((HEAD.format(when="now") + BODY).replace("</tripinfos>", f"{persons}</tripinfos>"))
    assert read_trips(path)[0].pedestrian_wait.tolist() == [6.5]
