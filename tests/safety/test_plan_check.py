"""A plan from a file or a search is refused where it is less safe than the program it replaces."""

import pytest
from safety_worlds import crossroads, network_of, timing

from denxanh.sim.errors import InputError
from denxanh.sim.plan import Plan
from denxanh.sim.signals.monitor import unsafe_changes
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan

OWN = (
    ("GgGrr", 20.0, ("Ggyrr", 3.0), ("Ggrrr", 1.0)),
    ("GGrrr", 10.0, ("yyrrr", 3.0), ("rrrrr", 2.0)),
    ("rrrGG", 25.0, ("rrrGr", 5.0), ("rrryr", 3.0), ("rrrrr", 2.0)),
)


def checked(*rows):
    base = network_of(crossroads())
    return checked_plan(base, with_plan(base, Plan({"X": timing(*rows)}))).intersections["X"]


def test_other_greens_and_another_order_are_allowed():
    assert checked(OWN[0], OWN[1], OWN[2]).program.cycle == crossroads().program.cycle
    assert checked(
        ("GgGrr", 60.0, ("yyyrr", 3.0), ("rrrrr", 2.0)),
        ("rrrGG", 5.0, ("rrrGr", 5.0), ("rrryr", 3.0), ("rrrrr", 2.0)),
    ).program.cycle == pytest.approx(80.0)


def test_a_turn_that_gives_way_may_be_new():
    """The program never shows link 1 beside link 2 with anything but g; a plan may do so elsewhere."""
    assert checked(("rgGrr", 20.0, ("ryyrr", 3.0), ("rrrrr", 2.0)), OWN[1], OWN[2])


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ((("GGGrr", 20.0, ("yyyrr", 3.0), ("rrrrr", 2.0)), OWN[2]), "the foes 1 and 2 together"),
        ((("ggGgr", 20.0, ("yyyyr", 3.0), ("rrrrr", 2.0)), OWN[2]), "the foes"),
        ((("GgGrr", 20.0, ("yyyrr", 2.0), ("rrrrr", 2.0)), OWN[2]), "link 0 has a shorter yellow"),
        ((("GgGrr", 20.0, ("rrrrr", 5.0)), OWN[2]), "link 0 ends without yellow"),
        ((("GgGrr", 20.0, ("yyyrr", 3.0)), OWN[2]), "link 0 has less time to clear"),
        ((("GgGrr", 4.0, ("yyyrr", 3.0), ("rrrrr", 2.0)), OWN[2]), "link 0 has a shorter green"),
        (
            (OWN[0], OWN[1], ("rrrGG", 25.0, ("rrryr", 3.0), ("rrrrr", 2.0))),
            "link 4 has less time to clear",
        ),
    ],
)
def test_what_is_less_safe_is_refused(rows, fault):
    with pytest.raises(InputError, match=f"the plan for signal 'X' is not safe: .*{fault}"):
        checked(*rows)


def test_ways_that_the_plan_does_not_take_keep_the_all_red_of_the_program():
    """All changes of this plan overlap, so that it never shows all red: the program's 2 s are kept."""
    intersection = checked(
        ("GgGrr", 20.0, ("Ggyrr", 3.0), ("Ggrrr", 1.0)),
        ("GGrrr", 10.0, ("Gyrrr", 3.0), ("Grrrr", 2.0)),
        ("GrGrr", 10.0, ("yryrr", 3.0), ("rrrrr", 2.0)),
        ("rrrGG", 25.0, ("rrrGr", 5.0), ("rrryr", 3.0), ("rrrrr", 2.0)),
    )
    assert (intersection.yellow, intersection.all_red) == (3.0, 2.0)
    assert unsafe_changes(intersection) == {}
