"""Phases beside the program's: what may be added, and how the signal gets there."""

import pytest

from denxanh.sim.errors import InputError
from denxanh.sim.plan import Interval
from denxanh.sim.signals.added_phases import with_phases
from denxanh.sim.signals.change import change_intervals
from denxanh.sim.signals.rules import Rules
from denxanh.sim.testing.check_controller import corridor


def test_a_phase_beside_the_program_is_reached_by_yellow():
    before = corridor(1)
    intersection = with_phases(before, {"J0": ("rr",)}).intersections["J0"]
    assert [phase.state for phase in intersection.phases] == ["Gr", "rG", "rr"]
    assert intersection.program == before.intersections["J0"].program
    assert change_intervals(intersection, 0, 2) == (Interval("yr", 3.0),)
    assert change_intervals(intersection, 2, 1) == ()  # nothing loses its green


@pytest.mark.parametrize(
    ("state", "words"),
    [("GG", "are foes"), ("Gs", "link 1 would show 's'"), ("G", "2 letters"), ("yr", "'y'")],
)
def test_an_unsafe_phase_is_refused(state, words):
    with pytest.raises(InputError, match=words):
        with_phases(corridor(1), {"J0": (state,)})


def test_a_phase_for_an_unknown_signal_is_refused():
    with pytest.raises(InputError, match="no such signal"):
        with_phases(corridor(1), {"J7": ("rr",)})


def test_a_uniform_change_may_be_shorter_than_the_plan():
    intersection = Rules(uniform_change=3.0).apply(corridor(1, yellow=5.0)).intersections["J0"]
    assert [stage.change for stage in intersection.program.stages] == [
        (Interval("yr", 3.0),),
        (Interval("ry", 3.0),),
    ]
    assert (intersection.yellow, intersection.all_red, intersection.program.cycle) == (3.0, 0.0, 60.0)


def test_a_uniform_change_leaves_nothing_to_other_rules():
    with pytest.raises(InputError, match="beside yellow"):
        Rules(uniform_change=3.0, yellow="ite")
