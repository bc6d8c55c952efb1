"""Fixed time is a function of the clock."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from denxanh.controllers.fixed.fixed_time import FixedTime
from denxanh.sim.controller import Green, Observation
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Interval, Plan, Stage, Timing
from denxanh.sim.signals.added_phases import with_phases
from denxanh.sim.signals.fixed_time import fixed_time_policy
from denxanh.sim.simulation import Simulation
from denxanh.sim.testing.check_controller import PointQueueWorld, check_controller, corridor, play

TIMING = Timing(
    (
        Stage("Gr", 20.0, (Interval("yr", 3.0), Interval("rr", 2.0))),
        Stage("rG", 30.0, (Interval("ry", 4.0),)),
    ),
    offset=7.0,
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(Plan({"J0": TIMING}).to_json()), "utf-8")
    return str(path)


def expected(timing, time):
    moment = timing.at(time)
    stage = timing.stages[moment.stage]
    return stage.state if moment.step == 0 else stage.change[moment.step - 1].state


def state_at(world, time):
    return [state for at, _, state in world.shown if at <= time][-1]


@pytest.mark.parametrize("begin", [0.0, 3.0, 25200.0, 28.0, 31.0])
def test_it_shows_what_the_clock_says_at_every_second(file, begin):
    world = PointQueueWorld(corridor(1), {}, begin=begin)
    play(world, FixedTime(file), 300.0)
    for second in range(300):
        assert state_at(world, begin + second) == expected(TIMING, begin + second)


@given(delay=st.integers(1, 200), start=st.integers(0, 200))
def test_it_comes_back_to_the_clock_after_any_disturbance(delay, start):
    """Somebody holds a phase for ``delay`` s; within two cycles the signal is on the clock again."""
    from denxanh.sim.signals.planned_network import with_plan

    network = with_plan(corridor(1), Plan({"J0": TIMING}))
    world = PointQueueWorld(network, {})
    policy = fixed_time_policy(network.intersections["J0"])
    end, held = float(start + delay + 3 * TIMING.cycle), False
    for question in Simulation(world, end, ["J0"]):
        if not held and question.seen.time >= start:
            held = True
            question.answer(Green(question.seen.phase, float(delay)))
        else:
            question.answer(policy(question.seen))
    last = [(time, state) for time, _, state in world.shown if time > end - TIMING.cycle]
    assert last
    for time, state in last:
        assert state == expected(TIMING, time)


def test_it_waits_for_a_green_it_can_still_join(file):
    network = corridor(1)
    from denxanh.sim.signals.planned_network import with_plan

    intersection = with_plan(network, FixedTime(file).make_plan(network)).intersections["J0"]
    # clock: at t = 87 phase 1 is green until 62 + 7 − … = position 21 → yellow; phase 0 shows since 80
    policy = fixed_time_policy(intersection)
    assert policy(Observation(intersection, 7.0, 0, 20.0)) == Green(0, 20.0)
    assert policy(Observation(intersection, 27.0, 0, 20.0)) == Green(1, 30.0)
    # ten seconds late: phase 1 began at 32 and ends at 62; changing takes 5 s
    assert policy(Observation(intersection, 42.0, 0, 35.0)) == Green(1, 15.0)
    # too late for the minimum of 5 s: stay until the green of phase 1 in the next cycle can be met on time
    assert policy(Observation(intersection, 54.0, 0, 47.0)) == Green(0, 7.0 + 59.0 - 54.0)


def test_it_keeps_the_rules(file):
    check_controller(FixedTime(file), corridor(1))


def test_a_missing_plan_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="the plan cannot be read"):
        FixedTime(str(tmp_path / "no.json")).make_plan(corridor(1))


def test_a_broken_plan_names_the_file(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text("{", "utf-8")
    with pytest.raises(InputError, match=r"plan\.json: the plan is not JSON"):
        FixedTime(str(path)).make_plan(corridor(1))


def test_the_clock_leads_back_from_a_phase_beside_the_program():
    """A controller that adds phases may fall back while one of them is green."""
    network = corridor(1)
    intersection = network.intersections["J0"]
    wider = with_phases(network, {"J0": [intersection.phases[0].state]}).intersections["J0"]
    policy = fixed_time_policy(wider)
    for second in range(120):
        seen = Observation(wider, float(second), len(intersection.phases), 30.0)
        answer = policy(seen)
        assert answer.seconds > 0
        assert answer.phase in range(len(intersection.phases) + 1)
        if answer.phase == len(intersection.phases):  # it waits for the next green of the program
            assert (
                policy(Observation(wider, second + answer.seconds, answer.phase, 30.0)).phase < answer.phase
            )
