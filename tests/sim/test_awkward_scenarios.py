"""Scenarios that are right for SUMO and unusual: every strategy runs on them, and what it shows is its own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from denxanh.networks.scenarios import open_scenario
from denxanh.sim.network_reader import network_of
from denxanh.sim.plan import Plan

WAUT = """<additional>
    <tlLogic id="A0" type="static" programID="evening" offset="0">{phases}</tlLogic>
    <WAUT id="w" refTime="0" startProg="0"><wautSwitch time="100" to="evening"/></WAUT>
    <wautJunction wautID="w" junctionID="A0"/>
</additional>
"""


def phases(net: Path) -> str:
    """The phases of the signal A0, as XML."""
    found = re.search(r'<tlLogic id="A0".*?>(.*?)</tlLogic>', net.read_text("utf-8"), re.DOTALL)
    assert found
    return found.group(1)


def ran(cli: Any, config: Path, controller: str, *more: str) -> tuple[dict[str, Any], Path]:
    """(manifest, folder) of a run."""
    out = config.parent / f"out-{re.sub('[^a-z]', '-', controller)}"
    ended = cli("run", str(config), "-c", controller, "--warm-up", "0", "--out", str(out), *more)
    assert ended.returncode == 0, ended.stderr
    return json.loads((out / "manifest.json").read_text("utf-8")), out


def test_switching_times_of_the_scenario_leave_programs_of_a_controller_alone(
    tiny_place: Any, tmp_path: Path, cli: Any
) -> None:
    for path in (tiny_place.net, tiny_place.routes):
        shutil.copy(path, tmp_path)
    more = tmp_path / "waut.add.xml"
    more.write_text(WAUT.format(phases=phases(tiny_place.net)), encoding="utf-8")
    config = tmp_path / "w.sumocfg"
    text = tiny_place.config.read_text("utf-8")
    config.write_text(
        text.replace("<route-files", f'<additional-files value="{more.name}"/><route-files'), encoding="utf-8"
    )
    for controller, programs in (("program", {"0", "evening"}), ("sumo:actuated", {"denxanh-sumo"})):
        _, out = ran(cli, config, controller)
        rows = pq.read_table(out / "signals.parquet").to_pylist()
        assert {row["program"] for row in rows if row["signal"] == "A0"} == programs


def test_a_name_of_a_phase_that_xml_does_not_allow(tiny_place: Any, tmp_path: Path, cli: Any) -> None:
    """SUMO writes it unescaped into what it says of its signals."""
    for path in (tiny_place.routes, tiny_place.config):
        shutil.copy(path, tmp_path)
    net = tiny_place.net.read_text("utf-8").replace("<phase ", '<phase name="N &amp; S" ')
    (tmp_path / tiny_place.net.name).write_text(net, encoding="utf-8")
    manifest, out = ran(cli, tmp_path / tiny_place.config.name, "program")
    assert manifest["metrics"]["arrived"] > 50
    assert len(pq.read_table(out / "signals.parquet")) > 20


def test_a_folder_whose_name_holds_a_comma(tiny_place: Any, tmp_path: Path, cli: Any) -> None:
    """SUMO splits lists of files at commas; trips must be routed there too."""
    folder = tmp_path / "Ngã tư, số 1"
    folder.mkdir()
    for path in (tiny_place.net, tiny_place.config):
        shutil.copy(path, folder)
    (folder / tiny_place.routes.name).write_text(
        '<routes><flow id="f" from="left0A0" to="B0right0" begin="0" end="100" period="5"/></routes>', "utf-8"
    )
    manifest, _ = ran(cli, folder / tiny_place.config.name, "webster")
    assert manifest["metrics"]["loaded"] == 20


@pytest.mark.parametrize(
    ("controller", "said"),
    [
        ("max-pressure:interval=0", "interval is 0; give a number above 0"),
        ("actuated:max_green=-5", "max_green is -5; give a number above 0"),
        ("max-pressure-cyclic:eta=-3", "eta is -3; give 0 or more"),
    ],
)
def test_an_impossible_parameter_is_refused(tiny_place: Any, here: Any, controller: str, said: str) -> None:
    ended = here("run", str(tiny_place.config), "-c", controller)
    assert ended.status == 2
    assert said in " ".join(ended.stderr.split())


def test_a_minimum_above_the_maximum_is_refused(tiny_place: Any, here: Any) -> None:
    ended = here("run", str(tiny_place.config), "-c", "actuated", "--safety", "min_green=20,max_green=3")
    assert ended.status == 2
    assert "give a maximum that is not below the minimum" in " ".join(ended.stderr.split())


def test_rules_hold_for_the_plan_that_runs_not_for_the_one_it_replaces(
    tiny_place: Any, tmp_path: Path, cli: Any
) -> None:
    """Greens of 8 s leave no room for 4 s more of all-red; those of a plan brought along do."""
    plan = tmp_path / "plan.json"
    network = network_of(open_scenario(str(tiny_place.config)))
    timings = {name: intersection.program for name, intersection in network.intersections.items()}
    plan.write_text(json.dumps(Plan(timings).to_json()), encoding="utf-8")
    for path in (tiny_place.routes, tiny_place.config):
        shutil.copy(path, tmp_path)
    net = re.sub(r'<phase duration="\d{2,}"', '<phase duration="8"', tiny_place.net.read_text("utf-8"))
    (tmp_path / tiny_place.net.name).write_text(net, encoding="utf-8")
    config, rules = tmp_path / tiny_place.config.name, ("--safety", "all_red=4")
    refused = cli("run", str(config), "-c", "max-pressure", "--out", str(tmp_path / "no"), *rules)
    assert refused.returncode == 2
    assert "give a plan with longer greens" in " ".join(refused.stderr.split())
    manifest, _ = ran(cli, config, f"fixed-time:plan={plan}", *rules)
    assert manifest["metrics"]["fallbacks"] == 0
