"""The monitor by itself: each rule lets pass what the plan does and stops the smallest step beyond it."""

from dataclasses import replace

import numpy as np
import pytest
from safety_worlds import crossroads, network_of, signal, timing

from denxanh.sim.errors import SafetyError
from denxanh.sim.plan import Interval
from denxanh.sim.signals.monitor import ConflictMonitor, unsafe_changes
from denxanh.sim.testing.check_controller import corridor

# crossroads(): 0 and 2 through, 1 left (gives way to 2), 3 across, 4 a crossing; its plan, from t = 0:
#   GgGrr 20 s, Ggyrr 3, Ggrrr 1, GGrrr 10, yyrrr 3, rrrrr 2, rrrGG 25, rrrGr 5, rrryr 3, rrrrr 2


def after(*shown, intersection=None):
    """A monitor that has seen these (state, s); the last ends now. Gives (monitor, now)."""
    monitor, time = ConflictMonitor(intersection or crossroads(), 0.0), 1000.0
    monitor.note("r" * len(shown[0][0]), 100.0)
    for state, seconds in shown:
        monitor.note(state, time)
        time += seconds
    return monitor, time


def fault(*shown, then, intersection=None):
    monitor, now = after(*shown, intersection=intersection)
    return monitor.fault(then, now)


@pytest.mark.parametrize(
    "state",
    [
        "",
        "GgGr",
        "GgGrrr",
        None,
        5,
        b"GgGrr",
        "GgGrđ",
        "GgGrX",
        "GgGr ",
        "OOOOO",
        "ooooo",
        "uuuuu",
        "sgGrr",
        ["r"] * 5,
    ],
)
def test_what_is_not_a_state_of_this_signal_is_stopped(state):
    assert fault(("rrrrr", 60.0), then=state)


def test_a_letter_that_the_plan_never_shows_there_is_stopped():
    assert "which its plan never does" in fault(("rrrrr", 60.0), then="rrrru")
    intersection = signal("A", timing(("gr", 20.0, ("yr", 3.0)), ("rG", 20.0, ("ry", 3.0))), [(0, 1)])
    assert not fault(("rr", 60.0), then="gr", intersection=intersection)
    assert not fault(("rr", 60.0), then="Gr", intersection=intersection)  # its only foe is red
    assert "are foes" in fault(("rr", 60.0), then="Gg", intersection=intersection)
    open_ = replace(
        intersection, open_foes=frozenset({0})
    )  # it meets ways without a signal too: it has to look
    assert "'G'" in fault(("rr", 60.0), then="Gr", intersection=open_)
    assert not fault(("rr", 60.0), then="gr", intersection=open_)


@pytest.mark.parametrize("state", ["GrrGr", "rGrGr", "rrGGr", "GrrrG", "GGGrr", "rgrGr", "rgrrG"])
def test_foes_are_not_green_together(state):
    assert "are foes" in fault(("rrrrr", 60.0), then=state)


def test_a_permitted_turn_is_permitted_and_no_more_than_that():
    assert not fault(("rrrrr", 60.0), then="GgGrr")
    assert not fault(("rrrrr", 60.0), then="ggGrr")
    assert not fault(("rrrrr", 60.0), then="Gggrr")  # less right of way is safer
    assert "are foes" in fault(("rrrrr", 60.0), then="GGgrr")


def test_what_was_found_good_once_makes_nothing_else_good():
    monitor, now = after(("rrrrr", 60.0))
    assert monitor.fault("GgGrr", now) == ""
    assert monitor.fault("GgGrr", now) == ""
    assert "are foes" in monitor.fault("GGGrr", now)
    assert "are foes" in monitor.fault("GgGGr", now)


def test_green_ends_through_yellow():
    assert "without yellow" in fault(("GgGrr", 20.0), then="Ggrrr")
    assert not fault(("GgGrr", 20.0), then="Ggyrr")


def test_a_crossing_that_ends_without_yellow_in_its_plan_may():
    assert not fault(("rrrGG", 25.0), then="rrrGr")
    assert "without yellow" in fault(("rrrGG", 25.0), then="rrrrG")


@pytest.mark.parametrize(("seconds", "stopped"), [(2.0, True), (2.9, True), (3.0, False), (4.0, False)])
def test_yellow_lasts_as_long_as_in_the_plan(seconds, stopped):
    assert bool(fault(("GgGrr", 20.0), ("Ggyrr", seconds), then="Ggrrr")) == stopped


