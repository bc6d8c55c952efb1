"""A program that SUMO does not run by the clock is never taken for a fixed plan without a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from denxanh.controllers.fixed.fixed_time import FixedTime
from denxanh.controllers.layers.police import Police
from denxanh.controllers.layers.priority import Priority
from denxanh.controllers.registry import controllers, load
from denxanh.experiments.formats.existing_plan import existing_plan
from denxanh.experiments.study.place_check import check_place
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import network_of
from denxanh.sim.plan import Plan
from denxanh.sim.signals.planned_network import with_plan

LAYERS = sorted(name for name in controllers() if hasattr(load(name), "over"))
SWITCHING = """<additional><tlLogic id="A0" type="static" programID="evening" offset="0">{phases}</tlLogic>
<WAUT id="w" refTime="0" startProg="0"><wautSwitch time="{time}" to="{to}"/></WAUT>
<wautJunction wautID="w" junctionID="A0"/></additional>"""

Place = Callable[..., Path]


@pytest.fixture
def place(tiny_place: Any, tmp_path: Path) -> Place:
    """The two signals of the tiny street with programs of a type: ``place("actuated")`` is its configuration."""

    def write(kind: str, additional: str = "") -> Path:
        net = tiny_place.net.read_text("utf-8").replace('type="static"', f'type="{kind}"')
        net = net.replace('programID="0"', 'programID="denxanh"' if kind == "actuated" else 'programID="0"')
        (tmp_path / tiny_place.net.name).write_text(net, "utf-8")
        (tmp_path / tiny_place.routes.name).write_text(tiny_place.routes.read_text("utf-8"), "utf-8")
        config = tmp_path / "place.sumocfg"
        text = tiny_place.config.read_text("utf-8")
        if additional:
            (tmp_path / "more.add.xml").write_text(additional, "utf-8")
            text = text.replace("<route-files", '<additional-files value="more.add.xml"/><route-files')
        config.write_text(text, "utf-8")
        return config

    return write


def network(config: Path) -> Network:
    return network_of(open_scenario(str(config)))


def switching(tiny_place: Any, time: float, to: str) -> str:
    net = tiny_place.net.read_text("utf-8")
    start = net.index(">", net.index('<tlLogic id="A0"')) + 1
    return SWITCHING.format(phases=net[start : net.index("</tlLogic>", start)], time=time, to=to)


@pytest.mark.parametrize("kind", ["actuated", "delay_based"])
@pytest.mark.parametrize("over", ["program", "police:over=program", "police:over=police:over=program"])
@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_over_a_program_that_detectors_drive_is_refused(
    place: Place, layer: str, over: str, kind: str
) -> None:
    """It ran the durations of the program by the clock, without a word."""
    found = network(place(kind))
    with pytest.raises(
        InputError, match="leaves signal 'A0' to its program, and SUMO runs that as"
    ) as refusal:
        load(layer)(over=over).start(found)
    assert "\n" not in str(refusal.value)


def test_the_layer_runs_over_a_program_by_the_clock_and_over_a_plan_of_all_signals(
    place: Place, tmp_path: Path
) -> None:
    assert set(Priority(over="program").start(network(place("static")))) == {"A0", "B0"}
    found = network(place("actuated"))
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(existing_plan(found).to_json()), "utf-8")
    layer = Police(over=f"fixed-time:plan={file}")
    assert set(layer.start(with_plan(found, layer.make_plan(found)))) == {"A0", "B0"}


def test_a_plan_of_some_signals_leaves_the_others_to_sumo_or_is_refused_under_a_layer(
    place: Place, tmp_path: Path
) -> None:
    """Also where the network's own program is named as those that ``denxanh optimize`` writes."""
    found = network(place("actuated"))
    assert {i.program_id for i in found.intersections.values()} == {"denxanh"}
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(Plan({"A0": found.intersections["A0"].program}).to_json()), "utf-8")
    alone = FixedTime(str(file))
    planned = with_plan(found, alone.make_plan(found))
    assert set(alone.start(planned)) == {"A0"}
    with pytest.raises(InputError, match="leaves signal 'B0' to its program"):
        Police(over=f"fixed-time:plan={file}").start(planned)


@pytest.mark.parametrize(
    ("time", "to", "refused"), [(100, "evening", True), (300, "evening", False), (100, "0", False)]
)
def test_a_layer_over_a_program_that_switching_times_change_during_the_run_is_refused(
    place: Place, tiny_place: Any, time: float, to: str, refused: bool
) -> None:
    """The run ends at 300 s; a switch to the program that runs already changes nothing."""
    found = network(place("static", switching(tiny_place, time, to)))
    assert found.by_operation() == ({"switched": ("A0",)} if refused else {})
    if refused:
        with pytest.raises(InputError, match="switching times"):
            Priority(over="program").start(found)
    else:
        assert set(Priority(over="program").start(found)) == {"A0", "B0"}


def test_the_command_line_refuses_and_check_says_so(place: Place, cli: Any, tmp_path: Path) -> None:
    config = place("actuated")
    ended = cli("run", config, "-c", "priority:over=program", "--out", tmp_path / "out")
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    assert "'program' leaves signal 'A0' to its program" in " ".join(ended.stderr.split())
    said = [w.en for w in check_place(open_scenario(str(config))).warnings if "actuated" in w.en]
    assert len(said) == 1
    assert "at 2 signals (A0, B0)" in said[0]
    assert "green-wave" in said[0]
    ended = cli("run", config, "-c", "green-wave", "--end", "60", "--out", tmp_path / "wave")
    assert ended.returncode == 0, ended.stderr
    assert said[0] in " ".join(ended.stdout.split())
