"""What is a phase, and how long a pair of foes is kept apart: by the links that change."""

from dataclasses import replace

import numpy as np
import pytest
from safety_worlds import network_of, signal, timing

from denxanh.sim.errors import InputError
from denxanh.sim.plan import Interval, Plan
from denxanh.sim.signals.added_phases import with_phases
from denxanh.sim.signals.change import change_between, change_intervals
from denxanh.sim.signals.monitor import unsafe_changes
from denxanh.sim.signals.permits import permits_of
from denxanh.sim.signals.plan_check import checked_plan
from denxanh.sim.signals.planned_network import with_plan
from denxanh.sim.signals.rules import Rules
from denxanh.sim.signals.waivers import by_kind, waivers
from denxanh.sim.sumo.netfile import RawPhase, RawProgram
from denxanh.sim.sumo.program import read_program


def read(*rows, crossings=None):
    """Of (state, s) rows: the states that are phases, or why there are none."""
    phases = tuple(RawPhase(state, float(s), None, None, "", "") for state, s in rows)
    reading = read_program(RawProgram("J", "0", "static", 0.0, phases, "test"), crossings=crossings)
    return reading.refusal or [phase.state for phase in reading.phases]


@pytest.mark.parametrize(
    ("rows", "phases"),
    [
        # plain: yellow and all-red between two greens
        ([("Gr", 30), ("yr", 3), ("rr", 2), ("rG", 20), ("ry", 3), ("rr", 2)], ["Gr", "rG"]),
        # link 2 is never red
        ([("GrG", 30), ("yrG", 3), ("rrG", 22), ("rGG", 20), ("ryG", 3), ("rrG", 22)], ["GrG", "rGG"]),
        # … and has more right of way while the others are red
        ([("Grg", 30), ("yrg", 3), ("rrG", 2), ("rGg", 20), ("ryg", 3), ("rrG", 2)], ["Grg", "rGg"]),
        # link 1 goes on from the one to the other while link 0 clears, and while link 2 does
        (
            [("GGr", 20), ("yGr", 3), ("rGr", 4), ("rGG", 20), ("ryy", 3), ("rrr", 2)],
            ["GGr", "rGG"],
        ),
        # two such states, as programs of control rooms have them
        (
            [("GGr", 20), ("yGr", 3), ("rGr", 1), ("rGr", 2), ("rGG", 20), ("ryy", 3)],
            ["GGr", "rGG"],
        ),
        # link 1 goes on alone and then ends: a phase that lengthens it
        (
            [("GGr", 20), ("yGr", 3), ("rGr", 10), ("ryr", 3), ("rrG", 20), ("rry", 3)],
            ["GGr", "rGr", "rrG"],
        ),
        # lead and lag: left 0 with through 1, both throughs 1 and 2, left 3 with through 2, side 4
        (
            [
                *(("GGrrr", 9), ("yGrrr", 3), ("rGGrr", 20), ("ryGrr", 3), ("rrGGr", 9)),
                *(("rryyr", 3), ("rrrrr", 2), ("rrrrG", 20), ("rrrry", 3), ("rrrrr", 2)),
            ],
            ["GGrrr", "rGGrr", "rrGGr", "rrrrG"],
        ),
        # a left turn that is protected for a time: more right of way is served, too
        ([("Ggr", 20), ("ygr", 3), ("rGr", 8), ("ryr", 3), ("rrG", 20), ("rry", 3)], ["Ggr", "rGr", "rrG"]),
        # the same where nothing else ever stops the left turn
        ([("Gg", 20), ("yg", 3), ("rG", 8)], ["Gg", "rG"]),
        # link 1 is interrupted in between: it is served again
        (
            [("GGr", 20), ("yyr", 3), ("rGr", 9), ("ryr", 3), ("rGG", 9), ("ryy", 3), ("rrr", 1)],
            ["GGr", "rGr", "rGG"],
        ),
        # equal states stay several phases
        ([("Gr", 9), ("Gr", 9), ("Gr", 9), ("yr", 3), ("rG", 9), ("ry", 3)], ["Gr", "Gr", "Gr", "rG"]),
        # a letter that never changes: an arrow that flashes, and one that is off
        ([("Gry", 30), ("yry", 3), ("rGy", 20), ("ryy", 3)], ["Gry", "rGy"]),
        ([("Gro", 30), ("yro", 3), ("rGo", 20), ("ryo", 3)], ["Gro", "rGo"]),
    ],
)
def test_phases_are_told_by_the_links_that_change(rows, phases):
    assert read(*rows) == phases


