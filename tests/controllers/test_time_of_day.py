"""Plans by the hour."""

import json

import pytest

from denxanh.controllers.fixed.time_of_day import TimeOfDay
from denxanh.sim.errors import InputError
from denxanh.sim.plan import Interval, Plan, Stage, Timing
from denxanh.sim.testing.check_controller import PointQueueWorld, corridor, play


def timing(first, second, states=("Gr", "rG")):
    return Timing(
        (Stage(states[0], first, (Interval("yr", 3.0),)), Stage(states[1], second, (Interval("ry", 3.0),)))
    )


@pytest.fixture
def schedule(tmp_path):
    def write(plans, times=("07:00", "09:00")):
        rows = []
        for i, (at, plan) in enumerate(zip(times, plans, strict=True)):
            (tmp_path / f"{i}.json").write_text(json.dumps(Plan({"J0": plan}).to_json()), "utf-8")
            rows.append({"from": at, "plan": f"{i}.json"})
        (tmp_path / "day.json").write_text(json.dumps(rows), "utf-8")
        return str(tmp_path / "day.json")

    return write


def greens(begin, seconds, controller):
    world = PointQueueWorld(corridor(1), {}, begin=begin)
    play(world, controller, seconds)
    return [(time, state) for time, _, state in world.shown if state == "Gr"]


def test_the_plan_changes_at_its_hour(schedule):
    """Cycle 60 s until 9:00, then 40 s: both plans start a cycle at 9:00 = 32400 s."""
    controller = TimeOfDay(schedule([timing(27.0, 27.0), timing(17.0, 17.0)]))
    starts = [time for time, _ in greens(32280.0, 240.0, controller)]
    assert starts == [32280.0, 32340.0, 32400.0, 32440.0, 32480.0]


def test_before_the_first_hour_the_last_plan_holds(schedule):
    controller = TimeOfDay(schedule([timing(27.0, 27.0), timing(17.0, 17.0)]))
    starts = [time for time, _ in greens(0.0, 130.0, controller)]
    assert starts[-1] - starts[-2] == 40.0


def test_plans_with_other_stages_are_refused(schedule):
    controller = TimeOfDay(schedule([timing(27.0, 27.0), timing(17.0, 17.0, ("rG", "Gr"))]))
    with pytest.raises(InputError, match="different stages at signal 'J0'"):
        greens(0.0, 10.0, controller)


@pytest.mark.parametrize("text", ["{", "[]", '[{"from": "seven", "plan": "0.json"}]', "[1]", '{"a": 1}'])
def test_a_broken_schedule_is_one_sentence(tmp_path, text):
    path = tmp_path / "day.json"
    path.write_text(text, "utf-8")
    with pytest.raises(
        InputError, match=r"day\.json: (this is no schedule|the schedule is (empty|not JSON))"
    ):
        TimeOfDay(str(path)).make_plan(corridor(1))
