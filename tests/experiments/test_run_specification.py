"""One specification of a run: from its declared fields follow identity, storage, command line and experiment file."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from denxanh.experiments.cli import run_commands
from denxanh.experiments.definition.experiment_file import check, schema
from denxanh.experiments.specification.run_options import (
    Limits,
    RunOptions,
    declarations,
    read_options,
)
from denxanh.experiments.specification.run_specification import RunSpecification, pack, unpack
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.errors import InputError

OTHERS: dict[str, Any] = {  # a value for each option that is not its default
    "backend": "traci",
    "warm_up": 30.0,
    "flush": 20.0,
    "movements": "off",
    "lateral_resolution": 0.8,
    "plan_is_real": True,
    "keep_sumo_output": True,
    "limits": Limits(60.0, memory_mb=500),
    "events": ({"kind": "rain", "begin": 10.0, "end": 20.0},),
    "safety": {"min_green": 7.0},
    "riders": {"late_yellow": 2.0},
}
OF_NO_RESULT = {"backend", "keep_sumo_output", "limits", "plan_is_real"}


@pytest.fixture
def run(tiny_place: Any) -> RunSpecification:
    """One run on the tiny street."""
    return RunSpecification("tiny", open_scenario(str(tiny_place.config)), "max-pressure", {"interval": 5})


def test_each_option_has_a_value_in_these_tests() -> None:
    assert set(OTHERS) == set(declarations(RunOptions))


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_an_option_stands_on_the_command_line_and_in_the_experiment_file(name: str) -> None:
    for command in (run_commands.run, run_commands.compare):
        assert name in inspect.signature(command).parameters
    assert name in json.loads(schema())["properties"]


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_an_option_is_stored_and_read_again(run: RunSpecification, name: str) -> None:
    other = replace(run, options=RunOptions(**{name: OTHERS[name]}))
    assert other.options != RunOptions()
    assert unpack(*pack(other)[::2]) == other
    assert RunSpecification.from_json(json.loads(json.dumps(other.to_json()))) == other


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_an_option_counts_in_the_identity_where_it_determines_the_result(
    run: RunSpecification, name: str
) -> None:
    other = replace(run, options=RunOptions(**{name: OTHERS[name]}))
    assert (other.identity() == run.identity()) == (name in OF_NO_RESULT)


def test_an_experiment_file_sets_every_option() -> None:
    values = {
        **OTHERS,
        "limits": {"wall": 60.0, "memory_mb": 500},
        "events": list(OTHERS["events"]),
    }
    file = check({"places": ["tiny"], "controllers": ["program"], **values}, "experiment.toml")
    assert file.run_options() == RunOptions(**OTHERS)


def test_options_of_an_earlier_ledger_have_their_defaults(run: RunSpecification) -> None:
    """The text that version 2 stored before the options were declared in one place."""
    text = (
        '{"backend": "traci", "controller": "program", "demand": 0.8, "events": [], "parameters": {}, '
        '"place": "tiny", "safety": {}, "scenario": "0123456789abcdef", "seed": 3, "sensing": "loops", '
        '"warm_up": 60.0}'
    )
    read = unpack(text, json.dumps(run.scenario.to_json()))
    assert read == RunSpecification(
        "tiny",
        run.scenario,
        "program",
        {},
        seed=3,
        demand=0.8,
        sensing="loops",
        options=RunOptions(backend="traci", warm_up=60.0),
    )


def test_options_of_sumo_take_the_place_of_the_scenarios_own(run: RunSpecification) -> None:
    given = replace(run.scenario, options={"lateral-resolution": "0.4", "scale": "2"})
    other = replace(run, scenario=given, demand=0.5, options=RunOptions(lateral_resolution=0.8))
    assert other.simulated().options == {"lateral-resolution": "0.8", "scale": "1"}
    assert replace(run, scenario=given).simulated() is given


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"backend": "tracy"}, "there is no backend 'tracy'; did you mean 'traci'?"),
        ({"lateral_resolution": -1.0}, "invalid lateral_resolution: -1.0; give a number of at least 0"),
        ({"warm_up": float("nan")}, "invalid warm_up: nan"),
    ],
)
def test_a_value_out_of_bounds_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        RunOptions(**values)


def test_what_is_written_on_the_command_line_becomes_options(run: RunSpecification) -> None:
    written = {"warm_up": 30.0, "limits": 60.0, "safety": "min_green=7", "events": None}
    assert read_options(written, run.scenario, ["ideal"]) == RunOptions(
        warm_up=30.0, limits=Limits(60.0), safety={"min_green": 7.0}
    )


def test_sumo_simulates_with_the_lateral_resolution_that_was_asked_for(
    here: Callable[..., Any], tiny_place: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    ended = here(
        "run", tiny_place.config, "-c", "program", "--end", "30", "--lateral-resolution", "0.8", "--out", out
    )
    assert ended.status == 0, ended.stderr
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["scenario"]["options"]["lateral-resolution"] == "0.8"
    assert 'lateral-resolution value="0.8"' in (out / "run.sumocfg").read_text("utf-8")