def test_yellow_comes_only_after_green_and_leads_only_to_red():
    assert "yellow from red" in fault(("rrrrr", 60.0), then="yrrrr")
    assert "green from yellow" in fault(("GgGrr", 20.0), ("Ggyrr", 3.0), then="GgGrr")


@pytest.mark.parametrize(("seconds", "stopped"), [(1.0, True), (4.9, True), (5.0, False), (60.0, False)])
def test_green_lasts_its_minimum(seconds, stopped):
    assert bool(fault(("GgGrr", seconds), then="yyyrr")) == stopped


@pytest.mark.parametrize(("clear", "stopped"), [(0.0, True), (1.0, True), (2.0, False)])
def test_no_green_before_the_all_red_is_over(clear, stopped):
    shown = [("GGrrr", 10.0), ("yyrrr", 3.0), ("rrrrr", clear)]
    assert bool(fault(*shown, then="rrrGr")) == stopped


def test_no_green_while_a_foe_shows_yellow():
    assert "before its foe 0 has cleared" in fault(("GGrrr", 10.0), ("yyrrr", 3.0), then="rrrGr")
    assert "before its foe" in fault(("GGrrr", 10.0), then="yyrGr")


def test_who_may_be_green_beside_a_foe_may_not_start_while_it_clears():
    """Link 1 may turn left beside 2, giving way; when 2 starts, those who wait in the middle must be gone."""
    assert "before its foe 1 has cleared" in fault(("Ggrrr", 20.0), ("Gyrrr", 3.0), then="GrGrr")
    assert not fault(("Ggrrr", 20.0), ("Gyrrr", 3.0), ("Grrrr", 2.0), then="GrGrr")


def test_what_is_shown_already_may_go_on_while_a_foe_clears():
    assert not fault(("GgGrr", 20.0), then="Ggyrr")


def test_a_yielding_green_gets_no_right_of_way_while_its_foe_clears():
    assert "link 1 would turn green" in fault(("GgGrr", 20.0), then="GGyrr")
    assert "link 1 would turn green" in fault(("GgGrr", 20.0), ("Ggyrr", 3.0), then="GGrrr")
    assert not fault(("GgGrr", 20.0), ("Ggyrr", 3.0), ("Ggrrr", 1.0), then="GGrrr")


@pytest.mark.parametrize(("clear", "stopped"), [(2.0, True), (6.0, True), (7.0, False)])
def test_people_on_foot_get_the_time_that_the_plan_gives_them(clear, stopped):
    """In the plan 10 s pass between the end of the crossing and the next foe."""
    shown = [("rrrGG", 25.0), ("rrryr", 3.0), ("rrrrr", clear)]
    assert bool(fault(*shown, then="GrGrr")) == stopped


def test_it_tells_how_long_people_on_foot_still_need():
    monitor, now = after(("rrrGG", 25.0), ("rrryr", 3.0))
    assert monitor.wait_for_foes("GrGrr", now, now) == 7.0
    assert monitor.wait_for_foes("rrrrr", now, now) == 0.0


def test_it_takes_over_with_the_history_of_the_clock():
    """At t = 21.5 link 2 has been yellow for 1.5 s: it may turn red at 23, not before."""
    monitor = ConflictMonitor(crossroads(), 21.5)
    assert monitor.state == "Ggyrr"
    assert "too short a yellow" in monitor.fault("Ggrrr", 22.5)
    assert monitor.fault("Ggrrr", 23.0) == ""
    green = ConflictMonitor(crossroads(), 2.0)
    assert "too short a green" in green.fault("Ggyrr", 4.0)
    assert green.fault("Ggyrr", 5.0) == ""


@pytest.mark.parametrize("offset", [0.0, 7.0, -3.5, 1e6 + 0.1])
def test_at_every_moment_it_begins_with_what_the_clock_shows(offset):
    intersection = crossroads(offset)
    for tenth in range(0, 800, 7):
        begin = tenth / 10
        now = intersection.program.at(begin)
        stage = intersection.program.stages[now.stage]
        expected = stage.state if now.step == 0 else stage.change[now.step - 1].state
        assert ConflictMonitor(intersection, begin).state == expected


