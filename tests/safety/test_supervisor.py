"""A policy that fails is replaced at once and for good; the others never notice."""

import itertools
import json
import signal
import sys
import time

import numpy as np
import pytest
from safety_oracle import violations
from safety_worlds import RecordingWorld, crossroads, network_of

from denxanh.sim.controller import Green
from denxanh.sim.errors import ControlError, InputError, LimitError, SafetyError, WorldError
from denxanh.sim.network import Network
from denxanh.sim.simulation import Simulation
from denxanh.sim.supervisor import Limits, Supervisor
from denxanh.sim.testing.check_controller import corridor


def supervised(network: Network, policies, *, end=300.0, limits=None, world=None):
    """Run; gives (world, supervisor)."""
    world = world or RecordingWorld(network)
    supervisor = Supervisor(network, policies, limits)
    for question in Simulation(world, world.begin + end, policies):
        supervisor.answer(question)
    return world, supervisor


def swap(seen):
    """A decent policy: 20 s for each phase."""
    return Green((seen.phase + 1) % len(seen.intersection.phases), 20.0)


def failing_at(moment, fail):
    return lambda seen: fail(seen) if seen.time >= moment else swap(seen)


def throw(error):
    def fail(seen):
        raise error

    return fail


@pytest.mark.parametrize(
    ("fail", "cause", "detail"),
    [
        (throw(ValueError("no")), "raised", "ValueError('no')"),
        (throw(SystemExit(3)), "raised", "SystemExit(3)"),
        (lambda seen: None, "refused", "answered None"),
        (lambda seen: Green(7, 5.0), "refused", "there are 0…1"),
        (lambda seen: Green(-1, 5.0), "refused", "there are 0…1"),
        (lambda seen: Green(0, float("nan")), "refused", "not a time"),
        (lambda seen: Green(0, 0.0), "refused", "not a time"),
        (lambda seen: Green(0, 1e-7), "refused", "not a time"),
        (lambda seen: Green(0, 2.5), "refused", "not a multiple of the step"),
        (lambda seen: object(), "refused", "answered <object object>"),
    ],
)
def test_a_failure_is_an_event_and_the_plan_takes_over(fail, cause, detail):
    network = corridor(1)
    world, supervisor = supervised(network, {"J0": failing_at(40.0, fail)})
    (event,) = supervisor.events
    assert (event.intersection, event.cause) == ("J0", cause)
    assert 40.0 <= event.time <= 70.0
    assert detail in event.detail
    assert violations(network.intersections["J0"], world.shown["J0"]) == []
    # the plan by the clock: 27 s green, 3 s yellow, from t = 0
    assert [x for x in world.shown["J0"] if x[0] >= 120.0] == [
        (t, state)
        for c in (120.0, 180.0, 240.0)
        for t, state in ((c, "Gr"), (c + 27.0, "yr"), (c + 30.0, "rG"), (c + 57.0, "ry"))
    ]


def test_it_is_asked_no_more_after_its_failure():
    asked = []

    def policy(seen):
        asked.append(seen.time)
        raise ValueError

    supervised(corridor(1), {"J0": policy})
    assert len(asked) == 1


def test_the_neighbours_keep_their_policies():
    network = corridor(3)
    good, _ = supervised(network, dict.fromkeys(network.intersections, swap))
    bad, supervisor = supervised(network, {"J0": swap, "J1": failing_at(50.0, throw(OSError())), "J2": swap})
    assert [event.intersection for event in supervisor.events] == ["J1"]
    assert bad.shown["J0"] == good.shown["J0"]
    assert bad.shown["J2"] == good.shown["J2"]
    assert bad.shown["J1"] != good.shown["J1"]


def test_a_good_policy_is_left_alone():
    network = network_of(crossroads())
    world, supervisor = supervised(network, {"X": swap}, end=3000.0)
    plain = RecordingWorld(network)
    for question in Simulation(plain, 3000.0, ["X"]):
        question.answer(swap(question.seen))
    assert supervisor.events == []
    assert world.shown == plain.shown


def test_it_changes_phase_only_after_the_minimum_green():
    _, supervisor = supervised(corridor(1), {"J0": lambda seen: Green(1 - seen.phase, 4.0)})
    (event,) = supervisor.events
    assert "phase 1 has been green for 4 s, less than its minimum 5 s" in event.detail


@pytest.mark.skipif(
    not hasattr(signal, "setitimer"),
    reason="Windows has no interval timer to end an endless loop with",
)
def test_an_endless_loop_is_interrupted():
    def policy(seen):
        while True:
            pass

    _, supervisor = supervised(corridor(1), {"J0": policy}, limits=Limits(0.05, 0.05))
    assert [event.cause for event in supervisor.events] == ["late"]


def test_only_the_first_answer_may_take_long():
    def policy(seen):
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
        return swap(seen)

    _, supervisor = supervised(corridor(1), {"J0": policy}, limits=Limits(0.05, 30.0))
    (event,) = supervisor.events
    assert event.cause == "late"
    assert event.detail == "it took more than 0.05 s of CPU time"
    assert event.time > 5.0


