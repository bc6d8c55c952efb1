"""Places: what is taken over from a user's configuration, what is ignored and said, what is refused."""

from __future__ import annotations

import gzip
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.definition.expand import _open
from denxanh.experiments.definition.experiment_file import ExperimentFile
from denxanh.experiments.optimize.tuning_problem import prepare_problem
from denxanh.experiments.report.comparison_report import _notes
from denxanh.experiments.specification.identity import scenario_digest
from denxanh.experiments.study.place_check import check_place
from denxanh.networks.scenarios import CLEARING, open_scenario, read_config
from denxanh.sim.errors import InputError
from denxanh.sim.network_reader import network_of
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.options import check_options


@pytest.fixture
def config(tiny_place: Any, tmp_path: Path) -> Any:
    """Write a configuration for the tiny place; gives its path."""

    def write(rows: str, root: str = "configuration") -> Path:
        path = tmp_path / "c.sumocfg"
        net, routes = tiny_place.net.as_posix(), tiny_place.routes.as_posix()
        path.write_text(
            f'<{root}><net-file value="{net}"/><route-files value="{routes}"/>{rows}</{root}>',
            encoding="utf-8",
        )
        return path

    return write


def test_the_whitelisted_keys_are_taken_over(config: Any) -> None:
    scenario = read_config(
        config(
            '<time><begin value="0:01:00"/><end value="360"/></time><step-length value="0.5"/>'
            '<time-to-teleport value="-1"/><lateral-resolution value="0.8"/><seed value="7"/>'
            '<device.rerouting.probability value="0.5"/><verbose value="true"/>'
        )
    )
    assert (scenario.begin, scenario.end, scenario.step) == (60.0, 360.0, 0.5)
    assert scenario.options == {
        "time-to-teleport": "-1", "lateral-resolution": "0.8", "device.rerouting.probability": "0.5",
    }  # fmt: skip
    assert scenario.notes == ()  # the seed is ours, and talking is nobody's loss


def test_everything_else_is_ignored_and_named(config: Any) -> None:
    outputs = ("tripinfo-output", "fcd-output", "remote-port", "load-state", "device.ssm.file", "gui-only")
    scenario = read_config(config("".join(f'<{key} value="x"/>' for key in outputs)))
    assert scenario.options == {}
    (note,) = scenario.notes
    for key in outputs:
        assert key in note


@pytest.mark.parametrize("root", ["configuration", "sumoConfiguration"])
def test_short_names_of_options_are_understood(root: str, config: Any) -> None:
    scenario = read_config(config('<b value="10"/><e value="90"/>', root))
    assert (scenario.begin, scenario.end) == (10.0, 90.0)


def test_a_place_is_a_file_a_folder_or_net_and_routes(tiny_place: Any) -> None:
    by_file, by_folder = open_scenario(str(tiny_place.config)), open_scenario(str(tiny_place.folder))
    assert by_file == by_folder
    joined = open_scenario(f"{tiny_place.net}+{tiny_place.routes}", end=300.0)
    assert (joined.net, joined.routes) == (by_file.net, by_file.routes)


def test_an_end_of_ones_own_replaces_the_configured(tiny_place: Any) -> None:
    assert open_scenario(str(tiny_place.config), end=120.0).end == 120.0
    with pytest.raises(InputError, match="the end 0 s is not after the begin 0 s"):
        open_scenario(str(tiny_place.config), end=0.0)


@pytest.mark.parametrize("rows", ["", '<end value="-1"/>'])
def test_without_an_end_the_last_vehicle_gets_an_hour(rows: str, config: Any) -> None:
    scenario = open_scenario(str(config(rows)))
    assert scenario.end == 297.0 + CLEARING
    assert any("no end" in note for note in scenario.notes)


def test_a_built_in_place_says_that_its_demand_is_synthetic() -> None:
    scenario = open_scenario("ha-noi/pho-hue")
    assert scenario.name == "ha-noi/pho-hue"
    assert any("synthetic" in note for note in scenario.notes)
    with pytest.raises(InputError, match="'metre' is neither a fidelity"):
        open_scenario("ha-noi/pho-hue:metre")


def test_a_scenario_crosses_processes_as_json(config: Any) -> None:
    scenario = read_config(config('<scale value="1.5"/><tripinfo-output value="x"/>'))
    assert Scenario.from_json(scenario.to_json()) == scenario
    known = replace(scenario, plan_source="cabinet sheet of 2026-03-01")
    assert Scenario.from_json(known.to_json()) == known


def test_a_plan_is_assumed_unless_its_source_is_known(config: Any) -> None:
    place = open_scenario("ha-noi/hoang-dao-thuy")
    assert (place.plan_source, place.plan_is_assumed) == ("assumed", True)
    own = read_config(config(""))
    assert (own.plan_source, own.plan_is_assumed) == ("", True)
    assert not replace(own, plan_source="cabinet sheet of 2026-03-01").plan_is_assumed
    old = {key: value for key, value in own.to_json().items() if key != "plan_source"}
    assert Scenario.from_json(old) == own


