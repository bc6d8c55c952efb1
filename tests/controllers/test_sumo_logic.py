"""SUMO's own logics: what it is given, and that it takes it."""

import json
from dataclasses import replace
from itertools import permutations
from xml.etree import ElementTree

import pytest

from denxanh.controllers.actuated.dual_ring import rings_of
from denxanh.controllers.native.program import Program
from denxanh.controllers.native.sumo_logic import SumoActuated, SumoDelayBased, SumoNema
from denxanh.controllers.native.sumo_program import SumoProgram
from denxanh.sim.errors import InputError
from denxanh.sim.network import Approach, Segment
from denxanh.sim.network_reader import load_network
from denxanh.sim.testing.check_controller import corridor


def programs(controller, network):
    return {logic.get("id"): logic for logic in ElementTree.fromstring(controller.programs(network))}


def test_actuated_greens_run_from_the_minimum_to_the_maximum():
    logic = programs(SumoActuated(max_green=45.0), corridor(2))["J1"]
    assert logic.get("type") == "actuated"
    rows = [
        (p.get("state"), p.get("duration"), p.get("minDur"), p.get("maxDur")) for p in logic.iter("phase")
    ]
    assert rows[:2] == [("Gr", "27", "5", "45"), ("yr", "3", None, None)]
    assert {p.get("key"): p.get("value") for p in logic.iter("param")} == {
        "max-gap": "3", "detector-gap": "2", "show-detectors": "false", "file": "NUL",
    }  # fmt: skip


def test_a_phase_that_sumo_cannot_judge_keeps_its_duration():
    """One lane of two, shared by a link that is red in phase 0 and one that is green: no loop judges phase 0."""
    network = corridor(1)
    intersection = network.intersections["J0"]
    shared = Approach("W_0", (0, 1), 12.5, 200.0, (Segment("W_0", 0.0, 1.0),), 0.5)
    lanes = {**network.lanes, "W_1": replace(network.lanes["W_0"], id="W_1")}
    changed = replace(network, lanes=lanes, intersections={"J0": replace(intersection, approaches=(shared,))})
    greens = [p for p in programs(SumoActuated(), changed)["J0"].iter("phase") if "G" in p.get("state")]
    assert [p.get("minDur") for p in greens] == [None, None]


def test_delay_based_has_its_range():
    logic = programs(SumoDelayBased(reach=80.0), corridor(1))["J0"]
    assert {p.get("key"): p.get("value") for p in logic.iter("param")}["detectorRange"] == "80"


def test_nema_names_rings_barriers_and_splits():
    """Two one-way streets: 2 and 4 alone, so SUMO gets each twice. Splits with 3 s of yellow make the cycle."""
    logic = programs(SumoNema(), corridor(2))["J0"]
    options = {p.get("key"): p.get("value") for p in logic.iter("param")}
    assert (options["ring1"], options["ring2"]) == ("0,2,0,4", "0,6,0,8")
    assert (options["barrierPhases"], options["barrier2Phases"]) == ("4,8", "2,6")
    green = {p.get("name"): float(p.get("maxDur")) for p in logic.iter("phase")}
    assert green["2"] + green["4"] + 6.0 == float(options["total-cycle-length"])
    assert green["2"] == green["6"]


def test_two_phases_of_nema_show_nothing_that_has_to_yield(sumo_tool, tmp_path):
    """SUMO shows a link green as soon as one ring does. A right turn that merges with a protected left turn from the
    opposite road, into one lane, is green beside the permitted left turn only.
    """
    options = ("--grid", "--grid.number", "1", "--grid.attach-length", "300", "--default.lanenumber", "1")
    options += ("--turn-lanes", "1", "--default-junction-type", "traffic_light", "--tls.left-green.time", "6")
    network = load_network(sumo_tool("netgenerate", tmp_path / "one.net.xml", *options))
    intersection = network.intersections["A0"]
    rings = rings_of(intersection, network)
    assert len(rings.pairs) == 8
    for (a, b), state in zip(rings.pairs, rings.states, strict=True):
        shown = [max(pair, key="rgG".index) for pair in zip(rings.letters[a], rings.letters[b], strict=True)]
        for k, m in permutations(range(intersection.n_links), 2):
            assert shown[k] == "r" or state[k] != "r", (a, b, k)
            if shown[k] == "G" and shown[m] != "r":
                assert not intersection.yields[k, m], (a, b, k, m)


@pytest.mark.parametrize("name", ["sumo:actuated", "sumo:delay_based", "sumo:NEMA"])
def test_sumo_runs_them(name, tiny_place, cli, tmp_path):
    done = cli("run", tiny_place.config, "-c", name, "--end", "120", "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    manifest = json.loads(next((tmp_path / "out").rglob("manifest.json")).read_text("utf-8"))
    assert manifest["controller"] == name
    assert not any("detector" in line for line in manifest["warnings"])
    assert next((tmp_path / "out").rglob("programs.add.xml")).is_file()


def test_programs_of_a_file_are_handed_to_sumo_as_they_are(tmp_path):
    file = tmp_path / "plan.add.xml"
    controller = SumoProgram(str(file))
    with pytest.raises(InputError, match="no such file of programs"):
        controller.additional_files()
    file.write_text("<additional/>", "utf-8")
    assert controller.additional_files() == (file,)
    assert controller.start(corridor(1)) == Program().start(corridor(1)) == {}