def test_people_on_foot_clear_beside_a_flashing_arrow():
    rows = [("GGry", 20), ("Grry", 6), ("yrry", 3), ("rrGy", 20), ("rryy", 3)]
    assert read(*rows, crossings={1: 8.0}) == ["GGry", "rrGy"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("GrG", 30), ("yrG", 3), ("rrG", 20)], "one green phase"),
        ([("rry", 30), ("rrr", 3)], "shows no green"),
        ([("Gro", 30), ("yro", 3), ("rGr", 20), ("ryr", 3)], "switches links of it off"),
    ],
)
def test_a_signal_is_given_up_for_a_true_reason(rows, reason):
    assert reason in read(*rows)


def one_lane_stretch():
    """0 and 1 share a stretch of one lane that takes 22 s to clear; 2 crosses behind it; 3 is never red."""
    return signal(
        "A",
        timing(
            ("GrrG", 20.0, ("yrrG", 3.0), ("rrrG", 22.0)),
            ("rGrG", 20.0, ("yyrG", 3.0), ("rrrG", 2.0)),
            ("rrGG", 20.0, ("rryG", 3.0), ("rrrG", 2.0)),
        ),
        [(0, 1), (0, 2), (1, 2)],
    )


def clearance(way, link):
    """s from the end of the green of ``link`` to the end of the way."""
    first = next(k for k, interval in enumerate(way) if interval.state[link] not in "gG")
    return sum(interval.duration for interval in way[first:])


def test_a_pair_keeps_its_own_clearance_and_no_other_pair_less_than_the_signal_s():
    intersection = one_lane_stretch()
    permits = permits_of(intersection)
    assert permits.clearance[0, 1] == 25.0
    assert permits.clearance[1, 2] == 5.0
    assert unsafe_changes(intersection) == {}


def yellows_one_after_the_other():
    """Link 0 has 8 s before link 2, though the signal's yellow is 3 s and its all-red 2 s."""
    return signal(
        "A",
        timing(
            ("GGrr", 20.0, ("yGrr", 3.0), ("ryrr", 3.0), ("rrrr", 2.0)),
            ("rrGr", 20.0, ("rryr", 3.0), ("rrrr", 2.0)),
            ("rrrG", 20.0, ("rrry", 3.0), ("rrrr", 2.0)),
        ),
        [(0, 2), (1, 2), (0, 3), (1, 3), (2, 3)],
    )


def test_a_way_that_the_program_does_not_take_keeps_the_clearance_of_the_pair():
    intersection = with_phases(network_of(yellows_one_after_the_other()), {"A": ["Grrr"]}).intersections["A"]
    assert permits_of(intersection).clearance[0, 2] == 8.0
    assert permits_of(intersection).clearance[1, 2] == 5.0
    assert clearance(change_intervals(intersection, 3, 1), 0) == 8.0
    assert clearance(change_intervals(intersection, 3, 2), 0) == 5.0
    assert unsafe_changes(intersection) == {}


def going_on():
    """Link 1 goes on for 12 s while link 0 clears; both meet link 2."""
    return signal(
        "A",
        timing(
            ("GGr", 20.0, ("yGr", 3.0)),
            ("rGr", 12.0, ("ryr", 3.0), ("rrr", 2.0)),
            ("rrG", 20.0, ("rry", 3.0), ("rrr", 2.0)),
        ),
        [(0, 2), (1, 2)],
    )


def test_a_phase_in_the_middle_of_a_clearance_is_on_the_way():
    intersection = going_on()
    assert permits_of(intersection).clearance[0, 2] == 20.0
    way = change_intervals(intersection, 0, 2)
    assert [interval.state for interval in way] == ["yGr", "rGr", "ryr", "rrr"]
    assert way == change_between(intersection, "GGr", "rrG")
    assert unsafe_changes(intersection) == {}


