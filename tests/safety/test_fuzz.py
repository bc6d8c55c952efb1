"""Whatever a policy answers: nothing illegal reaches the world, and the fixed plan takes over at once."""

import json

import numpy as np
import pytest
from safety_fuzz import fuzzing
from safety_oracle import violations
from safety_worlds import RecordingWorld, crossroads, network_of

from denxanh.sim.signals.fixed_time import fixed_time_policy
from denxanh.sim.simulation import Simulation
from denxanh.sim.supervisor import Limits, Supervisor
from denxanh.sim.testing.check_controller import corridor


def fuzzed(network, seed, wanted, *, step=1.0, begin=0.0, limits=None, sleep=0.0):
    """Fuzz until ``wanted`` answers have failed, with a new supervisor for each question; gives (world, events)."""
    rng = np.random.default_rng(seed)
    world = RecordingWorld(network, begin=begin, step=step)
    policies = {name: fuzzing(rng, sleep=sleep) for name in network.intersections}
    events = []
    for question in Simulation(world, begin + 1e6, policies):
        supervisor = Supervisor(network, policies, limits)
        supervisor.answer(question)
        for event in supervisor.events:
            assert (event.time, event.intersection) == (question.bare.time, question.intersection.id)
        events += supervisor.events
        if len(events) >= wanted:
            break
    return world, events


SIGNALS = (
    (corridor(2), 1.0, 0.0),
    (corridor(1), 0.1, 25200.3),
    (network_of(crossroads()), 1.0, 13.0),
    (network_of(crossroads(17.5)), 0.5, 0.0),
)


def stays_legal(network, step, begin, wanted):
    world, events = fuzzed(network, wanted, wanted, step=step, begin=begin)
    assert len(events) >= wanted
    assert {event.cause for event in events} == {"raised", "refused"}
    for name, shown in world.shown.items():
        assert violations(network.intersections[name], shown) == []
    json.dumps([event.to_json() for event in events], ensure_ascii=False).encode("utf-8")


@pytest.mark.parametrize(("network", "step", "begin"), SIGNALS)
def test_fuzzed_answers_show_nothing_illegal(network, step, begin):
    stays_legal(network, step, begin, 400)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "step", "begin"), SIGNALS)
def test_ten_thousand_fuzzed_answers_show_nothing_illegal(network, step, begin):
    stays_legal(network, step, begin, 10_000 // len(SIGNALS))


def test_the_events_are_the_same_in_every_run():
    network = network_of(crossroads())
    assert fuzzed(network, 2, 300)[1] == fuzzed(network, 2, 300)[1]


def test_who_sleeps_is_late():
    limits = Limits(asleep=0.1)
    world, events = fuzzed(corridor(1), 3, 200, limits=limits, sleep=0.3)
    assert "late" in {event.cause for event in events}
    assert violations(world.network.intersections["J0"], world.shown["J0"]) == []


def test_a_run_goes_on_by_the_fixed_plan_after_the_first_failure():
    """Latched: from the failure on, what is shown is what the plan alone shows once it has caught up."""
    network = network_of(crossroads())
    intersection = network.intersections["X"]
    for seed in range(15):
        rng = np.random.default_rng(seed)
        world = RecordingWorld(network)
        policies = {"X": fuzzing(rng, legal=0.8)}
        supervisor = Supervisor(network, policies)
        for question in Simulation(world, 600.0, policies):
            supervisor.answer(question)
        (event,) = supervisor.events
        assert violations(intersection, world.shown["X"]) == []
        caught_up = event.time + 2 * intersection.program.cycle
        alone = RecordingWorld(network)
        plan = fixed_time_policy(intersection)
        for question in Simulation(alone, 600.0, ["X"]):
            question.answer(plan(question.seen))
        assert [x for x in world.shown["X"] if x[0] > caught_up] == [
            x for x in alone.shown["X"] if x[0] > caught_up
        ]