def test_check_raises_and_says_where_and_when():
    monitor, now = after(("GgGrr", 20.0))
    with pytest.raises(SafetyError, match=r"X at t=1020 s: link 2 would end its green without yellow"):
        monitor.check("Ggrrr", now)
    assert monitor.state == "GgGrr"


def test_looking_ahead_changes_nothing_and_finds_the_fault_in_any_step():
    monitor, now = after(("GgGrr", 20.0))
    good = (Interval("Ggyrr", 3.0), Interval("Ggrrr", 1.0))
    assert monitor.look_ahead(good, "GGrrr", now) == ""
    assert "too short a yellow" in monitor.look_ahead((Interval("Ggyrr", 2.0), good[1]), "GGrrr", now)
    assert "without yellow" in monitor.look_ahead((), "GGrrr", now)
    assert "link 1 would turn green" in monitor.look_ahead(good[:1], "GGrrr", now)
    assert monitor.state == "GgGrr"
    assert monitor.look_ahead(good, "GGrrr", now) == ""


def test_a_policy_that_writes_into_the_conflicts_changes_nothing():
    intersection = crossroads()
    monitor = ConflictMonitor(intersection, 0.0)
    with pytest.raises(ValueError, match="read-only"):
        intersection.foes[:] = False
    object.__setattr__(intersection, "foes", np.zeros_like(intersection.foes))
    assert "are foes" in monitor.fault("GgGGr", 100.0)
    monitor.note("GGrrr", 100.0)
    monitor.note("yyrrr", 120.0)
    assert "has cleared" in monitor.fault("rrrGr", 123.0)


def test_every_way_between_two_phases_is_safe():
    assert unsafe_changes(crossroads()) == {}
    assert unsafe_changes(corridor(1).intersections["J0"]) == {}


def test_an_unsafe_way_is_found():
    """A phase that does not show what the plan shows there: the way to it and the phase itself are no good."""
    rows = (("Grr", 20.0, ("yrr", 3.0)), ("rGr", 20.0, ("ryr", 3.0)), ("rrG", 20.0, ("rry", 3.0)))
    intersection = signal("A", timing(*rows), [(0, 1), (0, 2), (1, 2)])
    assert unsafe_changes(intersection) == {}
    phases = (intersection.phases[0], replace(intersection.phases[1], state="GGr"), intersection.phases[2])
    assert (2, 1) in unsafe_changes(replace(intersection, phases=phases))


def test_after_flashing_only_all_red_and_then_everybody_has_had_green():
    network = network_of(crossroads())
    monitor = ConflictMonitor(network.intersections["X"], 0.0)
    monitor.note("rrrrr", 50.0)  # nobody has had green for long
    monitor.flash(100.0)
    assert "flashing" in monitor.fault("GgGrr", 110.0)
    assert monitor.fault("rrrrr", 110.0) == ""
    monitor.note("rrrrr", 110.0)
    early, late = monitor.fault("rrrGG", 111.0), monitor.fault("rrrGG", 140.0)
    assert "has cleared" in early
    assert late == ""


def test_what_is_remembered_is_what_would_be_worked_out():
    """Over walks mostly along the plan, at random times, the remembered verdict and wait are the fresh ones."""
    network = network_of(crossroads())
    intersection = network.intersections["X"]
    rng = np.random.default_rng(5)
    states = ["GgGrr", "Ggyrr", "Ggrrr", "GGrrr", "yyrrr", "rrrrr", "rrrGG", "rrrGr", "rrryr", "rrrrr"]
    remembering, time, seen, here, waits = ConflictMonitor(intersection, 0.0), 0.0, [], 0, set()
    for _ in range(6000):
        time += float(rng.integers(1, 7))
        along = rng.random() < 0.8
        here = (states.index(remembering.state) + 1 if along else int(rng.integers(len(states)))) % len(
            states
        )
        if along and remembering.state == "rrrrr":
            here = int(rng.choice([0, 6]))
        state = states[here]
        fault = remembering.fault(state, time)
        assert fault == remembering._fault(state, time)
        began = time - float(rng.integers(0, 8))
        wait = remembering.wait_for_foes(state, time, began)
        assert wait == remembering._wait_for_foes(state, time, began)
        seen.append(fault)
        waits.add(wait)
        if not fault:
            remembering.note(state, time)
    assert "" in seen
    assert len(set(seen)) > 5
    assert len(waits) > 2
