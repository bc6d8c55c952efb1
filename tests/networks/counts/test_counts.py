"""Demand from counts: the form, what is refused in it, and how well the sampled routes meet it."""

import csv
import gzip
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from denxanh.experiments.cli.app import app
from denxanh.networks.build import building, generators
from denxanh.networks.calibration import peak_hour
from denxanh.networks.counts import count_form, counted_demand
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.input.text_files import csv_text
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario

HEAD = "signal,street,turn,from,to,begin,end,motorbike,car\n"
TYPES = ("motorbike", "car")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = tmp_path_factory.mktemp("arterial")
    building.write_place(generators.arterial(2, saturation=0.3), folder, fidelity="lane")
    return open_scenario(str(folder))


@pytest.fixture(scope="module")
def network(scenario: Scenario) -> Network:
    return network_of(scenario)


def read(text: str, network: Network, folder: Path) -> tuple[count_form.Count, ...]:
    path = folder / "counts.csv"
    path.write_text(text, encoding="utf-8")
    return count_form.read(path, network, TYPES)


def test_the_form_has_every_approach_and_every_turn_and_is_read_as_not_counted(
    network: Network, tmp_path: Path
) -> None:
    text = count_form.template(network, TYPES, 25200, 28800)
    rows = [{k: csv_text(v) for k, v in row.items()} for row in csv.DictReader(text.splitlines())]
    wanted = {(m.start, m.end) for i in network.intersections.values() for m in i.movements}
    assert {(r["from"], r["to"]) for r in rows if r["to"]} == wanted
    assert {r["from"] for r in rows if not r["to"]} == {start for start, _ in wanted}
    assert {(r["begin"], r["end"]) for r in rows} == {("07:00", "08:00")}
    with pytest.raises(InputError, match="no row has a count"):
        read(text, network, tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("x,x,x,arterial_1,arterial_2,07:00,08:00,12", "line 2: it has 8 cells"),
        ("x,x,x,arterial_1,arterial_2,07:00,08:00,12,many", "line 2: car is 'many'"),
        ("x,x,x,arterial_1,arterial_2,07:00,08:00,-3,4", "line 2: motorbike is '-3'"),
        ("x,x,x,arterial_1,arterial_2,07:00,08:00,1.5,4", "line 2: motorbike is '1.5'"),
        ("x,x,x,arterial_9,,07:00,08:00,1,4", "line 2: there is no edge 'arterial_9'"),
        ("x,x,x,arterial_1,arterial_3,07:00,08:00,1,4", "line 2: no signal has the turn from arterial_1"),
        ("x,x,x,,arterial_2,07:00,08:00,1,4", "line 2: the column 'from' is empty"),
        ("x,x,x,arterial_1,,07:00,7,1,4", "line 2: '7' is not a time of day"),
        ("x,x,x,arterial_1,,08:00,07:00,1,4", "line 2: it ends at 07:00"),
        ("x,x,x,arterial_1,,07:00,08:00,1,4\n" * 2, "line 3: the same turn and time are in line 2"),
        (
            "x,x,x,arterial_1,,07:00,08:00,1,4\nx,x,x,arterial_2,,07:30,08:30,1,4",
            "line 3: 07:30-08:30 overlaps the time of line 2",
        ),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(
    row: str, said: str, network: Network, tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read(HEAD + row, network, tmp_path)
    assert f"counts.csv, {said}" in str(caught.value)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("a,b\n", "line 1: it does not begin with the columns"),
        (HEAD.replace("car", "tank"), "line 1: the place has no vehicle type 'tank'"),
        (HEAD.replace("car", "motorbike"), "line 1: the columns of vehicle types"),
        ("", "line 1: it does not begin"),
    ],
)
def test_a_bad_head_is_refused(head: str, said: str, network: Network, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read(head, network, tmp_path)


def test_a_cell_left_empty_is_not_counted_and_a_zero_is(network: Network, tmp_path: Path) -> None:
    (count,) = read(HEAD + "x,x,x,arterial_1,,07:00,08:00,,0\n", network, tmp_path)
    assert count.vehicles == {"car": 0}
    assert (count.line, count.begin, count.end) == (2, 25200, 28800)


def test_geh_of_known_flows() -> None:
    # sqrt(2 · 100² / 1900) by hand
    assert counted_demand.geh(900, 1000) == pytest.approx(math.sqrt(20000 / 1900))
    assert counted_demand.geh(0, 0) == 0


@given(st.floats(0, 1e4), st.floats(0, 1e4))
def test_geh_is_symmetric_and_zero_only_for_equal_flows(a: float, b: float) -> None:
    assert counted_demand.geh(a, b) == pytest.approx(counted_demand.geh(b, a))
    assert (counted_demand.geh(a, b) == 0) == (a == b or (a - b) ** 2 == 0)


def test_a_filled_form_becomes_a_place_that_carries_what_was_counted(
    scenario: Scenario, network: Network, tmp_path: Path
) -> None:
    form = tmp_path / "counts.csv"
    runner = CliRunner()
    place = str(scenario.net.parent)
    assert runner.invoke(app, ["counts", place, "--out", str(form)]).exit_code == 0
    rows = list(csv.reader(form.read_text(encoding="utf-8-sig").splitlines()))
    kinds = rows[0][7:]
    for row in rows[1:]:
        if row[3] == "arterial_1":  # 300 motorbikes and 90 cars: 240 and 60 go on, 60 and 30 turn left
            counted = {"": (300, 90), "arterial_2": (240, 60)}.get(
                row[4], (60, 30) if row[2] == "left" else (0, 0)
            )
            row[7 + kinds.index("motorbike")], row[7 + kinds.index("car")] = map(str, counted)
    form.write_text("\n".join(",".join(r) for r in rows), encoding="utf-8")
    done = runner.invoke(app, ["counts", place, "--from", str(form), "--out", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    assert "GEH below 5 in 4 of 4 rows (100%)" in done.output
    made = open_scenario(str(tmp_path / "mine"))
    text = made.routes[0].read_text(encoding="utf-8")
    assert text.count('type="car"') == 90
    # One simulated motorbike stands for 0.81 / 0.29 in this fidelity.
    assert text.count('type="motorbike"') == pytest.approx(300 * 0.29 / 0.81, abs=2)
    assert network_of(made).intersections.keys() == network.intersections.keys()


def test_types_in_an_additional_file_stay_there(scenario: Scenario, tmp_path: Path) -> None:
    """The place made can be read by SUMO, which takes a type only once; also from packed routes."""
    text = scenario.routes[0].read_text(encoding="utf-8")
    types = "".join(re.findall(r"<vType.*?</vType>", text, re.DOTALL))
    kinds = tmp_path / "kinds.add.xml"
    kinds.write_text(f"<additional>{types}</additional>", encoding="utf-8")
    routes = tmp_path / "traffic.rou.xml.gz"
    rest = re.sub(r"<vType.*?</vType>", "", text, flags=re.DOTALL)
    routes.write_bytes(gzip.compress(rest.encode()))
    given = replace(scenario, routes=(routes,), additional=(*scenario.additional, kinds))
    found = (count_form.Count(2, "arterial_1", "arterial_2", 0, 900, {"car": 30}),)
    counted_demand.build(given, found, tmp_path / "made")
    made = open_scenario(str(tmp_path / "made"))
    assert "<vType" not in made.routes[0].read_text(encoding="utf-8")
    assert peak_hour.run(replace(made, end=120.0), 1).entered > 0
    traffic = tmp_path / "traffic.add.xml"
    traffic.write_text(
        '<additional><trip id="t" depart="0" from="arterial_1" to="arterial_2"/></additional>', "utf-8"
    )
    with pytest.raises(InputError, match="would be added to the counted ones"):
        counted_demand.build(replace(given, additional=(traffic,)), found, tmp_path / "other")
