"""Plans through the files of other programs and back: nothing is lost, or the writer says what is."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.formats.gmns.gmns_tables import read_gmns
from denxanh.experiments.formats.phase_chart_csv import phase_chart, read_phase_chart
from denxanh.experiments.formats.plan_readers import read_plans
from denxanh.experiments.formats.plan_source import PlanSource, PlanSwitch
from denxanh.experiments.formats.plan_writers import written_plans
from denxanh.experiments.formats.stage_times import StageTimes, retimed, stage_times
from denxanh.experiments.formats.utdf import read_utdf
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Interval, Plan, Stage, Timing

Call = Callable[..., subprocess.CompletedProcess[str]]


def written(source: PlanSource, folder: Path, *formats: str) -> Path:
    for name, text in written_plans(source, formats).texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return folder


@pytest.mark.parametrize(
    ("kind", "file"), [("csv", "gian_do_pha.csv"), ("utdf", "utdf.csv"), ("gmns", "gmns")]
)
@pytest.mark.parametrize("place", ["street", "walked"])
def test_a_plan_comes_back_whole(
    kind: str, file: str, place: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source: PlanSource = request.getfixturevalue(place)
    written(source, tmp_path, kind)
    found = read_plans(tmp_path / file, source.network)
    assert found.plans[0].timings == source.plans[0].timings
    assert found.switches == ()


def test_plans_by_hours_come_back(street: PlanSource, tmp_path: Path) -> None:
    first = street.plans[0]
    second = Plan({name: replace(t, offset=3.0) for name, t in first.timings.items()})
    switches = (PlanSwitch(6 * 3600.0, 0), PlanSwitch(9.5 * 3600, 1))
    day = replace(street, plans=(first, second), switches=switches)
    written(day, tmp_path, "csv", "gmns")
    for path in (tmp_path / "gian_do_pha.csv", tmp_path / "gmns"):
        found = read_plans(path, street.network)
        assert [plan.timings for plan in found.plans] == [first.timings, second.timings]
        assert found.switches == switches


def test_the_phase_chart_is_read_as_spreadsheets_write_it(street: PlanSource, tmp_path: Path) -> None:
    text = phase_chart(street.network, street.plans, ())
    assert text.startswith("\ufeffma_nut;khung_gio;phuong_an;chu_ky;offset;xanh_1;vang_1;do_1;")
    assert ";7,25;" in text
    path = tmp_path / "chart.csv"
    accents = text.replace("ma_nut", "Mã nút").replace("khung_gio", "Khung giờ").replace("xanh_", "Xanh ")
    path.write_text(accents, encoding="utf-8")
    plans, _, variant = read_phase_chart(path, street.network)
    assert (plans[0].timings, variant) == (street.plans[0].timings, "de_xuat")
    commas = list(csv.reader(text.removeprefix("\ufeff").splitlines(), delimiter=";"))
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([[cell.replace(",", ".") for cell in row] for row in commas])
    assert read_phase_chart(path, street.network)[0][0].timings == street.plans[0].timings
    today, _, _ = read_phase_chart(path, street.network, variant="hien_trang")
    assert today[0].timings == {n: i.program for n, i in street.network.intersections.items()}


HEAD = "ma_nut,khung_gio,phuong_an,chu_ky,offset,xanh_1,vang_1,do_1,xanh_2,vang_2,do_2\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ma_nut,khung_gio\n", "no column 'phuong_an'"),
        (HEAD + "X,ca_ngay,de_xuat,60,0,27,3,0,27,3,0\n", "row 2: there is no signal 'X'"),
        (HEAD + "A0,ca_ngay,neu,60,0,27,3,0,27,3,0\n", "phuong_an is 'neu'; write hien_trang or de_xuat"),
        (HEAD + "A0,ca_ngay,de_xuat,61,0,27,3,0,27,3,0\n", "chu_ky is 61 s, but .* add up to 60 s"),
        (HEAD + "A0,ca_ngay,de_xuat,x,0,27,3,0,27,3,0\n", "chu_ky is 'x', not a number"),
        (HEAD + "A0,25:00-26:00,de_xuat,60,0,27,3,0,27,3,0\n", "khung_gio is '25:00-26:00'"),
        (HEAD, "there is no row of de_xuat"),
        (HEAD + "A0,ca_ngay,de_xuat,1e9,0,27,3,0,27,3,0\n", "chu_ky is '1e9', not a number"),
    ],
)
def test_faults_of_a_phase_chart_are_one_sentence(
    street: PlanSource, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "gian_do_pha.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_plans(path, street.network)


def test_gmns_tables_keep_the_schema(street: PlanSource, tmp_path: Path) -> None:
    folder = written(street, tmp_path, "gmns") / "gmns"
    tables = {path.stem: list(csv.DictReader(path.open(encoding="utf-8"))) for path in folder.glob("*.csv")}
    required = {
        "node": ("node_id", "x_coord", "y_coord"),
        "link": ("link_id", "from_node_id", "to_node_id", "directed"),
        "movement": ("mvmt_id", "node_id", "ib_link_id", "ob_link_id", "type"),
        "signal_controller": ("controller_id",),
        "signal_coordination": ("coordination_id", "timing_plan_id", "controller_id"),
        "signal_timing_plan": ("timing_plan_id", "controller_id"),
        "signal_timing_phase": ("timing_phase_id", "signal_phase_num", "ring", "barrier", "position"),
        "signal_phase_mvmt": ("signal_phase_mvmt_id", "timing_phase_id"),
    }
    for name, columns in required.items():
        assert tables[name], name
        for row in tables[name]:
            assert all(row[column] for column in columns), name
        keys = [row[columns[0]] for row in tables[name]]
        assert len(set(keys)) == len(keys), name

    def refers(table: str, column: str, other: str, key: str) -> None:
        assert {row[column] for row in tables[table]} - {""} <= {row[key] for row in tables[other]}

    refers("link", "from_node_id", "node", "node_id")
    refers("link", "to_node_id", "node", "node_id")
    refers("movement", "ib_link_id", "link", "link_id")
    refers("movement", "ob_link_id", "link", "link_id")
    refers("movement", "node_id", "node", "node_id")
    refers("signal_timing_plan", "controller_id", "signal_controller", "controller_id")
    refers("signal_timing_phase", "timing_plan_id", "signal_timing_plan", "timing_plan_id")
    refers("signal_phase_mvmt", "timing_phase_id", "signal_timing_phase", "timing_phase_id")
    refers("signal_phase_mvmt", "mvmt_id", "movement", "mvmt_id")
    assert {row["type"] for row in tables["movement"]} <= {"left", "right", "uturn", "thru"}
    assert {row["protection"] for row in tables["signal_phase_mvmt"]} <= {"protected", "permitted", "rtor"}
    assert all(0 <= float(row["clearance"]) <= 120 for row in tables["signal_timing_phase"])


def test_gmns_tables_without_our_columns_are_read(street: PlanSource, tmp_path: Path) -> None:
    folder = written(street, tmp_path, "gmns") / "gmns"
    path = folder / "signal_timing_phase.csv"
    rows = list(csv.reader(path.open(encoding="utf-8")))
    kept = [k for k, name in enumerate(rows[0]) if not name.startswith("opt_")]
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([[row[k] for k in kept] for row in rows])
    plans, _, _ = read_gmns(folder, street.network)
    assert plans[0].timings == street.plans[0].timings  # yellow and all-red are those of the signal
    text = path.read_text("utf-8").replace(",1,1,1\n", ",2,1,1\n", 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="ring 2 comes to barrier 1"):
        read_gmns(folder, street.network)


def test_utdf_keeps_its_invariants(street: PlanSource, tmp_path: Path) -> None:
    file = read_utdf(written(street, tmp_path, "utdf") / "utdf.csv")
    for node in ("1", "2"):
        phases = file.values("Phases", node)
        cycle = float(file.values("Timeplans", node)["Cycle Length"]["DATA"])
        for head, brp in phases["BRP"].items():
            if not head.startswith("D") or not brp:
                continue
            start, end, green, yellow, red, least, split = (
                float(phases[name][head])
                for name in ("Start", "End", "ActGreen", "Yellow", "AllRed", "MinGreen", "MinSplit")
            )
            assert (end - start) % cycle == pytest.approx(green + yellow + red)
            assert split == pytest.approx(least + yellow + red)
    assert {cells["TYPE"] for _, cells in file.sections["Nodes"]} == {"0", "1"}


FOREIGN = """[Network]\tNetwork Settings
RECORDNAME\tDATA
Metric\t0

