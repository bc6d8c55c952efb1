"""A script, a generator of greens, is a policy."""

import pytest

from denxanh.controllers.scripted import scripted
from denxanh.sim.controller import Green
from denxanh.sim.errors import ControlError
from denxanh.sim.simulation import Simulation
from denxanh.sim.testing.check_controller import PointQueueWorld, corridor


def drive(tell, seconds):
    world = PointQueueWorld(corridor(1), {})
    policy = scripted(tell)
    for question in Simulation(world, seconds, ["J0"]):
        question.answer(policy(question.seen))
    return [(time, state) for time, _, state in world.shown]


def test_the_greens_of_a_script_are_shown_in_order():
    """The first question comes when the minimum green of 5 s is over."""

    def script(seen):
        while True:
            yield Green(0, 30.0)
            yield Green(1, 20.0)

    assert drive(script, 100.0) == [
        (0.0, "Gr"),
        (35.0, "yr"),
        (38.0, "rG"),
        (58.0, "ry"),
        (61.0, "Gr"),
        (91.0, "yr"),
        (94.0, "rG"),
    ]


def test_a_script_may_read_its_observations():
    def script(seen):
        while seen.time < 40.0:
            seen = yield Green(0, 10.0)
        while True:
            seen = yield Green(1, 10.0)

    assert drive(script, 60.0)[1] == (45.0, "yr")


def test_a_script_that_ends_is_refused():
    def script(seen):
        yield Green(0, 10.0)

    with pytest.raises(ControlError, match="J0 at t=15 s: the script has ended"):
        drive(script, 60.0)