def hang(*_, **__):
    while True:
        pass


class EndlessError(Exception):
    __repr__ = __str__ = hang


class EndlessControlError(ControlError):
    __repr__ = __str__ = hang


class EndlessInt(np.int64):
    __index__ = __int__ = __eq__ = __hash__ = hang


class EndlessFloat(float):
    __float__ = __le__ = __ge__ = __sub__ = hang


class EndlessType:
    """Is no Green, says endlessly what it is."""

    __class__ = property(hang)
    __repr__ = hang


class EndlessProperty(Green):
    phase = property(hang, lambda self, value: None)


class EndlessAnswerError(Green):
    seconds = property(throw(EndlessControlError()), lambda self, value: None)


class EndlessEnd:
    """Is no Green, and its memory is never given back."""

    __del__ = hang


@pytest.mark.skipif(
    not hasattr(signal, "setitimer"),
    reason="Windows has no interval timer to end an endless loop with",
)
@pytest.mark.parametrize(
    "fail",
    [
        throw(EndlessError()),
        throw(EndlessControlError()),
        lambda seen: EndlessType(),
        lambda seen: EndlessEnd(),
        lambda seen: EndlessProperty(0, 5.0),
        lambda seen: EndlessAnswerError(0, 5.0),
        lambda seen: Green(EndlessInt(0), 5.0),
        lambda seen: Green(0, EndlessFloat(5.0)),
        lambda seen: Green(EndlessType(), 5.0),
        lambda seen: Green(0, EndlessType()),
    ],
)
def test_an_answer_that_never_ends_when_it_is_looked_at_is_late(fail, monkeypatch):
    # pytest's hook for errors in __del__ would run within the policy's time, and its end there would be an error
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: None)
    limits = Limits(0.05, 0.05)
    _, supervisor = supervised(corridor(1), {"J0": failing_at(40.0, fail)}, limits=limits, end=120.0)
    assert [event.cause for event in supervisor.events] == ["late"]


def test_a_run_that_can_be_repeated_ends_at_the_limit():
    network = corridor(1)
    limits = Limits(0.01, 0.01)

    def policy(seen):
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        return swap(seen)

    supervisor = Supervisor(network, {"J0": policy}, limits, stop_when_late=True)
    question = next(iter(Simulation(RecordingWorld(network), 300.0, ["J0"])))
    with pytest.raises(LimitError, match=r"J0 at t=5 s: it took more than 0\.01 s of CPU time"):
        supervisor.answer(question)
    _, gone_on = supervised(network, {"J0": policy}, limits=limits)
    assert gone_on.limits_met == ["J0 at t=5 s: it took more than 0.01 s of CPU time"]


def test_the_users_interrupt_is_not_the_policys_failure():
    with pytest.raises(KeyboardInterrupt):
        supervised(corridor(1), {"J0": throw(KeyboardInterrupt())})


def test_maximum_green():
    limits = Limits(max_green=60.0)

    def changes_in_time(seen):
        return Green(seen.phase, 20.0) if seen.elapsed < 40 else swap(seen)

    _, good = supervised(corridor(1), {"J0": changes_in_time}, limits=limits)
    assert good.events == []
    _, bad = supervised(corridor(1), {"J0": lambda seen: Green(seen.phase, 20.0)}, limits=limits)
    (event,) = bad.events
    assert "longer than the maximum of 60 s" in event.detail
    assert event.time == 45.0  # asked at 5, 25 and 45: then it would last until 65
    _, at_once = supervised(corridor(1), {"J0": lambda seen: Green(1, 61.0)}, limits=limits)
    assert len(at_once.events) == 1


def test_maximum_red():
    network = network_of(crossroads())
    limits = Limits(max_red=90.0)

    def never_east(seen):
        return Green(1 - seen.phase if seen.phase < 2 else 0, 20.0)

    world, supervisor = supervised(network, {"X": never_east}, limits=limits, end=600.0)
    (event,) = supervisor.events
    assert "longer than the maximum of 90 s" in event.detail
    red = [time for time, state in world.shown["X"] if state[3] == "G"]
    assert red
    assert red[0] <= 90.0 + network.intersections["X"].program.cycle
    _, free = supervised(network, {"X": never_east}, end=600.0)
    assert free.events == []


class Changing(Green):
    """Shorter the first time it is looked at."""

    looks = 0

    @property
    def seconds(self):
        Changing.looks += 1
        return 20.0 if Changing.looks % 2 else 500.0

    @seconds.setter
    def seconds(self, value):
        pass


def test_an_answer_that_changes_does_not_pass_the_maximum_green():
    network = corridor(1)
    world, _ = supervised(
        network, {"J0": lambda seen: Changing(1 - seen.phase, 20.0)}, limits=Limits(max_green=60.0)
    )
    starts = [time for time, _ in world.shown["J0"]]
    assert max(after - before for before, after in itertools.pairwise(starts)) <= 60.0


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_limits_are_positive_times(value):
    with pytest.raises(InputError, match="max_red"):
        Limits(max_red=value)
    with pytest.raises(InputError, match="decision"):
        Limits(decision=value)


