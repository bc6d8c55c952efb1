"""Names with a suggestion, ``key=value`` lists and times, as every option of the command line reads them."""

from __future__ import annotations

import pytest

from denxanh.controllers.registry import parse_controller
from denxanh.experiments.specification.safety_rules import parse_rules
from denxanh.experiments.specification.sensings import make_sensing
from denxanh.sim.errors import InputError
from denxanh.sim.text_values import closest, did_you_mean, parse_pairs, read_duration, read_moment


def test_the_closest_name_is_found_whatever_the_case():
    assert closest("A0", ["a0", "b7"]) == "a0"
    assert closest("xyzzy", ["a0", "b7"]) is None


def test_a_remedy_lists_all_of_a_few_names_and_the_first_of_many():
    assert did_you_mean("x", ["beta", "alpha"]) == "there are: alpha, beta"
    many = [f"edge{k:03}" for k in range(100)]
    assert did_you_mean("?", many) == "there are: edge000, edge001, edge002, edge003, edge004 and 95 more"


def test_pairs_are_stripped_and_empty_parts_skipped():
    assert parse_pairs(" a = 1 ,, b=x y,", location="", form="") == {"a": "1", "b": "x y"}


@pytest.mark.parametrize("text", ["a", "=1", "a=1,b"])
def test_a_part_that_is_no_pair_is_refused_with_its_form(text: str):
    with pytest.raises(InputError, match=r"here: '.*' is not key=value; write a=1"):
        parse_pairs(text, location="here", form="a=1")


def test_a_key_that_comes_twice_is_refused():
    with pytest.raises(InputError, match=r"here: 'a' is given twice; give each key once"):
        parse_pairs("a=1,b=2,a=3", location="here", form="a=1")


def test_a_name_that_resembles_none_gets_the_list():
    assert did_you_mean("nope", ["nema", "program"]) == "there are: nema, program"


def test_a_pair_may_take_the_rest_of_the_text():
    pairs = parse_pairs("a=1,over=x:b=2,c=3", location="", form="", takes_rest=lambda key, _: key == "over")
    assert pairs == {"a": "1", "over": "x:b=2,c=3"}


def test_controllers_sensings_and_rules_refuse_the_same_text():
    for parse in (lambda: parse_controller("max-pressure:=5"), lambda: make_sensing("loops:=5")):
        with pytest.raises(InputError, match="'=5' is not key=value"):
            parse()
    with pytest.raises(InputError, match="'=5' is not key=value"):
        parse_rules("=5")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("3600", 3600),
        ("90.5", 90.5), ("3600s", 3600), ("-5", -5), ("07:30", 27000), ("7:05", 25500), ("24:00", 86400),
        ("1:07:30", 4050),
        ("07:30:15", 27015), ("1:07:30:00", 113400), ("+1800", 2800), ("+30min", 2800), ("+1h30min", 6400),
        ("+ 2 h", 8200), ("+0.5h", 2800), (" 60 ", 60),
    ],
)  # fmt: skip
def test_a_time_of_a_run(text: str, at: float) -> None:
    assert read_moment(text, "--end").at(1000) == pytest.approx(at)


@pytest.mark.parametrize(
    "text",
    ["soon", "", "+", "nan", "inf", "1e9", "30min", "7:5", "07:60", "+soon", "+-5", "--5", "7.30:00", "٣", "+1h x"],
)  # fmt: skip
def test_what_is_no_time_is_refused_by_the_name_of_its_option(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_moment(text, "--end")
    assert str(caught.value) == f"--end: {text!r} is not a time; write seconds, 07:30, +30min or +1800."


def test_a_long_number_is_no_time_and_is_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        read_moment("9" * 5000, "--end")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("600", 600), (600, 600), ("10min", 600), ("1h30min", 5400), ("1d", 86400), ("0", 0), ("90 s", 90)],
)  # fmt: skip
def test_a_duration(text: str | float, seconds: float) -> None:
    assert read_duration(text, "--warm-up") == seconds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("soon", "--limit: 'soon' is not a duration; write seconds, 10min or 1h30min."),
        ("-5", "--limit: '-5' is not a duration"),
        ("+5", "--limit: '+5' is not a duration"),
        ("0", "--limit: 0 s is too short; give at least 1 s."),
        (float("nan"), "--limit: nan is not a duration"),
    ],
)
def test_what_is_no_duration_is_refused(text: str | float, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_duration(text, "--limit", minimum=1.0)
    assert words in str(caught.value)
