"""What leaves the program: SUMO loads it and shows exactly the plan."""

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from denxanh.experiments.optimize.evaluation.evaluator import SumoEvaluator
from denxanh.experiments.optimize.evaluation.measures import RunOutput
from denxanh.experiments.optimize.evaluation.race import Case
from denxanh.experiments.optimize.job.optimization import optimize
from denxanh.experiments.optimize.job.plan_files import write_plan_files
from denxanh.experiments.optimize.job.tuning_options import TuningOptions
from denxanh.experiments.optimize.problem.actuation import ActuatedPlan, Actuation, SignalActuation
from denxanh.experiments.optimize.problem.plan_programs import free_program, plan_xml, timing_sheet
from denxanh.experiments.optimize.problem.space import Setting, Space
from denxanh.experiments.optimize.search.actuated_program import shown_once
from denxanh.experiments.specification.run_options import Limits
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.network import Network
from denxanh.sim.network_reader import load_network, network_of
from denxanh.sim.plan import Plan, Stage, Timing
from denxanh.sim.scenario import Scenario


def test_phases_offsets_and_ids_are_those_of_the_plan(pair: Network):
    space = Space(pair)
    plan = space.plan(space.existing())
    root = ElementTree.fromstring(plan_xml(plan, pair))
    logics = {row.get("id"): row for row in root.iter("tlLogic")}
    assert set(logics) == {"A", "B"}
    for name, row in logics.items():
        timing = plan.timings[name]
        assert (row.get("type"), row.get("offset")) == ("static", "5")
        shown = [(p.get("state"), float(p.get("duration", 0))) for p in row.iter("phase")]
        expected = [
            step
            for s in timing.stages
            for step in ((s.state, s.green), *((i.state, i.duration) for i in s.change))
        ]
        assert shown == expected


def test_an_actuated_program_has_limits_on_its_greens_only(pair: Network):
    space = Space(pair)
    root = ElementTree.fromstring(
        plan_xml(space.plan(space.existing()), pair, actuation=Actuation(stretch=2.0))
    )
    for phase in root.iter("phase"):
        if "G" in phase.get("state", ""):
            assert (phase.get("minDur"), phase.get("maxDur")) == ("5", "32")
        else:
            assert phase.get("minDur") is None


def test_the_sheet_has_a_row_for_each_stage(pair: Network):
    space = Space(pair)
    rows = list(csv.DictReader(io.StringIO(timing_sheet(space.plan(space.existing()), pair))))
    assert len(rows) == 8
    assert rows[1]["start"] == "20"
    assert rows[0]["change"] == "3 yellow + 1 all-red"
    assert rows[0]["movements"].count("AN>") == 1


def test_the_sheet_of_an_actuated_program_has_its_limits(pair: Network, tmp_path: Path):
    space = Space(pair)
    plan = space.plan(space.existing())
    own = SignalActuation(((5.0, 20.0), (6.0, 21.0), (7.0, 22.0), (8.0, 23.0)), 2.5, coordinated=1)
    write_plan_files(tmp_path, plan, pair, Actuation(stretch=2.0, signals={"A": own}))
    sheet = (tmp_path / "timing-sheet.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(sheet)))
    a, b = ([row for row in rows if row["signal"] == name] for name in "AB")
    assert [row["minimum"] for row in a] == ["5", "6", "7", "8"]
    assert [row["maximum"] for row in a] == ["20", "", "22", "23"]  # the coordinated stage ends as planned
    assert [row["coordinated"] for row in a] == ["", "yes", "", ""]
    assert [row["start"] for row in a] == ["0", "20", "40", "60"]
    assert {(row["cycle"], row["offset"], row["green"], row["gap"]) for row in a} == {
        ("80", "5", "16", "2.5")
    }
    assert {(row["minimum"], row["maximum"], row["gap"]) for row in b} == {("5", "32", "3")}
    assert {row[key] for row in b for key in ("cycle", "offset", "start", "green", "coordinated")} == {""}
    assert b[0]["change"] == "3 yellow + 1 all-red"
    assert "minimum" not in timing_sheet(plan, pair)


def test_a_name_that_a_spreadsheet_would_compute_is_quoted(pair: Network):
    intersection = pair.intersections["A"]
    network = Network("odd", {}, {}, {"=cmd": intersection}, {})
    sheet = timing_sheet(Plan({"=cmd": intersection.program}), network)
    assert "\n'=cmd," in sheet


@pytest.fixture(scope="module")
def tiny_evaluator(tiny_place) -> SumoEvaluator:
    network = load_network(tiny_place.net)
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0)
    return SumoEvaluator(network, (scenario,), workers=2)


def test_the_networks_own_plan_exported_changes_nothing_in_sumo(tiny_evaluator: SumoEvaluator):
    own = Plan(
        {name: intersection.program for name, intersection in tiny_evaluator.network.intersections.items()}
    )
    delays = tiny_evaluator([Plan({}), own], [Case(0, 1), Case(0, 2)])
    assert delays.shape == (2, 2)
    assert delays[0].tolist() == delays[1].tolist()
    assert (delays > 0).all()


def test_another_plan_and_an_actuated_one_load_and_differ(tiny_evaluator: SumoEvaluator):
    space = Space(tiny_evaluator.network)
    shifted = space.rescaled(space.existing(), 60)
    assert shifted is not None
    plans = [Plan({}), space.plan(shifted)]
    static = tiny_evaluator(plans, [Case(0, 1)])[:, 0]
    actuated = SumoEvaluator(
        tiny_evaluator.network, tiny_evaluator.scenarios, actuation=Actuation()
    )(plans, [Case(0, 1)])[:, 0]  # fmt: skip
    assert len({*static.tolist(), actuated[1]}) == 3
    assert static[0] == actuated[0]  # an empty plan is the network's own either way
    assert np.isfinite(actuated).all()


