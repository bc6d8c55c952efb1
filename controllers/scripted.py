"""A story told in time: a generator that yields greens becomes a policy.

def story(seen):
    while True:
        seen = yield Green(0, 30.0)
        seen = yield Green(1, 20.0)
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from sim.errors import ControlError
from sim.protocol import Green, Observation, Policy

Story = Generator[Green, Observation, None]


def scripted(tell: Callable[[Observation], Story]) -> Policy:
    """The policy that a story tells; ``tell`` gets the first observation, each yield returns the next."""
    story: Story | None = None

    def policy(seen: Observation) -> Green:
        nonlocal story
        try:
            if story is None:
                story = tell(seen)
                return next(story)
            return story.send(seen)
        except StopIteration:
            raise ControlError(
                f"{seen.where.id} at t={seen.time:g} s: the story is over; end it with a loop"
            ) from None

    return policy
