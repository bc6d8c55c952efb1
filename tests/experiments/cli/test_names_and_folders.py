"""Mistyped names get "did you mean"; folders that cannot be written are refused before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

RUN = ("-c", "program")


def sentence(ended: Any) -> str:
    """The one line that a refusal is."""
    assert ended.status == 2
    (line,) = [line for line in ended.stderr.splitlines() if not line.startswith("note: ")]
    assert line.startswith("denxanh: ")
    return str(line)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-c", "progam"), ("no controller 'progam'", "did you mean 'program'?")),
        (("-c", "xyzzy"), ("no controller 'xyzzy'", "there are: ", "max-pressure")),
        (("-c", ""), ("names no controller",)),
        (("-c", "max-pressure:intervall=5"), ("no parameter 'intervall'", "did you mean 'interval'?")),
        (("-c", "program:interval=5"), ("no parameter 'interval'", "it has none")),
        (("-c", "max-pressure:interval=soon"), ("parameter 'interval'", "'soon' is not a number")),
        (("-c", "max-pressure:interval=nan"), ("parameter 'interval'", "'nan' is not a number")),
        (("-c", "max-pressure:interval"), ("'interval' is not key=value", "write NAME:key=value")),
        (("-c", "fixed-time"), ("needs the parameter 'plan'", "fixed-time:plan=…")),
        (("-c", "fixed-time:plan=nope.json"), ("nope.json", "cannot be read")),
        ((*RUN, "--backend", "tracy"), ("no backend 'tracy'", "did you mean 'traci'?")),
        ((*RUN, "--end", "-5"), ("not after the begin", "--end")),
        ((*RUN, "--end", "nan"), ("nan",)),
        ((*RUN, "--end", "100.5"), ("not a whole number of steps",)),
        ((*RUN, "--warm-up", "400"), ("a warm-up of 400 s leaves nothing of the 300 s",)),
    ],
)
def test_a_wrong_value_is_explained(
    arguments: tuple[str, ...], words: tuple[str, ...], here: Any, tiny_place: Any, tmp_path: Path
) -> None:
    line = sentence(here("run", tiny_place.config, *arguments, "--out", tmp_path / "out"))
    for word in words:
        assert word in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seed", "many"),
        ("--seed", "-1"),
        ("--seed", "1.5"),
        ("--end", "soon"),
        ("--limit", "0"),
        ("--sed", "3"),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_usage_error(
    arguments: tuple[str, ...], here: Any, tiny_place: Any
) -> None:
    ended = here("run", tiny_place.config, *RUN, *arguments)
    assert ended.status == 2
    assert arguments[0] in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_mistyped_place_gets_the_nearest_name(here: Any, tmp_path: Path, tiny_place: Any) -> None:
    assert "did you mean 'ha-noi/pho-hue'?" in sentence(here("check", "ha-noi/pho-hu"))
    beside = f"{tiny_place.folder}/tinny.sumocfg"
    assert f"did you mean '{tiny_place.config}'?" in sentence(here("check", beside))
    assert "one of: " in sentence(here("check", "zzz"))
    assert "no place is given" in sentence(here("check", ""))


def test_a_folder_must_hold_exactly_one_configuration(here: Any, tmp_path: Path) -> None:
    assert "holds no .sumocfg" in sentence(here("check", tmp_path))
    for name in "ab":
        (tmp_path / f"{name}.sumocfg").write_text("<configuration/>")
    assert "holds 2 .sumocfg files" in sentence(here("check", tmp_path))


def test_a_network_alone_and_a_strange_file_are_no_place(here: Any, tiny_place: Any) -> None:
    assert "a network alone has no traffic" in sentence(here("check", tiny_place.net))
    assert "this is not a .sumocfg" in sentence(here("check", tiny_place.routes))


def test_net_plus_routes_is_a_place(here: Any, tiny_place: Any) -> None:
    ended = here("check", f"{tiny_place.net}+{tiny_place.routes}")
    assert ended.status == 0
    assert "it gives no end" in ended.stdout


def test_out_may_not_be_a_file(here: Any, tiny_place: Any, tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("mine")
    line = sentence(here("run", tiny_place.config, *RUN, "--out", target))
    assert f"{target}: this exists and is no run of denxanh" in line
    assert target.read_text() == "mine"


def test_out_may_not_be_somebody_elses_folder(here: Any, tiny_place: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    line = sentence(here("run", tiny_place.config, *RUN, "--out", tmp_path))
    assert "this exists and is no run of denxanh" in line
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_out_below_a_file_is_told(here: Any, tiny_place: Any, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    line = sentence(here("run", tiny_place.config, *RUN, "--out", blocked / "out"))
    assert str(blocked) in line


def test_compare_needs_different_controllers_and_sound_seeds(here: Any, tiny_place: Any) -> None:
    two = ("-c", "program", "-c", "max-pressure")
    assert "named twice" in sentence(here("compare", tiny_place.config, *RUN, *RUN))
    for text, words in (
        ("some", "neither a number nor a list"),
        ("0", "not between 1 and 100000"),
        ("3,3", "names a seed twice"),
        ("1,-2", "neither a number nor a list"),
    ):
        assert words in sentence(here("compare", tiny_place.config, *two, "--seeds", text))
