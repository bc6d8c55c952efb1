"""Each kind of event does what it says while it lasts, and nothing before or after; every run repeats to the byte."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from denxanh.experiments.compare import specify_runs
from denxanh.experiments.runs.worker import job
from denxanh.experiments.specification.events import read_events
from denxanh.experiments.specification.run_options import read_options
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError

SCRIPT = (
    "import sys, pathlib\n"
    "from denxanh.experiments.runs.worker import run_job\n"
    "sys.exit(run_job(pathlib.Path(sys.argv[1])))"
)


@pytest.fixture
def happen(tiny_place: Any, tmp_path: Path) -> Any:
    """Run a controller on the tiny street with events; gives (manifest, folder)."""
    count = 0

    def run(
        events: str, controller: str = "program", sensing: str = "ideal", backend: str = "libsumo"
    ) -> tuple[dict[str, Any], Path]:
        nonlocal count
        count += 1
        file, folder = tmp_path / f"{count}.toml", tmp_path / str(count)
        file.write_text(events, encoding="utf-8")
        folder.mkdir()
        place = open_scenario(str(tiny_place.config))
        written = {"backend": backend, "events": file if events else None, "warm_up": "0"}
        options = read_options(written, place, [sensing])
        (one,) = specify_runs(place, [controller], [1], sensing=[sensing], options=options)
        (folder / "job.json").write_text(json.dumps(job(one, folder / "run")), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(folder)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, (folder / "error.json").read_text("utf-8")
        return json.loads((folder / "run" / "manifest.json").read_text("utf-8")), folder / "run"

    return run


def states(folder: Path, signal: str) -> list[tuple[float, str]]:
    rows = pq.read_table(folder / "signals.parquet").to_pylist()
    return [(row["time_s"], row["state"]) for row in rows if row["signal"] == signal]


CLOSURE = '[[events]]\nkind = "closure"\nbegin = 50\nend = 150\nlanes = ["A0B0_0", "A0B0_1"]\n'
RAIN = '[[events]]\nkind = "rain"\nbegin = 0\nend = 300\nintensity = "heavy"\n'
SURGE = '[[events]]\nkind = "surge"\nbegin = 100\nend = 200\nfactor = 1.5\n'
FLASH = '[[events]]\nkind = "flashing"\nbegin = 60\nend = 120\nsignals = ["A0"]\n'
OUTAGE = '[[events]]\nkind = "detector-outage"\nbegin = 30\nend = 250\nsignals = ["A0", "B0"]\n'
CONVOY = (
    '[[events]]\nkind = "motorcade"\nbegin = 100\nedges = ["left0A0", "A0B0", "B0right0"]\nvehicles = 4\n'
)


def test_nobody_enters_a_closed_lane(happen: Any) -> None:
    manifest, _ = happen(CLOSURE)
    plain, _ = happen("")
    assert manifest["events"] == [
        {"kind": "closure", "time_s": 50.0, "until_s": 150.0, "detail": "closed: A0B0_0, A0B0_1"}
    ]
    assert manifest["metrics"]["delay_s"] > plain["metrics"]["delay_s"] + 3.0
    assert not manifest["sumo_repeats"]
    assert plain["sumo_repeats"]
    assert manifest["metrics"]["fallbacks"] == 0


def test_rain_slows_everybody(happen: Any) -> None:
    (wet, folder), (_, other) = happen(RAIN), happen("")

    def fastest(where: Path) -> float:
        rows = pq.read_table(where / "vehicles.parquet").to_pylist()
        return max(row["length_m"] / row["duration_s"] for row in rows if row["fate"] == "arrived")

    assert fastest(folder) == pytest.approx(0.84 * fastest(other), rel=0.06)
    assert "speeds × 0.84, headways × 1.13" in wet["events"][0]["detail"]


def test_a_surge_adds_half_of_those_that_depart_in_its_time(happen: Any) -> None:
    manifest, folder = happen(SURGE)
    plain, _ = happen("")
    added = [v["id"] for v in pq.read_table(folder / "vehicles.parquet").to_pylist() if "surge" in v["id"]]
    assert len(added) in (16, 17)  # a vehicle every third second for 100 s, half of them twice
    assert manifest["metrics"]["loaded"] == plain["metrics"]["loaded"] + len(added)
    assert manifest["sumo_repeats"]


@pytest.mark.parametrize("controller", ["program", "max-pressure"])
def test_a_failed_signal_flashes_and_comes_back_through_all_red(happen: Any, controller: str) -> None:
    manifest, folder = happen(FLASH, controller)
    shown = states(folder, "A0")
    during = {state for time, state in shown if 60 <= time < 120}
    assert {frozenset(state) for state in during} == {frozenset("o")}
    assert not any("o" in state for time, state in shown if not 60 <= time < 120)
    assert not any("o" in state for _, state in states(folder, "B0"))
    assert {"flashing"} <= {waiver["rule"] for waiver in manifest["waivers"]}
    if controller == "max-pressure":
        after = [(time, set(state)) for time, state in shown if time >= 120]
        assert after[0] == (120.0, {"r"})
        assert after[1][0] >= 126.0
        assert manifest["sumo_repeats"]


def test_detectors_that_are_out_call_always(happen: Any) -> None:
    """Actuated control then runs every green to its maximum of 40 s."""
    _, folder = happen(OUTAGE, "actuated", "loops")
    greens = [
        later - earlier
        for (earlier, state), (later, _) in zip(states(folder, "A0"), states(folder, "A0")[1:], strict=False)
        if "G" in state and "y" not in state and 40 <= earlier <= 200
    ]
    assert greens
    assert min(greens) >= 39.0


def during(text: str, begin: int, end: int) -> str:
    return re.sub(r"begin = \d+", f"begin = {begin}", re.sub(r"end = \d+", f"end = {end}", text))


@pytest.mark.parametrize("controller", ["program", "max-pressure"])
def test_a_failure_may_follow_another_directly(happen: Any, controller: str) -> None:
    manifest, folder = happen(during(FLASH, 60, 120) + during(FLASH, 120, 180), controller)
    shown = states(folder, "A0")
    dark = {state for time, state in shown if 60 <= time < 120 or 126 <= time < 180}
    assert {frozenset(state) for state in dark} == {frozenset("o")}
    assert not any("o" in state for time, state in shown if not 60 <= time < 180)
    assert len(manifest["events"]) == 2


def test_a_second_rain_and_a_second_closure_follow_directly(happen: Any) -> None:
    rain, heavier = during(RAIN, 0, 100), during(RAIN, 100, 300)
    wet, two = happen(during(RAIN, 0, 300))[0], happen(rain + heavier)[0]
    assert two["metrics"]["speed_mps"] == pytest.approx(wet["metrics"]["speed_mps"], rel=0.03)
    assert two["metrics"]["speed_mps"] < 0.95 * happen(rain)[0]["metrics"]["speed_mps"]
    once, twice = happen(CLOSURE)[0], happen(during(CLOSURE, 50, 100) + during(CLOSURE, 100, 150))[0]
    assert twice["metrics"]["delay_s"] == pytest.approx(once["metrics"]["delay_s"], rel=0.3)


def test_two_surges_and_two_motorcades_may_begin_together(happen: Any) -> None:
    alone = happen("")[0]["metrics"]["loaded"]
    one = happen(SURGE)[0]["metrics"]["loaded"] - alone
    both, folder = happen(SURGE + SURGE + CONVOY + CONVOY)
    assert both["metrics"]["loaded"] > alone + one + 8  # the second surge doubles those of the first as well
    cars = [v for v in pq.read_table(folder / "vehicles.parquet").to_pylist() if "motorcade" in v["id"]]
    assert len({car["id"] for car in cars}) == 8


def test_who_has_no_way_past_a_closure_is_counted_as_lost(tiny_place: Any, tmp_path: Path, cli: Any) -> None:
    """Flows from road to road: SUMO drops who it cannot route at the moment of departure."""
    routes, events = tmp_path / "f.rou.xml", tmp_path / "events.toml"
    routes.write_text(
        '<routes><flow id="f" from="A0B0" to="B0right0" begin="0" end="120" period="2"/></routes>',
        encoding="utf-8",
    )
    events.write_text(CLOSURE.replace("begin = 50", "begin = 40").replace("end = 150", "end = 100"), "utf-8")
    out = tmp_path / "out"
    ended = cli(
        "run", f"{tiny_place.net}+{routes}", "-c", "program", "--end", "200", "--warm-up", "0", "--events", str(events),
        "--out", str(out),
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    (manifest,) = out.rglob("manifest.json")
    found = json.loads(manifest.read_text("utf-8"))["metrics"]
    assert found["loaded"] == 60
    assert found["lost"] == 30


def test_a_motorcade_drives(happen: Any) -> None:
    manifest, folder = happen(CONVOY)
    cars = [v for v in pq.read_table(folder / "vehicles.parquet").to_pylist() if "motorcade" in v["id"]]
    assert len(cars) == 4
    assert {car["fate"] for car in cars} == {"arrived"}
    assert manifest["events"][0]["until_s"] == 108.0


def test_runs_with_events_and_detectors_repeat_to_the_byte_on_both_back_ends(happen: Any) -> None:
    everything = CLOSURE + RAIN + SURGE + FLASH + OUTAGE + CONVOY
    for sensing in ("loops:latency=2,outages=20,outage=60", "camera:latency=1,missed=0.1"):
        found = [
            happen(everything, "max-pressure", sensing, backend)[0]["tripinfo_sha256"]
            for backend in ("libsumo", "traci", "libsumo")
        ]
        assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (FLASH.replace("A0", "A1"), r"line 1: there is no signal 'A1'; there are: A0, B0\."),
        (CLOSURE.replace('"A0B0_0"', '"A0B0_9"'), r"line 1: there is no lane 'A0B0_9'; did you mean 'A0B0_"),
        (RAIN.replace("heavy", "hevy"), r"there is no intensity 'hevy'"),
        (
            RAIN.replace("begin = 0", 'begin = "noon"'),
            r"line 3: begin of rain must be a number \(given: .noon.\)",
        ),
        (RAIN.replace("intensity", "intensiti"), r"line 5: rain has no key 'intensiti'; did you mean"),
        (SURGE.replace("100", "900").replace("200", "950"), r"begins at 900 s, when the run has ended"),
        (SURGE.replace("surge", "surg"), r"line 2: there is no event 'surg'; did you mean 'surge'\?"),
        (OUTAGE, r"ideal sensing has no detectors that could fail; give loops or camera"),
        (CONVOY.replace('"A0B0", ', ""), r"no connection leads from 'left0A0' to 'B0right0'"),
        (FLASH + FLASH.replace("60", "100"), r"line 6: this flashing overlaps an earlier one"),
        ("[[event]]\n", r"there is no key 'event'"),
        ('[[events]]\nkind = "closure"\nbegin = 3\nend = 9\n', r"closure needs 'lanes'"),
    ],
)
def test_a_mistake_is_one_sentence_with_file_and_line(
    tiny_place: Any, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "events.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said) as caught:
        read_options({"events": file}, open_scenario(str(tiny_place.config)), ["ideal"])
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


def test_events_stand_in_tables(tmp_path: Path) -> None:
    file = tmp_path / "events.toml"
    file.write_text(RAIN + SURGE, encoding="utf-8")
    tables, source = read_events(file)
    assert [table["kind"] for table in tables] == ["rain", "surge"]
    assert source.location(1, "factor").endswith("line 10")
