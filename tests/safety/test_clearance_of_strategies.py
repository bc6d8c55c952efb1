"""No strategy shows a conflict, or less clearance between foes than the program: by net file and record alone."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
from safety_nets import PROGRAMS, build
from safety_record import Signal, faults, read_signals
from safety_strategies import labels

from denxanh.controllers.registry import controllers
from denxanh.sim.network_reader import load_network

SAMPLE = ("actuated", "priority:over=max-pressure", "predictive", "sumo:NEMA", "webster")
RESCO = ("arterial4x4", "cologne1", "cologne3", "grid4x4", "ingolstadt1")
CASES = (
    "case01/lh",
    "case01/rh",
    "case05/k2",
    "case07/m1",
    "case11/free",
    "case11/t",
    "case12/j",
    "case14/yflash",
)
LENT_CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"


@pytest.fixture(scope="module")
def place(tmp_path_factory, sumo_tool):
    return build(tmp_path_factory.mktemp("right"), sumo_tool)


def everything(net, folder, begin=0.0):
    """Every strategy of the registry, and every layer over each."""
    strategies, layers = labels(net, folder, begin)
    return (*strategies, *layers)


def found(net, config, folder, names, end):
    """{strategy: faults} of runs up to ``end`` s; a strategy that refuses has its words instead."""
    folder = folder / "runs"
    folder.mkdir()
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
    assert found(*place, tmp_path, SAMPLE, 200) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("which", "end"), [("strategies", 300), ("layers", 200)])
@pytest.mark.parametrize("lefthand", [False, True], ids=["right", "left"])
def test_all_strategies_on_programs_that_are_easily_misread(tmp_path, sumo_tool, lefthand, which, end):
    net, config = build(tmp_path, sumo_tool, lefthand=lefthand)
    strategies, layers = labels(net, tmp_path)
    assert found(net, config, tmp_path, strategies if which == "strategies" else layers, end) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESCO)
def test_all_strategies_on_the_benchmark_networks(resco, tmp_path, name):
    config = resco(name)
    begin = {"cologne1": 25200, "cologne3": 25200, "ingolstadt1": 57600}.get(name, 0)
    net = config.with_name(f"{name}.net.xml")
    assert found(net, config, tmp_path, everything(net, tmp_path, begin), begin + 600) == {}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_all_strategies_on_the_cases(tmp_path, case):
    config = LENT_CASES / f"{case}.sumocfg"
    if not config.is_file():
        pytest.skip(f"the lent case {case} is not here ({config})")
    net = config.parent / ElementTree.parse(config).find(".//net-file").get("value")
    assert found(net, config, tmp_path, everything(net, tmp_path), 600) == {}


def test_every_strategy_of_the_registry_is_among_them(place, tmp_path):
    strategies, layers = labels(place[0], tmp_path)
    named = {label.partition(":")[0] for label in strategies if not label.startswith("sumo:")}
    named |= {label for label in strategies if label.startswith("sumo:")}
    named |= {label.partition(":")[0] for label in layers}
    assert named == set(controllers())
    assert "priority:over=max-pressure" in layers
    assert any(
        label.startswith("police:")
        and label.endswith("over=fixed-time:plan=" + str(tmp_path / "morning.json"))
        for label in layers
    )


def test_the_judge_finds_what_it_is_there_for(place):
    """A conflict, and an all-red of 2 s where the program has 3 s."""
    good = [(0, "GGgrrrGGG"), (30, "yyyrrrGyy"), (33, "rrrrrrGrr"), (36, "rrrGGGGrr")]
    assert faults(place[0], {"free": good}) == []
    early = [*good[:3], (35, "rrrGGGGrr")]
    assert "free: t=35: 5G rises 5 s after 8, the program's own is 6 s" in faults(place[0], {"free": early})
    both = [*good[:2], (33, "rrrGGGGGG")]
    assert any("foes 5G and 8G are green together" in fault for fault in faults(place[0], {"free": both}))


def test_the_judge_knows_ways_over_different_junctions():
    """0 and 1 cross different junctions and are never shown together; 0 and 2 are."""
    rows = [("GrG", 20.0), ("yry", 3.0), ("rGr", 20.0), ("ryr", 3.0)]
    signal = Signal(rows, set(), {}, {(0, 1), (0, 2)})
    assert signal.faults([(0.0, "GrG")]) == []
    assert signal.faults([(0.0, "GGr")]) == ["t=0: 0G and 1G of different junctions are green together"]


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
        strangers = {(a, b) for a, b in np.argwhere(intersection.strangers()).tolist() if a < b}
        assert Signal(**read).strangers == strangers, name
    assert any(Signal(**read).strangers for read in read_signals(place[0]).values())


@pytest.mark.parametrize(
    ("name", "greens"),
    [("free", 2), ("switching", 2), ("stretch", 2), ("going-on", 4), ("early", 3), ("arrow", 2)],
)
def test_what_keeps_others_apart_is_no_phase(place, name, greens):
    assert set(PROGRAMS) == {"free", "switching", "stretch", "going-on", "early", "arrow"}
    assert len(load_network(place[0]).intersections[name].phases) == greens
