"""A story told in time is a policy."""

import pytest

from controllers.scripted import scripted
from sim.errors import ControlError
from sim.protocol import Green
from sim.simulation import Simulation
from sim.testing import PointQueueWorld, corridor


def drive(tell, seconds):
    world = PointQueueWorld(corridor(1), {})
    policy = scripted(tell)
    for question in Simulation(world, seconds, ["J0"]):
        question.answer(policy(question.seen))
    return [(time, state) for time, _, state in world.shown]


def test_the_story_is_told_in_its_order():
    """The first question comes when the minimum green of 5 s is over."""

    def story(seen):
        while True:
            yield Green(0, 30.0)
            yield Green(1, 20.0)

    assert drive(story, 100.0) == [
        (0.0, "Gr"),
        (35.0, "yr"),
        (38.0, "rG"),
        (58.0, "ry"),
        (61.0, "Gr"),
        (91.0, "yr"),
        (94.0, "rG"),
    ]


def test_a_story_may_look_around():
    def story(seen):
        while seen.time < 40.0:
            seen = yield Green(0, 10.0)
        while True:
            seen = yield Green(1, 10.0)

    assert drive(story, 60.0)[1] == (45.0, "yr")


def test_a_story_that_ends_says_so():
    def story(seen):
        yield Green(0, 10.0)

    with pytest.raises(ControlError, match="J0 at t=15 s: the story is over"):
        drive(story, 60.0)
