"""Riders of two-wheelers: what a run's copies of the files hold, what is refused, and what riders then do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError
from denxanh.sim.run.repetition import open_run, record_trajectories
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo import wheel
from denxanh.sim.sumo.riders import Riders
from denxanh.sim.sumo.run_input import write_input

EDGES = (
    '<edges><edge id="in" from="a" to="b" numLanes="1" speed="13.89"/>'
    '<edge id="out" from="b" to="c" numLanes="1" speed="13.89"/></edges>'
)
NODES = (
    '<nodes><node id="a" x="0" y="0"/><node id="b" x="300" y="0" type="traffic_light"/>'
    '<node id="c" x="600" y="0"/></nodes>'
)


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, sumo_tool: Any) -> Path:
    """A street of one lane with a signal, motorbikes in pairs of seconds, cars between them."""
    folder = tmp_path_factory.mktemp("street")
    (folder / "a.nod.xml").write_text(NODES, encoding="utf-8")
    (folder / "a.edg.xml").write_text(EDGES, encoding="utf-8")
    sumo_tool("netconvert", folder / "a.net.xml", "-n", "a.nod.xml", "-e", "a.edg.xml")
    vehicles = "\n".join(
        f'<vehicle id="v{k}" type="{"bike" if k % 4 else "car"}" depart="{3 * k}">'
        '<route edges="in out"/></vehicle>'
        for k in range(200)
    )
    routes = (
        '<routes><vType id="bike" vClass="motorcycle" sigma="0"/>'
        '<vTypeDistribution id="both"><vType id="slow" vClass="bicycle" jmDriveAfterYellowTime="1"/>'
        '<vType id="car" sigma="0"/></vTypeDistribution>'
        f"{vehicles}</routes>"
    )
    (folder / "a.rou.xml").write_text(routes, encoding="utf-8")
    (folder / "more.add.xml").write_text(
        '<additional><vType id="moped" vClass="moped"/></additional>', encoding="utf-8"
    )
    return folder


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory, sumo_tool: Any) -> str:
    """Two one-way streets that cross at a signal, motorbikes on both."""
    folder = tmp_path_factory.mktemp("crossing")
    ends = {"w": (-200, 0), "e": (200, 0), "s": (0, -200), "n": (0, 200)}
    nodes = "".join(f'<node id="{name}" x="{x}" y="{y}"/>' for name, (x, y) in ends.items())
    nodes = f'<nodes><node id="m" x="0" y="0" type="traffic_light"/>{nodes}</nodes>'
    edges = "".join(
        f'<edge id="{a}{b}" from="{a}" to="{b}" speed="13.89"/>' for a, b in ("wm", "me", "sm", "mn")
    )
    (folder / "a.nod.xml").write_text(nodes, encoding="utf-8")
    (folder / "a.edg.xml").write_text(f"<edges>{edges}</edges>", encoding="utf-8")
    programs = ("--tls.yellow.time", "3", "--tls.allred.time", "2", "--tls.cycle.time", "60")
    sumo_tool("netconvert", folder / "a.net.xml", "-n", "a.nod.xml", "-e", "a.edg.xml", *programs)
    vehicles = "".join(
        f'<vehicle id="v{k}" type="bike" depart="{4 * k}"><route edges="{route}"/></vehicle>'
        f'<vehicle id="u{k}" type="bike" depart="{4 * k}"><route edges="{other}"/></vehicle>'
        for k in range(60)
        for route, other in [("wm me", "sm mn")]
    )
    (folder / "a.rou.xml").write_text(
        f'<routes><vType id="bike" vClass="motorcycle"/>{vehicles}</routes>', encoding="utf-8"
    )
    return f"{folder / 'a.net.xml'}+{folder / 'a.rou.xml'}"


def scenario(street: Path, riders: Mapping[str, float]) -> Scenario:
    return Scenario(
        "street",
        street / "a.net.xml",
        (street / "a.rou.xml",),
        (street / "more.add.xml",),
        end=600.0,
        riders=riders,
    )


def types_in(folder: Path) -> dict[str, dict[str, str]]:
    found = {}
    for path in [*folder.glob("routes-*.xml"), *folder.glob("additional-*.xml")]:
        for element in ElementTree.parse(path).getroot().iter("vType"):
            found[element.attrib["id"]] = dict(element.attrib)
    return found


def test_types_of_two_wheelers_get_the_attributes_in_every_file(street: Path, tmp_path: Path) -> None:
    riders = {"late_yellow": 2.0, "start_delay": 0.5}
    write_input(scenario(street, riders), tmp_path, seed=1, signals=())
    types = types_in(tmp_path)
    expected = {"jmDriveAfterYellowTime": "2", "startupDelay": "0.5"}
    for name in ("bike", "slow", "moped"):
        assert expected.items() <= types[name].items()
    assert not expected.keys() & types["car"].keys()


def test_without_riders_sumo_reads_the_files_themselves(street: Path, tmp_path: Path) -> None:
    write_input(scenario(street, {}), tmp_path, seed=1, signals=())
    assert not list(tmp_path.glob("routes-*.xml"))


def test_riders_without_two_wheelers_are_refused(tiny_place: Any, tmp_path: Path) -> None:
    given = replace(open_scenario(str(tiny_place.config)), riders={"late_yellow": 2.0})
    with pytest.raises(InputError, match="no vehicle type has the class of a two-wheeler"):
        write_input(given, tmp_path, seed=1, signals=())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"late_yelow": 1.0}, "there is no 'late_yelow'; did you mean 'late_yellow'"),
        ({"late_yellow": -1.0}, "late_yellow is -1.0; give a number from 0 to 10"),
        ({"start_delay": float("nan")}, "start_delay is nan"),
        ({"red_speed": 2.0}, "red_speed without late_red has no effect"),
        ({"early_start": 2.0}, "belong together; give both, or none"),
        ({"early_start": 2.0, "early_share": 1.5}, "early_share is 1.5; give a share from 0 to 1"),
    ],
)
def test_bad_values_are_refused(values: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Riders.of(values)


def entries(street: Path, folder: Path, riders: Mapping[str, float]) -> list[float]:
    """The second of the cycle at which each motorbike passes the stop line; 0 is the start of green."""
    given = write_input(scenario(street, riders), folder, seed=1, signals=())
    arguments = ["--vehroute-output", "v.xml", "--vehroute-output.exit-times"]
    wheel.run_program("sumo", [*given.arguments, *arguments], folder=folder, timeout=60)
    times = []
    for vehicle in ElementTree.parse(folder / "v.xml").getroot().iter("vehicle"):
        route = vehicle.find("route")
        if vehicle.get("type") == "bike" and route is not None:
            times.append(float(route.attrib["exitTimes"].split()[0]) % 90)
    return times


def in_yellow(times: list[float]) -> int:
    return sum(82 < t <= 85 for t in times)


def first_of_green(times: list[float], count: int) -> float:
    """How many pass within the first ``count`` s of green."""
    return sum(0 < t <= count for t in times)


def test_more_enter_on_yellow_with_late_yellow(street: Path, tmp_path: Path) -> None:
    without = entries(street, tmp_path / "a", {})
    late = entries(street, tmp_path / "b", {"late_yellow": 3.0})
    assert in_yellow(late) > in_yellow(without)


def test_some_enter_on_red_with_late_red(street: Path, tmp_path: Path) -> None:
    without = entries(street, tmp_path / "a", {})
    late = entries(street, tmp_path / "b", {"late_red": 2.0})
    assert not [t for t in without if t > 85]
    assert [t for t in late if t > 85]


def test_a_queue_takes_longer_to_leave_with_a_start_delay(street: Path, tmp_path: Path) -> None:
    without = entries(street, tmp_path / "a", {})
    late = entries(street, tmp_path / "b", {"start_delay": 1.0})
    assert first_of_green(late, 10) < first_of_green(without, 10)


def test_a_run_with_riders_says_so_and_repeats(street: Path, tmp_path: Path, cli: Any) -> None:
    place = f"{street / 'a.net.xml'}+{street / 'a.rou.xml'}"
    common = ("run", place, "-c", "program", "--end", "300", "--warm-up", "0", "--riders")
    done = cli(*common, "late_yellow=3,start_delay=0.5", "--out", tmp_path / "with")
    assert done.returncode == 0, done.stderr
    manifest = next((tmp_path / "with").rglob("manifest.json"))
    assert '"late_yellow": 3.0' in manifest.read_text(encoding="utf-8")
    again = record_trajectories(open_run(manifest.parent))  # refuses another run than the stored one
    assert len(again) > 0
    wrong = cli(*common, "late=3")
    assert wrong.returncode != 0
    assert "there is no 'late'" in wrong.stderr


def manifest_of(cli: Any, out: Path, place: str, *more: str) -> dict[str, Any]:
    """The manifest of a run of 300 s, written into ``out``."""
    done = cli("run", place, "--end", "300", "--warm-up", "0", *more, "--out", out)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(next(out.rglob("manifest.json")).read_text("utf-8"))
    return found


EARLY = ("--riders", "early_start=2,early_share=1")


def test_riders_who_start_early_lose_less(crossing: str, tmp_path: Path, cli: Any) -> None:
    """SUMO runs the signal."""
    without = manifest_of(cli, tmp_path / "without", crossing, "-c", "program")
    early = manifest_of(cli, tmp_path / "early", crossing, "-c", "program", *EARLY)
    assert 0.2 < without["metrics"]["delay_s"] - early["metrics"]["delay_s"] < 2.5
    assert without["sumo_repeats"]
    with pytest.raises(InputError, match="riders who start before green"):
        record_trajectories(open_run(next((tmp_path / "early").rglob("manifest.json")).parent))


def test_both_backends_start_riders_early(crossing: str, tmp_path: Path, cli: Any) -> None:
    """A policy controls the signal."""
    runs = {
        name: manifest_of(cli, tmp_path / name, crossing, "-c", "webster", *more)
        for name, more in {"early": EARLY, "traci": (*EARLY, "--backend", "traci"), "without": ()}.items()
    }
    assert runs["early"]["tripinfo_sha256"] == runs["traci"]["tripinfo_sha256"]
    assert runs["early"]["metrics"]["delay_s"] < runs["without"]["metrics"]["delay_s"] - 0.2
