"""Fixed-time control: a policy that follows a plan by the clock, and returns to it after any disturbance."""

from __future__ import annotations

import math

from denxanh.sim.controller import Green, Observation, Policy
from denxanh.sim.network import Intersection
from denxanh.sim.plan import Timing
from denxanh.sim.signals.change import change_intervals

_CLOSE = 1e-6  # s: rounding of clock arithmetic


def fixed_time_policy(intersection: Intersection) -> Policy:
    """The policy that shows ``intersection.program`` by the scenario's clock.

    It has no memory. Where the signal is not in the phase that the clock gives (after a priority call, an outage), it
    waits for the first green that it can join for at least its minimum, and is on time from then on.
    A time that is not a whole number of steps ends at the next step, so no error accumulates.
    """
    change = [
        [
            sum(interval.duration for interval in change_intervals(intersection, i, j))
            for j in range(len(intersection.phases))
        ]
        for i in range(len(intersection.phases))
    ]

    def policy(seen: Observation) -> Green:
        timing, now = intersection.program, seen.time
        left = left_of_green(timing, seen.phase, now)
        if left >= max(seen.minimum_left, _CLOSE):
            return _whole(seen.phase, left, seen.step)
        ready = now + seen.minimum_left
        waits = [
            until_joined(timing, p, ready + change[seen.phase][p], intersection.phases[p].min_green)
            for p in range(len(timing.stages))  # phases beside the program's have no time of their own
        ]
        wait, phase = min((wait, p) for p, wait in enumerate(waits) if p != seen.phase or wait > 0)
        if ready + wait - now > _CLOSE:
            return _whole(seen.phase, ready + wait - now, seen.step)
        return _whole(phase, left_of_green(timing, phase, now + change[seen.phase][phase]), seen.step)

    return policy


def _whole(phase: int, seconds: float, step: float) -> Green:
    return Green(phase, max(math.ceil(seconds / step - _CLOSE), 1) * step)


def left_of_green(timing: Timing, stage: int, time: float) -> float:
    """What is left of ``stage``'s green at ``time`` (s), s; 0 where the clock gives another state."""
    moment = timing.at(time + _CLOSE)
    return round(moment.left + _CLOSE, 6) if (moment.stage, moment.step) == (stage, 0) else 0.0


def until_joined(timing: Timing, stage: int, time: float, at_least: float) -> float:
    """Time from ``time`` until the green of ``stage`` can be joined with ``at_least`` s of it left, s."""
    if left_of_green(timing, stage, time) >= at_least:
        return 0.0
    wait = (timing.starts()[stage] + timing.offset - time) % timing.cycle
    return 0.0 if timing.cycle - wait < _CLOSE else round(wait, 6)
