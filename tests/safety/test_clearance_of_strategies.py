"""No strategy shows a conflict, or less clearance between foes than the program: by net file and record alone."""

import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from safety_nets import PROGRAMS, build
from safety_record import faults, read_signals

from denxanh.controllers.registry import controllers
from denxanh.sim.network_reader import load_network

FILES = frozenset({"fixed-time", "police", "sumo-program", "time-of-day"})  # they show what a file says
LAYERED = {"priority": "priority:over=max-pressure"}
STRATEGIES = tuple(LAYERED.get(name, name) for name in sorted(controllers()) if name not in FILES)
SAMPLE = ("actuated", "max-pressure", "predictive", "sumo:NEMA", "webster")
RESCO = ("arterial4x4", "cologne1", "cologne3", "grid4x4", "ingolstadt1")


@pytest.fixture(scope="module")
def place(tmp_path_factory, sumo_tool):
    return build(tmp_path_factory.mktemp("right"), sumo_tool)


def found(net, config, folder, names, end):
    """{strategy: faults} of runs up to ``end`` s; a strategy that refuses has its words instead."""
    script = Path(__file__).with_name("safety_strategies.py")
    subprocess.run(
        [sys.executable, *map(str, (script, config, folder, end, *names))],
        capture_output=True,
        check=True,
        timeout=1800,
    )
    out = {}
    for number, name in enumerate(names):
        refused = folder / f"{number}.txt"
        if refused.is_file():
            out[name] = [refused.read_text("utf-8")]
            continue
        records = {}
        for row in pq.read_table(folder / str(number) / "signals.parquet").to_pylist():
            records.setdefault(row["signal"], []).append((row["time_s"], row["state"]))
        assert records, name
        out[name] = faults(net, records)
    return {name: said for name, said in out.items() if said}


def test_a_sample_of_strategies_on_programs_that_are_easily_misread(place, tmp_path):
    assert found(*place, tmp_path, SAMPLE, 300) == {}


@pytest.mark.slow
@pytest.mark.parametrize("lefthand", [False, True], ids=["right", "left"])
def test_all_strategies_on_programs_that_are_easily_misread(tmp_path, sumo_tool, lefthand):
    assert found(*build(tmp_path, sumo_tool, lefthand=lefthand), tmp_path, STRATEGIES, 600) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESCO)
def test_all_strategies_on_the_benchmark_networks(resco, tmp_path, name):
    config = resco(name)
    begin = {"cologne1": 25200, "cologne3": 25200, "ingolstadt1": 57600}.get(name, 0)
    assert found(config.with_name(f"{name}.net.xml"), config, tmp_path, STRATEGIES, begin + 600) == {}


def test_the_judge_finds_what_it_is_there_for(place):
    """A conflict, and an all-red of 2 s where the program has 3 s."""
    good = [(0, "GGgrrrGGG"), (30, "yyyrrrGyy"), (33, "rrrrrrGrr"), (36, "rrrGGGGrr")]
    assert faults(place[0], {"free": good}) == []
    early = [*good[:3], (35, "rrrGGGGrr")]
    assert "free: t=35: 5G rises 5 s after 8, the program's own is 6 s" in faults(place[0], {"free": early})
    both = [*good[:2], (33, "rrrGGGGGG")]
    assert any("foes 5G and 8G are green together" in fault for fault in faults(place[0], {"free": both}))


def test_what_the_judge_reads_is_what_we_read(place):
    """Two readers of conflicts, written apart."""
    network = load_network(place[0])
    for name, read in read_signals(place[0]).items():
        intersection = network.intersections[name]
        pairs = {
            (a, b)
            for a in range(intersection.n_links)
            for b in range(intersection.n_links)
            if intersection.foes[a, b]
        }
        assert read["foes"] == pairs, name


@pytest.mark.parametrize(
    ("name", "greens"),
    [("free", 2), ("switching", 2), ("stretch", 2), ("going-on", 4), ("early", 3), ("arrow", 2)],
)
def test_what_keeps_others_apart_is_no_phase(place, name, greens):
    assert set(PROGRAMS) == {"free", "switching", "stretch", "going-on", "early", "arrow"}
    assert len(load_network(place[0]).intersections[name].phases) == greens