def test_the_source_of_a_plan_does_not_change_the_identity_of_a_run(config: Any) -> None:
    scenario = read_config(config(""))
    known = replace(scenario, plan_source="cabinet sheet of 2026-03-01")
    assert scenario_digest(known, {}) == scenario_digest(scenario, {})


@pytest.mark.parametrize(
    ("name", "good", "bad", "wanted"),
    [
        ("time-to-teleport", "-1", "never", "a time in seconds"),
        ("time-to-teleport", "0:05:00", "", "a time in seconds"),
        ("lateral-resolution", "0.8", "wide", "a number"),
        ("lateral-resolution", ".8", "nan", "a finite number"),
        ("max-num-vehicles", "-1", "1.5", "a whole number"),
        ("collision.check-junctions", "true", "maybe", "true or false"),
    ],
)
def test_an_option_s_value_must_be_of_its_kind(name: str, good: str, bad: str, wanted: str) -> None:
    check_options({name: good}, "here")
    with pytest.raises(InputError) as caught:
        check_options({name: bad}, "here")
    assert str(caught.value) == f"here: {name} is {bad!r}, which is not {wanted}; give {wanted}."


def test_a_built_in_place_can_be_opened_more_than_once_in_a_process() -> None:
    """A function of `networks` with the name of a room, as ``build``, is replaced when that room is imported."""
    assert open_scenario("ha-noi/pho-hue") == open_scenario("ha-noi/pho-hue")


PLUS = (
    "C++/g.net.xml+C++/r.rou.xml",
    "C++/g.net.xml+C++/r.rou.xml+C++/a+b.rou.xml.gz",
    "C++/g.net.xml+C++/plain+routes",
)


@pytest.mark.parametrize("text", PLUS)
def test_a_plus_in_a_name_does_not_divide_net_and_routes(
    text: str, tiny_place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "C++"
    folder.mkdir()
    shutil.copy(tiny_place.net, folder / "g.net.xml")
    for name in ("r.rou.xml", "plain+routes"):
        shutil.copy(tiny_place.routes, folder / name)
    (folder / "a+b.rou.xml.gz").write_bytes(gzip.compress(tiny_place.routes.read_bytes()))
    monkeypatch.chdir(tmp_path)
    scenario = open_scenario(text, end=60.0)
    names = [str(scenario.net), *map(str, scenario.routes)]
    assert "+".join(names) == text.replace("/", os.sep)
    assert all(Path(name).is_file() for name in names)


@pytest.mark.parametrize("text", ["g.net.xml+", "g.net.xml+nothing", "C++/g.net.xml+C++/r.rou.xml"])
def test_a_missing_route_file_is_named(text: str, tiny_place: Any, tmp_path: Path, monkeypatch: Any) -> None:
    shutil.copy(tiny_place.net, tmp_path / "g.net.xml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        open_scenario(text)


def test_a_place_of_an_experiment_may_have_a_plus_in_its_name(tiny_place: Any, tmp_path: Path) -> None:
    folder = tmp_path / "C++"
    folder.mkdir()
    shutil.copy(tiny_place.net, folder / "g.net.xml")
    shutil.copy(tiny_place.routes, folder / "r.rou.xml")
    file = ExperimentFile(places=["C++/g.net.xml+C++/r.rou.xml"], controllers=["program"], end=60.0)
    inside = _open("C++/g.net.xml+C++/r.rou.xml", tmp_path, file)
    beside = _open("g.net.xml+r.rou.xml", folder, file)
    assert inside.net == beside.net == folder / "g.net.xml"
    assert inside.routes == beside.routes == (folder / "r.rou.xml",)


@pytest.mark.parametrize(("word", "off"), [("true", True), ("1", True), ("ON", True), ("false", False)])
def test_signals_that_are_switched_off_are_named(word: str, off: bool, config: Any) -> None:
    scenario = read_config(config(f'<tls.all-off value="{word}"/>'))
    assert scenario.signals_off is off
    assert any("switches every signal off" in note for note in scenario.notes) is off


def test_check_and_report_say_that_signals_are_off_and_optimize_refuses(config: Any, tmp_path: Path) -> None:
    scenario = replace(read_config(config('<tls.all-off value="true"/>')), end=60.0)
    checked = check_place(scenario)
    assert all(line.endswith("switched off") for line in checked.plans)
    assert any("tls.all-off" in warning.en for warning in checked.warnings)
    (note,) = (note for note in _notes(scenario, network_of(scenario)) if "tls.all-off" in note.en)
    assert note.vi != note.en
    with pytest.raises(InputError, match="no plan would run"):
        prepare_problem(scenario, folder=tmp_path, workers=1)
