"""How long a program shows yellow and clears, between two greens."""

import pytest

from denxanh.sim.plan import Interval, Stage, Timing
from denxanh.sim.sumo.program import YELLOW, change_times


def times(*change):
    return change_times(
        Timing((Stage("GGr", 20.0, tuple(Interval(state, s) for state, s in change)), Stage("rGG", 20.0)))
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ([("yyr", 3.0), ("rrr", 2.0)], (3.0, 2.0)),
        ([("yGr", 4.0)], (4.0, 0.0)),
        # the second link goes on through the change; the first one is cleared before the third starts
        ([("yGr", 3.0), ("rGu", 2.0)], (3.0, 2.0)),
        ([("yGr", 3.0), ("rGu", 1.0), ("rrr", 1.0)], (3.0, 2.0)),
        # one link's yellow begins when the other's is over
        ([("yGr", 3.0), ("ryr", 3.0), ("rrr", 1.0)], (3.0, 1.0)),
        # people on foot clear before the yellow of those beside them
        ([("rGr", 5.0), ("ryr", 3.0), ("rrr", 2.0)], (3.0, 2.0)),
        ([("rGr", 5.0)], (YELLOW, 0.0)),
        ([("rrr", 2.0)], (YELLOW, 2.0)),
        ([], (YELLOW, 0.0)),
    ],
)
def test_yellow_is_a_link_s_own_and_clearance_all_the_rest(change, expected):
    assert times(*change) == expected
