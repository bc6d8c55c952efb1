"""Two oversaturated streams at one signal: when to turn from the one to the other so that their total delay is least.

Gazis, D. C. (1964), Optimum control of a system of oversaturated intersections, Operations Research 12(6), 815–831.
The stream with the larger saturation flow gets its longest green until the switch-over, then its shortest, such that
both queues dissolve at the same moment, the earliest one possible. No control that ends then has less delay. One that
ends later may have a little less: it serves the larger saturation flow longer, at the price of green that nobody uses
afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from denxanh.sim.errors import InputError


@dataclass(frozen=True)
class SwitchOver:
    """The control of least delay among those that end earliest. Times s from the begin of the oversaturation."""

    first: int  # the stream that gets its longest green first, 0 or 1
    time: float  # s, when its green turns from longest to shortest
    end: float  # s, when both queues are gone
    delay: float  # veh·s, of both streams until then


@dataclass(frozen=True)
class Stream:
    """A stream with a peak of demand. Flows veh/s."""

    flow: float  # during the peak
    flow_after: float  # after it
    saturation_flow: float
    queue: float = 0.0  # veh, at the begin

    def arrived(self, time: float, peak: float) -> float:
        """Vehicles that have come until ``time`` s, the queue at the begin included."""
        return self.queue + self.flow * min(time, peak) + self.flow_after * max(time - peak, 0.0)

    def area(self, time: float, peak: float) -> float:
        """Integral of ``arrived`` from 0 to ``time``, veh·s."""
        during, after = min(time, peak), max(time - peak, 0.0)
        at_peak = self.queue + self.flow * peak
        return (
            self.queue * during + self.flow * during**2 / 2 + at_peak * after + self.flow_after * after**2 / 2
        )


def switch_over(
    streams: Sequence[Stream], peak: float, *, green_share: float, bounds: tuple[float, float]
) -> SwitchOver:
    """The switch-over of least total delay and earliest end for two streams with too little green during ``peak`` s.

    ``green_share`` is the effective green of both over the cycle, 1 − L/C; ``bounds`` are the least and the largest
    green share of the stream with the larger saturation flow. Raises InputError where the demand is no oversaturation
    of both streams that one switch can end.
    """
    first = int(streams[1].saturation_flow > streams[0].saturation_flow)
    a, b = streams[first], streams[1 - first]
    low, high = bounds
    if not 0 <= low < high <= green_share < 1:
        raise InputError(f"green shares from {low:g} to {high:g} of {green_share:g} are not possible")
    spare = green_share - a.flow_after / a.saturation_flow - b.flow_after / b.saturation_flow
    load = sum((s.queue + (s.flow - s.flow_after) * peak) / s.saturation_flow for s in (a, b))
    if spare <= 0 or load <= 0:
        raise InputError(
            "the queues of the two streams never dissolve"
            if spare <= 0
            else "the two streams have no queues",
            remedy="give a demand above the green in the peak and below it afterwards",
        )
    end = load / spare  # A1(T)/s1 + A2(T)/s2 = K T: all green is used until both are gone
    served = a.arrived(end, peak) / a.saturation_flow
    time = (served - low * end) / (high - low)
    if end < peak or not 0 <= time <= end or not _queues(a, b, peak, time, end, green_share, bounds):
        raise InputError(
            "one switch cannot keep both queues until the end: a stream would have green without a queue",
            remedy="give both streams a demand above their longest green, or narrower bounds of the green",
        )
    delay = a.area(end, peak) + b.area(end, peak)
    delay -= a.saturation_flow * _served(end, time, high, low)
    delay -= b.saturation_flow * _served(end, time, green_share - high, green_share - low)
    return SwitchOver(first, time, end, delay)


def _served(end: float, time: float, before: float, after: float) -> float:
    """Integral over time of the green seconds used, s²: ``before`` and ``after`` are shares around the switch."""
    rest = end - time
    return before * time**2 / 2 + before * time * rest + after * rest**2 / 2


def _queues(
    a: Stream, b: Stream, peak: float, time: float, end: float, share: float, bounds: tuple[float, float]
) -> bool:
    """Whether both queues last until the end: they are linear between the switch, the peak's end and the end."""
    low, high = bounds
    for at in np.unique([min(time, end), min(peak, end)]):
        green = high * min(at, time) + low * max(at - time, 0.0)
        left = a.arrived(at, peak) - a.saturation_flow * green
        other = b.arrived(at, peak) - b.saturation_flow * (share * at - green)
        if min(left, other) < -1e-9:
            return False
    return True