[Nodes]
Node Data
INTID\tTYPE\tX\tY\tDESCRIPTION
2\t0\t0\t0\tMain St
[Lanes]
Lane Group Data
RECORDNAME\tINTID\tNBL\tNBT
Phase1\t2\t3\t8
[Timeplan]
Timing Plan Settings
RECORDNAME\tINTID\tDATA
Cycle Length\t2\t100.0
Referenced To\t2\t0
[Phases]
Phasing Data
RECORDNAME\tINTID\tD1\tD2
BRP\t2\t111\t121
Yellow\t2\t3\t3.6
"""


def test_a_file_of_another_program_is_read_and_its_limits_are_named(
    street: PlanSource, tmp_path: Path
) -> None:
    path = tmp_path / "their.csv"
    path.write_text(FOREIGN, encoding="utf-8")
    file = read_utdf(path)
    assert file.values("Phases", "2")["Yellow"]["D2"] == "3.6"
    assert file.values("Timeplans", "2")["Cycle Length"]["DATA"] == "100.0"
    with pytest.raises(InputError, match=r"no node of the file is a signal.*DESCRIPTION"):
        read_plans(path, street.network)
    name = next(iter(street.network.intersections))
    path.write_text(FOREIGN.replace("Main St", name), encoding="utf-8")
    with pytest.raises(InputError, match="the offset refers to '0', not to the first green"):
        read_plans(path, street.network)
    path.write_text(FOREIGN.replace("Main St", name).replace("Referenced To\t2\t0", "Referenced To\t2\t3").replace(
        "Yellow\t2", "ActGreen\t2\t10\t20\nYellow\t2"), encoding="utf-8")  # fmt: skip
    with pytest.raises(InputError, match="several rings"):
        read_plans(path, street.network)


def test_times_go_into_the_intervals_of_the_plan() -> None:
    timing = Timing(
        (Stage("Gr", 10, (Interval("yr", 3), Interval("rr", 1))), Stage("rG", 5, (Interval("ry", 3),)))
    )
    times = [StageTimes(12, 4, 2), StageTimes(6, 3, 1)]
    new = retimed(timing, times, 8.0, location="x")
    assert stage_times(new) == times
    assert new.stages[1].change == (Interval("ry", 3), Interval("rr", 1))
    assert retimed(timing, stage_times(timing), 0.0, location="x") == timing
    with pytest.raises(InputError, match="3 stages are given, the plan of the signal has 2"):
        retimed(timing, [*times, times[0]], 0.0, location="x")
    with pytest.raises(InputError, match="stage 1 has a green of 0 s"):
        retimed(timing, [StageTimes(0, 3, 1), times[1]], 0.0, location="x")


def test_the_commands_write_and_read(street: PlanSource, tiny_place: Any, cli: Call, tmp_path: Path) -> None:
    plan = street.files[0]
    place = ("--place", tiny_place.config)
    done = cli("export-plan", plan, *place, "--csv", "--utdf", "--gmns", "--sumo", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "note: gian_do_pha.csv has no states" in done.stdout
    assert (tmp_path / "out" / "plan.add.xml").is_file()
    again = cli(
        "plan", tiny_place.config, "--from", tmp_path / "out" / "utdf.csv", "--out", tmp_path / "p.json"
    )
    assert again.returncode == 0, again.stderr
    ours, theirs = (
        json.loads(file.read_text("utf-8"))["intersections"] for file in (plan, tmp_path / "p.json")
    )
    assert ours == theirs
    lost = cli("export-plan", plan, *place, "--geojson", "--out", tmp_path / "geo")
    assert lost.returncode == 2
    assert "the network has no projection to degrees" in lost.stderr
