"""Demand from counts: the form, what is refused in it, and how well the sampled routes meet it."""

import csv
import datetime
import gzip
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from typer.testing import CliRunner

from denxanh.experiments.cli.app import app
from denxanh.networks.build import building, generators
from denxanh.networks.calibration import peak_hour
from denxanh.networks.counts import count_form, counted_demand
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
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
    head, *cells = count_form.form_rows(network, TYPES, 25200, 28800)
    rows = [dict(zip(head, row, strict=True)) for row in cells]
    wanted = {(m.start, m.end) for i in network.intersections.values() for m in i.movements}
    assert {(r["from"], r["to"]) for r in rows if r["to"]} == wanted
    assert {r["from"] for r in rows if not r["to"]} == {start for start, _ in wanted}
    assert {(r["begin"], r["end"]) for r in rows} == {("07:00", "08:00")}
    assert {r["comes_from"] for r in rows if r["from"] == "arterial_1"} == {"W"}
    count_form.write_form(tmp_path / "form.csv", [head, *cells])
    with pytest.raises(InputError, match="no row has a count"):
        count_form.read(tmp_path / "form.csv", network, TYPES)


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
        (
            "a,b\n",
            "line 1: 'a' is neither a vehicle type of the place nor a column of the form; vehicle types: m",
        ),
        (HEAD.replace("car", "tank"), "line 1: 'tank' is neither a vehicle type of the place nor a column"),
        (
            HEAD.replace("turn", "huong"),
            "line 1: 'huong' is neither .*; columns: signal, street, comes_from, turn",
        ),
        (HEAD.replace("car", "motorbike"), "line 1: the column 'motorbike' is given twice"),
        (
            HEAD.replace(",motorbike,car", ""),
            "line 1: there is no column of a vehicle type; give one or more of",
        ),
        (HEAD.replace("end,", ""), "line 1: there is no column 'end'"),
        ("", "line 1: there is no column 'from'"),
    ],
)
def test_a_bad_head_is_refused(head: str, said: str, network: Network, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        read(head, network, tmp_path)


def test_a_form_by_quarter_hours_has_a_row_for_each(network: Network) -> None:
    head, *rows = count_form.form_rows(network, TYPES, 25200, 28800, every=900.0)
    times = [(row[head.index("begin")], row[head.index("end")]) for row in rows[:4]]
    assert times == [("07:00", "07:15"), ("07:15", "07:30"), ("07:30", "07:45"), ("07:45", "08:00")]
    assert len(rows) == 4 * (len(count_form.form_rows(network, TYPES, 25200, 28800)) - 1)
    with pytest.raises(InputError, match=r"--every is 90 s; give whole minutes"):
        count_form.form_rows(network, TYPES, 25200, 28800, every=90.0)


FILLED = (
    "signal,street,turn,from,to,begin,end,motorbike,car\nx,x,x,arterial_1,arterial_2,7:00,08:00,1200,45\n"
)


@pytest.mark.parametrize(
    "text",
    [
        FILLED,
        FILLED.replace(",", ";"),
        FILLED.replace(",", "\t"),
        FILLED.replace(",", ";").replace(
            "\n", ";;\r\n"
        ),  # as a spreadsheet saves two columns that were used once
        "car;to;from;end;begin;motorbike\n45;arterial_2;arterial_1;08:00;07:00;1200\n",
    ],
)
def test_a_form_is_read_as_spreadsheets_save_it(text: str, network: Network, tmp_path: Path) -> None:
    (count,) = read("\ufeff" + text, network, tmp_path)
    assert (count.start_edge, count.end_edge, count.begin, count.end) == (
        "arterial_1",
        "arterial_2",
        25200,
        28800,
    )
    assert count.vehicles == {"motorbike": 1200, "car": 45}


def test_a_workbook_is_written_and_read(network: Network, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    count_form.write_form(path, count_form.form_rows(network, TYPES, 25200, 28800))
    book = load_workbook(path)
    sheet: Any = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    row = next(
        cells for cells in sheet.iter_rows(min_row=2) if cells[heads.index("to")].value == "arterial_2"
    )
    row[heads.index("motorbike")].value = 1200
    row[heads.index("car")].value = 45.0
    row[heads.index("begin")].value = datetime.time(7)  # what a spreadsheet makes of a time that is typed
    row[heads.index("end")].value = datetime.timedelta(hours=24)
    book.save(path)
    (count,) = count_form.read(path, network, TYPES)
    assert (count.start_edge, count.end_edge, count.begin, count.end) == (
        "arterial_1",
        "arterial_2",
        25200,
        86400,
    )
    assert count.vehicles == {"motorbike": 1200, "car": 45}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"signal;street"])
def test_what_is_no_workbook_is_refused(content: bytes, network: Network, tmp_path: Path) -> None:
    path = tmp_path / "form.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"form.xlsx: the count form cannot be read .it is no workbook"):
        count_form.read(path, network, TYPES)


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
    at = {name: number for number, name in enumerate(rows[0])}
    for row in rows[1:]:
        if (
            row[at["from"]] == "arterial_1"
        ):  # 300 motorbikes and 90 cars: 240 and 60 go on, 60 and 30 turn left
            counted = {"": (300, 90), "arterial_2": (240, 60)}.get(
                row[at["to"]], (60, 30) if row[at["turn"]] == "left" else (0, 0)
            )
            row[at["motorbike"]], row[at["car"]] = map(str, counted)
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
