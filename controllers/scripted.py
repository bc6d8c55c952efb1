"""Scripted control: a generator that yields greens becomes a policy.

def script(seen):
    while True:
        seen = yield Green(0, 30.0)
        seen = yield Green(1, 20.0)
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.errors import ControlError

Script = Generator[Green, Observation, None]


def scripted(script: Callable[[Observation], Script]) -> Policy:
    """The policy of a script; ``script`` gets the first observation, each yield returns the next."""
    running: Script | None = None

    def policy(seen: Observation) -> Green:
        nonlocal running
        try:
            if running is None:
                running = script(seen)
                return next(running)
            return running.send(seen)
        except StopIteration:
            raise ControlError(
                f"{seen.intersection.id} at t={seen.time:g} s: the script has ended; end it with a loop"
            ) from None

    return policy