@pytest.mark.parametrize("policies", [None, 5, ["J0"]])
def test_policies_that_are_none(policies):
    with pytest.raises(ControlError, match="not policies by intersection"):
        Supervisor(corridor(1), policies)


def test_policies_for_an_intersection_that_is_not_there():
    network = corridor(1)
    with pytest.raises(ControlError, match="'J9', which is not a controlled intersection"):
        supervised(network, {"J9": swap})


def test_the_fixed_plan_keeps_to_the_step_where_the_plan_does_not():
    """Greens of 26.5 s and a yellow of 3.2 s with steps of 1 s: each lasts until the next step."""
    network = corridor(1, green=(26.5, 20.3), yellow=3.2)
    world, supervisor = supervised(network, {"J0": throw(ValueError())}, end=2000.0)
    assert len(supervisor.events) == 1
    assert len(world.shown["J0"]) > 100
    assert violations(network.intersections["J0"], world.shown["J0"]) == []


def test_an_observation_that_a_policy_spoilt_does_not_reach_the_fixed_plan():
    def policy(seen):
        object.__setattr__(seen, "phase", 99)
        object.__setattr__(seen, "elapsed", -5.0)
        raise ValueError

    network = corridor(1)
    world, _ = supervised(network, {"J0": policy})
    assert len(world.shown["J0"]) > 10
    assert violations(network.intersections["J0"], world.shown["J0"]) == []


def test_events_can_be_written():
    _, supervisor = supervised(corridor(1), {"J0": throw(ValueError("đỏ \ud800 <object at 0x7f00aa>"))})
    (event,) = supervisor.events
    row = json.loads(json.dumps(event.to_json(), ensure_ascii=False).encode("utf-8"))
    assert row == {
        "kind": "fallback",
        "time_s": 5.0,
        "intersection": "J0",
        "cause": "raised",
        "detail": "ValueError('đỏ \\ud800 <object>')",
    }


class Unwritable(Exception):
    """Its words hold what no file can."""

    def __repr__(self):
        return "đỏ \ud800"


def test_words_that_cannot_be_written_are_written_otherwise():
    _, supervisor = supervised(corridor(1), {"J0": throw(Unwritable())})
    assert supervisor.events[0].detail.encode("utf-8").decode("utf-8") == "đỏ \\ud800"


class Deaf(RecordingWorld):
    """From ``since`` on it shows what it showed before, whatever it is told."""

    since = 30.0

    def shows(self, intersection):
        before = [state for time, state in self.shown[intersection] if time < self.since]
        return before[-1] if before else super().shows(intersection)


def test_a_world_that_does_not_show_what_it_is_told_ends_the_run():
    network = corridor(1)
    with pytest.raises(WorldError, match=r"J0 at t=31 s: the world shows 'ry', it was told to show 'Gr'"):
        supervised(network, {"J0": swap}, world=Deaf(network))


class Jumping(RecordingWorld):
    """Somebody else changes the signal at t = 12 s."""

    def shows(self, intersection):
        return "rr" if self.steps >= 12 else super().shows(intersection)


def test_a_jump_from_outside_ends_the_run_at_the_next_change():
    network = corridor(1)

    def late(seen):
        return Green(1 - seen.phase if seen.time > 20 else seen.phase, 16.0)

    with pytest.raises(WorldError, match="the world shows 'rr'"):
        supervised(network, {"J0": late}, world=Jumping(network))


def test_the_second_barrier_stops_what_the_engine_itself_would_do_wrong():
    """The engine is made to skip the yellow: nothing of it reaches the world."""
    network = corridor(1)
    world = RecordingWorld(network)
    simulation = Simulation(world, 100.0, ["J0"])
    questions = iter(simulation)
    question = next(questions)
    with pytest.raises(SafetyError, match="without yellow"):
        simulation.signals["J0"]._show("rG")
    assert world.shown["J0"] == [(0.0, "Gr")]
    question.answer(Green(0, 10.0))


def test_a_policy_that_changes_the_phases_cannot_change_what_is_legal():
    """The description is shared with the policies; the monitor has its own copy."""
    network = network_of(crossroads())
    intersection = network.intersections["X"]

    def policy(seen):
        if seen.time > 30.0:
            object.__setattr__(seen.intersection, "foes", np.zeros_like(seen.intersection.foes))
            for phase in seen.intersection.phases:
                object.__setattr__(phase, "state", "GGGGr")
        return Green((seen.phase + 1) % 3, 10.0)

    world = RecordingWorld(network)
    with pytest.raises(ControlError):
        supervised(network, {"X": policy}, world=world)
    assert violations(crossroads(), world.shown["X"]) == []
    assert intersection.id == "X"
