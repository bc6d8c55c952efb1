"""Controllers by name: the text a user writes becomes a frozen description, or a sentence."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from denxanh.controllers import registry
from denxanh.experiments.specification import controllers as catalog
from denxanh.experiments.specification.controllers import (
    controllers,
    describe,
    make_controller,
    parse_controller,
)
from denxanh.sim.controller import Controller, parameters
from denxanh.sim.errors import InputError
from denxanh.sim.text_values import did_you_mean


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("program", "program", {}),
        ("program:", "program", {}),
        ("a:x=1", "a", {"x": "1"}),
        ("a:x=1,y=two words , z = 3", "a", {"x": "1", "y": "two words", "z": "3"}),
        ("a:file=C:/b=c.json", "a", {"file": "C:/b=c.json"}),
        ("a:over=b,x=1", "a", {"over": "b", "x": "1"}),
        ("a:x=1,over=b:y=2,z=3", "a", {"x": "1", "over": "b:y=2,z=3"}),
    ],
)
def test_a_text_is_split_into_name_and_values(text: str, name: str, values: dict[str, str]) -> None:
    assert parse_controller(text) == (name, values)


@pytest.mark.parametrize("text", ["", ":x=1", "a:x", "a:=1", "a:x=1,y"])
def test_a_text_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_controller(text)


def test_every_controller_is_described_in_a_line_and_follows_the_protocol() -> None:
    names = controllers()
    assert {"program", "fixed-time", "webster", "actuated", "max-pressure"} <= set(names)
    for name in names:
        assert describe(name)
        assert catalog.load(name).name == name
    assert isinstance(make_controller("program", {}), Controller)


def test_text_is_read_as_the_type_of_the_field() -> None:
    built = make_controller("max-pressure", {"interval": "7", "near": "0.5"})
    assert parameters(built)["interval"] == 7.0
    assert isinstance(parameters(built)["interval"], float)
    assert parameters(built) == {
        **parameters(make_controller("max-pressure", {})),
        "interval": 7.0,
        "near": 0.5,
    }


def test_values_that_are_numbers_already_are_taken_as_they_are() -> None:
    assert parameters(make_controller("max-pressure", {"interval": 8.0}))["interval"] == 8.0


def test_a_plug_in_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = EntryPoint("broken", "no_such_package.module:Thing", registry.GROUP)

    def found(group: str) -> Any:
        return [broken]

    monkeypatch.setattr(registry, "entry_points", found)
    with pytest.raises(InputError, match="controller 'broken' cannot be imported") as caught:
        make_controller("broken", {})
    assert "no_such_package.module:Thing" in str(caught.value)


def test_did_you_mean() -> None:
    assert did_you_mean("webstre", ["webster", "program"]) == "did you mean 'webster'?"
    assert did_you_mean("x", ["webster", "program"]) == "there are: program, webster"


def test_the_list_has_no_marks_of_code(here: Any) -> None:
    assert "over=NAME" in (printed := here("list").stdout)
    assert "``" not in printed
