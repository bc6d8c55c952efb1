"""The explanation of a decision: what was seen, the plans, the reason, and that it is of the stored run itself."""

import json

import pytest
from typer.testing import CliRunner

from denxanh.experiments.cli.app import app
from denxanh.experiments.explain.explanation import check_request, explain
from denxanh.experiments.interface import open_scenario
from denxanh.experiments.interface import run as run_place
from denxanh.sim.errors import InputError, RunError
from denxanh.sim.run.repetition import open_run
from denxanh.sim.run.store import MANIFEST, read_manifest, read_table

PLACE, SIGNAL = "ha-noi/hoang-dao-thuy", "hoang-dao-thuy"


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """The folders of a run of ``predictive`` and of one of ``actuated``."""
    folder = tmp_path_factory.mktemp("explain")
    scenario = open_scenario(PLACE, end=90)
    for controller in ("predictive", "actuated"):
        run_place(scenario, controller, out=folder / controller)
    return folder


def shown_at(folder, time):
    """The last state that the signal showed before ``time``, when the answer takes effect."""
    table = read_table(folder / "signals.parquet")
    rows = zip(table["time_s"], table["signal"], table["state"], strict=True)
    return [state for at, name, state in rows if name == SIGNAL and at < time][-1]


def ask(*arguments):
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def test_the_answer_is_the_cheapest_plan_and_that_of_the_run(stored):
    found = explain(open_run(stored / "predictive"), SIGNAL, 60.0)
    assert found["time_s"] <= 60.0
    assert found["phases"][found["phase"]] == shown_at(stored / "predictive", found["time_s"])
    assert sum(lane["standing"] + lane["moving"] for lane in found["lanes"]) > 0
    plans, answer = found["reasons"]["plans"], found["answer"]["phase"]
    assert len({plan["phase"] for plan in plans}) == len(plans) >= 3
    assert [plan["phase"] for plan in plans if plan["chosen"]] == [answer]
    costs = [plan["cost_veh_s"] for plan in plans]
    assert costs == sorted(costs)
    if found["reasons"]["rule"] in ("cheapest", "not cheaper"):
        assert plans[0]["phase"] == answer


def test_text_and_json_say_the_same(stored):
    text, data = ask(stored / "predictive", SIGNAL, 60), ask(stored / "predictive", SIGNAL, 60, "--json")
    assert text.exit_code == data.exit_code == 0
    found = json.loads(data.stdout)
    for plan in found["reasons"]["plans"]:
        assert f"{plan['cost_veh_s']:.1f} veh·s" in text.stdout
    assert found["reasons"]["why"] in text.stdout
    assert f"phase {found['answer']['phase']}, asked again after" in text.stdout


def test_a_strategy_without_reasons_shows_what_it_saw(stored):
    found = explain(open_run(stored / "actuated"), SIGNAL, 60.0)
    assert found["reasons"] is None
    assert "does not record its reasons" in ask(stored / "actuated", SIGNAL, 60).stdout


@pytest.mark.parametrize(
    ("signal", "time", "said"),
    [
        ("hoang-dao-thu", 60.0, "there is no signal"),
        (SIGNAL, 90.0, "not within the run"),
        (SIGNAL, -1.0, "within"),
    ],
)
def test_what_cannot_be_explained_is_refused(stored, signal, time, said):
    with pytest.raises(InputError, match=said):
        check_request(open_run(stored / "predictive"), signal, time)


def test_a_repetition_that_differs_is_refused(stored, tmp_path):
    """The folder says another seed than that of its run."""
    import shutil

    folder = tmp_path / "other"
    shutil.copytree(stored / "predictive", folder)
    manifest = read_manifest(folder)
    (folder / MANIFEST).write_text(json.dumps(manifest | {"seed": 2}), encoding="utf-8")
    with pytest.raises(RunError, match="differs from it"):
        explain(open_run(folder), SIGNAL, 60.0)
