"""Names with a suggestion, and ``key=value`` lists, as every option of the command line reads them."""

from __future__ import annotations

import pytest

from denxanh.controllers.registry import parse_controller
from denxanh.experiments.specification.safety_rules import parse_rules
from denxanh.experiments.specification.sensings import make_sensing
from denxanh.sim.errors import InputError
from denxanh.sim.text_values import closest, did_you_mean, parse_pairs


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


def test_a_pair_may_take_the_rest_of_the_text():
    pairs = parse_pairs("a=1,over=x:b=2,c=3", location="", form="", takes_rest=lambda key, _: key == "over")
    assert pairs == {"a": "1", "over": "x:b=2,c=3"}


def test_controllers_sensings_and_rules_refuse_the_same_text():
    for parse in (lambda: parse_controller("max-pressure:=5"), lambda: make_sensing("loops:=5")):
        with pytest.raises(InputError, match="'=5' is not key=value"):
            parse()
    with pytest.raises(InputError, match="'=5' is not key=value"):
        parse_rules("=5")
