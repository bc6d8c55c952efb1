"""No strategy shows a conflict, or less clearance between foes than the program: by net file and record alone."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest
from safety_nets import PROGRAMS, build
from safety_record import Signal, faults, judge, read_signals, rules
from safety_strategies import labels, one_of_each_family

from denxanh.controllers.registry import controllers
from denxanh.sim.network_reader import load_network

SAMPLE = ("actuated", "priority:over=max-pressure", "predictive", "sumo:NEMA", "webster")
RESCO = {  # s of each run: three cycles and more, in which the plans of a day change and the police hold a phase
    "arterial4x4": 200,
    "cologne1": 300,
    "cologne3": 300,
    "grid4x4": 215,
    "ingolstadt1": 300,
}
CASES = (  # every lent net once, and the programs that are lent with one
    "case01/lh",
    "case01/rh",
    "case02/amp",
    "case05/k0",
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


@pytest.fixture
def campaign(tmp_path, record_property):
    """Run strategies, one in each run up to ``end`` s: {strategy: what is wrong}; counts are properties of the test.

    A strategy that refuses the place has its words instead of faults.
    """

    def found(net, config, names, end):
        folder = tmp_path / "runs"
        folder.mkdir()
        script = Path(__file__).with_name("safety_strategies.py")
        subprocess.run(
            [sys.executable, *map(str, (script, config, folder, end, *names))],
            capture_output=True,
            check=True,
            timeout=7200,
        )
        signals, out, verdicts = rules(net), {}, {}
        for number, name in enumerate(names):
            refused = folder / f"{number}.txt"
            if refused.is_file():
                out[name] = [refused.read_text("utf-8")]
                continue
            records = {}
            for row in pq.read_table(folder / str(number) / "signals.parquet").to_pylist():
                records.setdefault(row["signal"], []).append((row["time_s"], row["state"]))
            assert records, name
            verdicts[name] = judge(signals, records)
            out[name] = verdicts[name].faults
        fewest = {name: min(verdict.changes.values()) for name, verdict in verdicts.items()}
        counts = {
            "runs": len(verdicts),
            "seconds of each": end,
            "signals": len(signals),
            "changes": sum(sum(verdict.changes.values()) for verdict in verdicts.values()),
            "fewest changes of a signal": min(fewest.values()),
            "strategy with the fewest": min(fewest, key=fewest.get),
            "clearances": sum(verdict.clearances for verdict in verdicts.values()),
            "pairs": len(set().union(*(verdict.pairs for verdict in verdicts.values()))),
            "pairs that wait": sum(len(signal.waits) for signal in signals.values()),
            "faults": sum(len(verdict.faults) for verdict in verdicts.values()),
        }
        for name, value in counts.items():
            record_property(name, value)
        assert counts["pairs"] > 0  # or the records would say nothing
        return {name: said for name, said in out.items() if said}

    return found


def test_a_sample_of_strategies_on_programs_that_are_easily_misread(place, campaign):
    assert campaign(*place, SAMPLE, 200) == {}


@pytest.mark.slow
@pytest.mark.parametrize("lefthand", [False, True], ids=["right", "left"])
def test_all_strategies_on_programs_that_are_easily_misread(tmp_path, campaign, sumo_tool, lefthand):
    net, config = build(tmp_path, sumo_tool, lefthand=lefthand)
    assert campaign(net, config, everything(net, tmp_path), 300) == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESCO)
def test_all_strategies_on_the_benchmark_networks(resco, tmp_path, campaign, name):
    config = resco(name)
    begin = {"cologne1": 25200, "cologne3": 25200, "ingolstadt1": 57600}.get(name, 0)
    net = config.with_name(f"{name}.net.xml")
    assert campaign(net, config, everything(net, tmp_path, begin), begin + RESCO[name]) == {}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_all_strategies_on_the_cases(tmp_path, campaign, case):
    config = LENT_CASES / f"{case}.sumocfg"
    if not config.is_file():
        pytest.skip(f"the lent case {case} is not here ({config})")
    net = config.parent / ElementTree.parse(config).find(".//net-file").get("value")
    assert campaign(net, config, everything(net, tmp_path), 300) == {}


def everything(net, folder, begin=0.0):
    """Every strategy of the registry, and every layer over one strategy of each family."""
    strategies, layers = labels(net, folder, begin)
    return (*strategies, *one_of_each_family(layers))


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