def test_a_phase_that_serves_somebody_is_no_clearance():
    intersection = signal(
        "A",
        timing(
            *((s, 20.0, (y, 3.0), ("rrr", 2.0)) for s, y in (("Grr", "yrr"), ("rGr", "ryr"), ("rrG", "rry")))
        ),
        [(0, 1), (0, 2), (1, 2)],
    )
    assert permits_of(intersection).clearance[0, 2] == 5.0
    assert clearance(change_intervals(intersection, 0, 2), 0) == 5.0


def test_a_plan_keeps_the_clearance_of_the_network_s_program():
    """Link 2 follows link 3 in the plan; yet who goes from link 0 to link 2 waits for as long as in the program."""
    network = network_of(yellows_one_after_the_other())
    first, second, third = (
        ("GGrr", 20.0, ("yyrr", 3.0), ("rrrr", 2.0)),
        ("rrGr", 20.0, ("rryr", 3.0), ("rrrr", 2.0)),
        ("rrrG", 20.0, ("rrry", 3.0), ("rrrr", 2.0)),
    )
    plan = Plan({"A": timing(first, third, second)})
    planned = checked_plan(network, with_plan(network, plan)).intersections["A"]
    assert permits_of(planned).clearance[0, 2] == 8.0
    assert clearance(change_intervals(planned, 0, 2), 0) == 8.0
    with pytest.raises(InputError, match="link 0 has less time to clear"):
        checked_plan(network, with_plan(network, Plan({"A": timing(first, second, third)})))


def test_a_uniform_change_is_uniform():
    network = network_of(yellows_one_after_the_other())
    intersection = Rules(uniform_change=3.0).apply(network).intersections["A"]
    assert intersection.program.stages[0].change == (Interval("yyrr", 3.0),)
    assert clearance(change_intervals(intersection, 0, 2), 0) == 3.0


def arrow():
    """Link 2 is an arrow that flashes yellow."""
    return signal(
        "A",
        timing(("Gry", 20.0, ("yry", 3.0), ("rry", 2.0)), ("rGy", 20.0, ("ryy", 3.0), ("rry", 2.0))),
        [(0, 1)],
    )


def test_an_arrow_that_flashes_goes_on_flashing():
    intersection = with_phases(network_of(arrow()), {"A": ["rry"]}).intersections["A"]
    assert (intersection.yellow, intersection.all_red) == (3.0, 2.0)
    assert {interval.state[2] for j in (1, 2) for interval in change_intervals(intersection, 0, j)} == {"y"}
    assert unsafe_changes(intersection) == {}
    longer = Rules(yellow=4.0, all_red=3.0).apply(network_of(arrow())).intersections["A"]
    assert longer.program.stages[0].change == (Interval("yry", 4.0), Interval("rry", 3.0))


def test_a_free_right_turn_is_no_missing_all_red():
    intersection = one_lane_stretch()
    assert "no-all-red" not in {waiver.rule for waiver in waivers(intersection)}


def test_a_waiver_names_plan_signal_and_movement():
    rows = (("GrG", 20.0, ("yrG", 4.0)), ("rGG", 20.0, ("ryG", 4.0), ("rrG", 2.0)))
    intersection = replace(signal("A", timing(*rows), [(0, 1)]), program_id="peak")
    (found,) = waivers(intersection)
    assert (found.rule, found.count, found.plan, found.example) == ("no-all-red", 1, "peak", "[0] → [1]")
    assert (
        str(found)
        == "changes without red between conflicting movements: 1 at signal A, plan 'peak', such as [0] → [1]"
    )


def test_many_signals_with_the_same_waiver_are_one_line():
    rows = (("Gr", 20.0, ("yr", 4.0)), ("rG", 20.0, ("ry", 4.0)))
    found = [waiver for k in range(7) for waiver in waivers(signal(f"J{k}", timing(*rows), [(0, 1)]))]
    (line,) = by_kind(found)
    assert line.startswith(
        "changes without red between conflicting movements: 14 at 7 signals (J0, J1, J2, J3, J4, …)"
    )


def test_what_the_next_phase_starts_early_belongs_to_the_clearance():
    intersection = signal(
        "A",
        timing(("Grr", 20.0, ("yrr", 3.0)), ("rrG", 4.0), ("rGG", 20.0, ("ryy", 3.0), ("rrr", 2.0))),
        [(0, 1)],
    )
    assert permits_of(intersection).clearance[0, 1] == 7.0
    assert np.isclose(clearance(change_intervals(intersection, 0, 2), 0), 7.0)