def test_a_plan_that_sumo_refuses_is_an_error_with_its_words(tiny_evaluator: SumoEvaluator):
    name = next(iter(tiny_evaluator.network.intersections))
    wrong = Plan({name: Timing((Stage("Gr", 10.0), Stage("rG", 10.0)))})
    with pytest.raises(RunError, match="evaluating a plan: Error"):
        tiny_evaluator([wrong], [Case(0, 1)])


def test_no_vehicle_is_not_a_perfect_score(tmp_path: Path):
    file = tmp_path / "tripinfo.xml"
    file.write_text("<tripinfos></tripinfos>")
    with pytest.raises(RunError, match="no vehicle"):
        RunOutput(tmp_path, Scenario("empty", tmp_path, ()), Network("empty", {}, {}, {}, {})).trips()


def test_a_plan_may_carry_its_own_actuation(tiny_evaluator: SumoEvaluator):
    space = Space(tiny_evaluator.network)
    plan = space.plan(space.existing())
    options = (Actuation(), Actuation(min_green=20.0))
    own = tiny_evaluator([plan, *(ActuatedPlan(plan.timings, "", o) for o in options)], [Case(0, 1)])[:, 0]
    assert len(set(own.tolist())) == 3
    for cost, option in zip(own[1:], options, strict=True):
        whole = SumoEvaluator(tiny_evaluator.network, tiny_evaluator.scenarios, actuation=option)
        assert whole([plan], [Case(0, 1)])[0, 0] == cost


def test_one_maximum_green_for_all_stages_leaves_the_minimum(pair: Network):
    space = Space(pair)
    xml = plan_xml(space.plan(space.existing()), pair, actuation=Actuation(max_green=50.0))
    greens = [p for p in ElementTree.fromstring(xml).iter("phase") if p.get("maxDur")]
    assert greens
    assert {p.get("maxDur") for p in greens} == {"50"}
    assert all(float(p.get("minDur", 0)) >= 5 for p in greens)


def test_an_actuated_signal_shows_each_stage_once(pair: Network):
    space = Space(pair)
    a, b = space.existing()[0].order[:2]
    signal = space.signals[0]
    twice = Setting((a, b, a, *space.existing()[0].order[1:]), (5, 6, 9, *space.existing()[0].greens[1:]), 0)
    once, same = shown_once(space, (twice, space.existing()[1]))
    assert sorted(once.order) == sorted(set(twice.order))
    assert once.greens[once.order.index(a)] == 9
    assert signal.legal(once)
    assert same == space.existing()[1]


def test_a_plan_is_read_back_as_the_candidate_that_it_was(pair: Network):
    space = Space(pair)
    shifted = space.rescaled(space.existing(), 75)
    assert shifted is not None
    assert space.candidate(space.plan(shifted)) == shifted


def test_a_plan_of_ours_that_is_there_already_does_not_stand_in_the_way(tiny_place, tmp_path: Path):
    """Somebody loads yesterday's plan.add.xml and tunes again: SUMO takes no two programs of one name."""
    network = load_network(tiny_place.net)
    own = Plan({name: intersection.program for name, intersection in network.intersections.items()})
    before = tmp_path / "plan.add.xml"
    before.write_text(plan_xml(own, network))
    scenario = Scenario("again", tiny_place.net, (tiny_place.routes,), (before,), end=300.0)
    again = network_of(scenario)
    assert {intersection.program_id for intersection in again.intersections.values()} == {"denxanh"}
    assert free_program(again) == "denxanh2"
    evaluator = SumoEvaluator(again, (scenario,))
    assert (
        evaluator([Plan({}), own], [Case(0, 1)]).tolist() == evaluator([own, Plan({})], [Case(0, 1)]).tolist()
    )


@pytest.mark.parametrize(
    "name",
    [
        "plan.json",
        "plan.add.xml",
        "search.json",
        "day",
        "days",
        "held-out",
        "point-3",
        "lefts-permitted/plan.json",
    ],
)
def test_a_link_in_the_folder_of_an_optimisation_is_refused_before_the_search(
    name: str, tiny_place, tmp_path: Path
):
    """Files were written through it, wherever it led."""
    outside, out = tmp_path / "outside", tmp_path / "out"
    outside.mkdir()
    (out / name).parent.mkdir(parents=True)
    (out / name).symlink_to(outside if "." not in name else outside / "mine.txt")
    scenario = Scenario("tiny", tiny_place.net, (tiny_place.routes,), end=300.0)
    with pytest.raises(InputError, match="holds no symbolic links") as refusal:
        optimize(scenario, TuningOptions(), out, jobs=1, limits=Limits(60.0))
    assert str(out / name) in str(refusal.value)
    assert not list(outside.iterdir())


def test_plan_files_take_the_place_of_links(pair: Network, tmp_path: Path):
    """One that comes during the search: it is replaced, not followed."""
    mine = tmp_path / "mine.txt"
    mine.write_text("mine", "utf-8")
    out = tmp_path / "out"
    out.mkdir()
    for name in ("plan.json", "plan.add.xml", "timing-sheet.csv"):
        (out / name).symlink_to(mine)
    plan = Plan({name: intersection.program for name, intersection in pair.intersections.items()})
    write_plan_files(out, plan, pair)
    assert mine.read_text("utf-8") == "mine"
    assert Plan.from_json(json.loads((out / "plan.json").read_text("utf-8")), location="") == plan
