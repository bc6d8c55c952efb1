"""Vehicles that stand at stops, roads with awkward names, and what SUMO alone refuses, by the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BUS = (
    '<vehicle id="bus" type="b" depart="0" departLane="{lane}"><route edges="top0A0 A0bottom0"/>'
    '<stop lane="top0A0_0" endPos="80" until="300"/></vehicle>'
)
CARS = '<flow id="f" begin="0" period="4" from="left0A0" to="B0right0"/>'


def config(folder: Path, net: Path, body: str, end: int = 300) -> Path:
    (folder / "r.rou.xml").write_text(
        f'<routes><vType id="b" vClass="bus"/>{body}</routes>', encoding="utf-8"
    )
    path = folder / "c.sumocfg"
    path.write_text(
        f'<configuration><net-file value="{net}"/><route-files value="r.rou.xml"/>'
        f'<end value="{end}"/></configuration>'
    )
    return path


def metrics(cli: Callable[..., Any], place: Path, *options: str) -> dict[str, float]:
    out = place.parent / "out"
    done = cli("run", place, "--out", out, *options)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads((out / "manifest.json").read_text("utf-8"))["metrics"]
    return found


@pytest.mark.parametrize("backend", ["libsumo", "traci"])
def test_who_stands_at_a_stop_calls_for_no_green_and_is_no_queue(
    tmp_path: Path, tiny_place: Any, cli: Callable[..., Any], backend: str
) -> None:
    place = config(tmp_path, tiny_place.net, BUS.format(lane="0") + CARS)
    found = metrics(cli, place, "-c", "delay-based", "--backend", backend)
    assert found["delay_s"] < 6.0  # with the bus calling it is above 20
    assert found["queue_mean_veh"] < 0.3  # the bus alone would be 1


def test_a_road_with_an_ampersand_is_driven_on(
    tmp_path: Path, tiny_place: Any, cli: Callable[..., Any]
) -> None:
    net = tmp_path / "amp.net.xml"
    net.write_text(
        tiny_place.net.read_text("utf-8").replace("left0A0", "A&amp;B").replace("A0B0", "O&apos;N"), "utf-8"
    )
    place = config(
        tmp_path, net, '<vehicle id="a" depart="0"><route edges="A&amp;B O&#39;N"/></vehicle>', 100
    )
    assert metrics(cli, place, "-c", "program")["arrived"] == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('<trip id="a" type="no" depart="0" from="left0A0" to="B0right0"/>', "vehicle type 'no'"),
        ('<vehicle id="a" depart="200" route="no"/>', "route 'no'"),
        (CARS + '<trip id="f.1" depart="0" from="left0A0" to="B0right0" departPos="foo"/>', "departPos"),
    ],
)
def test_what_sumo_alone_refuses_is_refused_by_check(
    tmp_path: Path, tiny_place: Any, here: Callable[..., Any], body: str, words: str
) -> None:
    done = here("check", config(tmp_path, tiny_place.net, body))
    assert done.status == 2
    assert words in done.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('length="', 'length="nan" was="'),
        ('speed="', 'speed="inf" was="'),
        ('linkIndex="', 'linkIndex="-3" was="'),
        ('foes="', 'foes="01x" was="'),
        ('foes="', 'foes="1" was="'),
        ('duration="', 'duration="nan" was="'),
        ('fromLane="0"', 'fromLane="9"'),
    ],
)
def test_a_network_with_an_impossible_number_is_refused_by_check(
    tmp_path: Path, tiny_place: Any, here: Callable[..., Any], old: str, new: str
) -> None:
    net = tmp_path / "bad.net.xml"
    net.write_text(tiny_place.net.read_text("utf-8").replace(old, new, 1), "utf-8")
    done = here("check", config(tmp_path, net, CARS))
    assert (done.status, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
