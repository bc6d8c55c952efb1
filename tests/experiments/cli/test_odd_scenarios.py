"""What users bring beside plain cars on plain signals: each is checked and run, and nothing is left of the traffic."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from denxanh.sim.run.store import read_table
from denxanh.sim.sumo import wheel

FLOWS = "".join(
    f'<flow id="{number}" from="{start}" to="{end}" begin="0" end="60" period="6"/>'
    for number, (start, end) in enumerate([("left0A0", "B0right0"), ("top0A0", "A0bottom0")])
)
TAXI = """<vType id="taxi" vClass="taxi"><param key="has.taxi.device" value="true"/></vType>
<vehicle id="tx" type="taxi" depart="0"><route edges="left0A0 A0B0"/></vehicle>
<personFlow id="pf" begin="0" end="60" period="40"><walk from="A0B0" to="B0right0"/></personFlow>
<container id="c" depart="0"><tranship from="A0B0" to="B0right0" speed="5"/></container>
<person id="p" depart="1"><ride from="left0A0" to="B0right0" lines="taxi"/></person>"""
MIX = """<vTypeDistribution id="mix"><vType id="a" probability="0.7"/>
<vType id="m" vClass="motorcycle" probability="0.3"/></vTypeDistribution>
<routeDistribution id="ways"><route id="r1" edges="left0A0 A0B0 B0right0" probability="2"/>
<route id="r2" edges="left0A0 A0top0" probability="1"/></routeDistribution>
<flow id="f" type="mix" route="ways" begin="0" end="60" vehsPerHour="900"/>"""
MORE = """<laneAreaDetector id="e2" lane="A0B0_0" pos="10" endPos="100" period="60" file="e2.xml"/>
<route id="r0" edges="left0A0 A0B0 B0right0"/>
<calibrator id="cal" edge="left0A0" pos="0" period="60" output="cal.xml">
<flow begin="0" end="60" route="r0" vehsPerHour="500" speed="10"/></calibrator>
<rerouter id="rr" edges="left0A0"><interval begin="20" end="40"><closingReroute id="A0B0" disallow="truck"/></interval>
</rerouter>
<variableSpeedSign id="v" lanes="A0B0_0"><step time="0" speed="8"/></variableSpeedSign>
<poly id="x" shape="0,0 1,1 2,0" color="red"/><poi id="pp" x="0" y="0"/>"""


def scenario(folder: Path, *net: str, demand: str = FLOWS, more: str = "", **options: str) -> Path:
    """Two signals in a street, packed, in files with awkward names; returns the configuration."""
    size = [
        "--grid.x-number",
        "2",
        "--grid.y-number",
        "1",
        "--grid.length",
        "200",
        "--grid.attach-length",
        "150",
    ]
    basic = [
        "--grid",
        *size,
        "-L",
        "2",
        "-j",
        "traffic_light",
        "--no-turnarounds",
        "-o",
        "g.net.xml",
    ]
    wheel.run_program("netgenerate", [*basic, *net], folder=folder)
    packed = gzip.compress((folder / "g.net.xml").read_bytes())
    (folder / "mạng.net.xml.gz").write_bytes(packed)
    (folder / "lưu lượng.rou.xml").write_text(f"<routes>{demand}</routes>", encoding="utf-8")
    values = {"net-file": "mạng.net.xml.gz", "route-files": "lưu lượng.rou.xml", "end": "60", **options}
    if more:
        (folder / "a.add.xml").write_text(f"<additional>{more}</additional>", encoding="utf-8")
        values["additional-files"] = "a.add.xml"
    inner = "".join(f'<{key} value="{value}"/>' for key, value in values.items())
    (folder / "phố Huế.sumocfg").write_text(f"<configuration>{inner}</configuration>", encoding="utf-8")
    return folder / "phố Huế.sumocfg"


@pytest.mark.parametrize(
    ("net", "asked"),
    [
        (("--lefthand", "--sidewalks.guess", "--crossings.guess"), {}),
        (
            ("--no-internal-links", "--tls.default-type", "delay_based"),
            {"begin": "00:00:10", "step-length": "0.5"},
        ),
        ((), {"demand": FLOWS + TAXI, "scale": "1.5", "time-to-teleport": "-1"}),
        ((), {"demand": MIX, "more": MORE, "lateral-resolution": "0.8", "step-length": "0.5"}),
    ],
    ids=["left-hand, on foot", "no internal links, delay based", "taxi and persons", "additional"],
)
def test_it_is_checked_and_run(
    net: tuple[str, ...], asked: dict[str, Any], here: Any, tmp_path: Path
) -> None:
    config = scenario(tmp_path, *net, **asked)
    checked = here("check", config)
    assert checked.status == 0, checked.stderr
    assert "ready: 2 signals can be controlled" in checked.stdout
    ran = here("run", config, "-c", "max-pressure", "--out", tmp_path / "out")
    assert ran.status == 0, ran.stderr
    wanted = re.search(r"Vehicles that wanted to travel +│ +(\d+)", ran.stdout)
    collisions = re.search(r"Collisions +│ +(\d+)", ran.stdout)
    assert wanted
    assert int(wanted[1]) > 5
    assert collisions
    assert int(collisions[1]) == 0


def figures(stdout: str, what: str) -> float:
    found = re.search(rf"{what} +│ +([\d.]+)", stdout)
    assert found, stdout
    return float(found[1])


def test_predictive_shows_no_conflict_where_internal_lanes_are_missing(here: Any, tmp_path: Path) -> None:
    config = scenario(tmp_path, "--no-internal-links", "--tls.left-green.time", "6")
    ran = here("run", config, "-c", "predictive", "--out", tmp_path / "out")
    assert ran.status == 0, ran.stderr
    assert figures(ran.stdout, "Collisions") == 0
    signals = read_table(tmp_path / "out" / "signals.parquet")
    assert all("r" in state for state in signals["state"])


def test_a_signal_under_predictive_falls_back_to_its_plan(here: Any, tmp_path: Path) -> None:
    config = scenario(tmp_path, end="120")
    ran = here("run", config, "-c", "predictive", "--safety", "max_red=20", "--out", tmp_path / "out")
    assert ran.status == 0, ran.stderr
    assert "fell back to its fixed plan (refused)" in ran.stdout + ran.stderr


ASKED_EVERY_STEP = """actuated volume-density predictive rolling-horizon max-pressure max-pressure-cyclic
max-pressure-capacity max-pressure-position max-pressure-switching max-wave sotl delay-based longest-queue nema
scoot-like scats-like webster green-wave""".split()


@pytest.mark.parametrize("controller", ASKED_EVERY_STEP)
def test_a_minimum_green_between_two_steps_is_rounded_up(controller: str, here: Any, tmp_path: Path) -> None:
    config = scenario(tmp_path, end="60", **{"step-length": "1.5"})
    ran = here("run", config, "-c", controller, "--out", tmp_path / "out")
    assert ran.status == 0, ran.stderr
    assert figures(ran.stdout, "Signals that fell back to their plan") == 0


def test_times_beyond_six_digits_are_kept(here: Any, bare_sumo: Any, tmp_path: Path) -> None:
    demand = FLOWS.replace('begin="0" end="60"', 'begin="1234567" end="1234617"')
    config = scenario(tmp_path, demand=demand, begin="1234567", end="1234617")
    ran = here("run", config, "-c", "program", "--keep-sumo-output", "--out", tmp_path / "out")
    assert ran.status == 0, ran.stderr
    text = (tmp_path / "out" / "run.sumocfg").read_text("utf-8")
    assert '<begin value="1234567"' in text
    assert '<end value="1234617"' in text


def test_people_with_a_car_of_their_own_bring_it(here: Any, tmp_path: Path) -> None:
    person = '<person id="p" depart="61"><personTrip from="left0A0" to="B0right0" modes="car"/></person>'
    config = scenario(tmp_path, demand=FLOWS + person, end="120")
    ran = here("run", config, "-c", "program", "--out", tmp_path / "out")
    assert ran.status == 0, ran.stderr


PROBED = """<routeProbe id="p" edge="left0A0" period="30" file="probe.xml"/>
<calibrator id="c" edge="left0A0" pos="0" period="30" routeProbe="p">
<flow begin="0" end="60" vehsPerHour="600"/></calibrator>"""


def test_a_calibrator_keeps_its_route_probe(here: Any, tmp_path: Path) -> None:
    config = scenario(tmp_path, more=PROBED)
    ran = here("run", config, "-c", "program", "--out", tmp_path / "out")
    assert ran.status == 0, ran.stderr
    assert not list(tmp_path.rglob("probe.xml"))


@pytest.mark.parametrize("backend", ["libsumo", "traci"])
def test_what_sumo_refuses_is_said_in_its_words(backend: str, here: Any, tmp_path: Path) -> None:
    config = scenario(tmp_path, more=PROBED.replace('id="p" edge', 'id="other" edge'))
    ran = here("run", config, "-c", "program", "--backend", backend, "--out", tmp_path / "out")
    assert ran.status != 0
    assert "routeProbe 'p'" in ran.stderr


def test_the_mesoscopic_model_is_said_to_be_left(here: Any, tmp_path: Path) -> None:
    config = scenario(tmp_path, mesosim="true")
    assert "asks for SUMO's mesoscopic model" in here("check", config).stdout
