"""A <flow> as SUMO reads it: when it begins and ends, at which rate, and when its vehicles depart.

The rules, and what is refused, are those of SUMO 1.28 (SUMOVehicleParserHelper::parseFlowAttributes).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError
from denxanh.sim.sumo.netfile import seconds

WITHOUT_TIME = ("triggered", "containerTriggered", "split")
"""Departures that wait for a person, a container or another vehicle."""
AT_ONCE = ("now", "begin")
"""Departures with the run's begin; SUMO takes ``now`` to be when it reads the line, which is then or shortly later."""

HOURLY = ("vehsPerHour", "perHour", "personsPerHour", "containersPerHour")
MOST = 10_000_000  # vehicles of one flow; SUMO never comes back from much larger numbers
_LATEST = 9.2e15  # s: SUMO keeps milliseconds in 64 bits
_COLONS = (0, 2, 3)  # of seconds, h:m:s and d:h:m:s
_SHORTEST = 0.0005  # s: a shorter period is rounded to 0 ms


@dataclass(frozen=True)
class Flow:
    """One flow; of ``period``, ``rate`` and ``probability`` at most one is above 0."""

    begin: float  # s
    end: float  # s
    number: int | None = None  # of its vehicles, where that is given
    period: float = 0.0  # s between two of them
    rate: float = 0.0  # veh/s, with exponential periods
    probability: float = 0.0  # of a vehicle in each second
    waits: bool = False  # its vehicles are triggered
    last: float = 0.0  # s, when its last vehicle departs as far as it says itself, else its begin

    def departures(self, rng: np.random.Generator) -> list[float]:
        """Departures, s ascending. ``rng`` draws those given by a probability or an exponential period."""
        times = self._times(rng)
        return [float(t) for t in (times if self.number is None else times[: self.number])]

    def _times(self, rng: np.random.Generator) -> NDArray[np.float64]:
        if self.probability:
            ticks = np.arange(math.ceil(self.begin), self.end, dtype=np.float64)
            drawn: NDArray[np.float64] = ticks[rng.random(len(ticks)) < self.probability]
            return drawn
        if self.rate:
            mean = 1.0 / self.rate
            count = self.number if self.number is not None else int((self.end - self.begin) / mean * 2 + 50)
            times: NDArray[np.float64] = self.begin + np.cumsum(rng.exponential(mean, count))
            return times if self.number is not None else times[times < self.end]
        if self.number is not None and not self.period:
            return np.full(self.number, self.begin)
        steps = np.arange(math.ceil((self.end - self.begin) / self.period - 1e-9), dtype=np.float64)
        evenly: NDArray[np.float64] = self.begin + self.period * steps
        return evenly


def read_flow(a: Mapping[str, str], first: float, last: float, location: str) -> Flow:
    """The flow with the attributes ``a``; it lasts from ``first`` to ``last`` s unless it says otherwise.

    Raises InputError, which names ``location``, for what SUMO refuses.
    """
    begin, waits = _begin(a, first, location)
    given = [name for name in ("period", *HOURLY, "probability") if name in a]
    if len(given) > 1:
        raise InputError(f"it gives both {given[0]} and {given[1]}", location=location, remedy="keep one")
    if given and "end" in a and "number" in a:
        raise InputError(
            f"it gives end and number beside {given[0]}", location=location, remedy="leave one of them out"
        )
    number = _whole(a["number"], location) if "number" in a else None
    if number is None and (waits or not given):
        raise InputError(
            "the flow has no number of vehicles" if waits else "the flow has no rate",
            location=location,
            remedy="give number" if waits else "give period, vehsPerHour, probability or number",
        )
    end = flow_time(a["end"], "end", location) if "end" in a else (begin if waits else last)
    if not begin <= end:
        raise InputError(f"it ends at {end:g} s, before its begin at {begin:g} s", location=location)
    flow = _rated(a, given[0] if given else "", begin, end, number, location)
    if number is None and flow.period and (end - begin) / flow.period > MOST and math.isfinite(end):
        raise InputError(
            f"it makes more than {MOST:.0e} vehicles", location=location, remedy="give a lower rate"
        )
    return replace(flow, waits=waits, last=_last(flow, "end" in a, bool(given)))


def _last(flow: Flow, has_end: bool, has_rate: bool) -> float:
    """When the last vehicle departs, s; with random periods in the mean."""
    if has_end:
        return flow.end
    if flow.number is None or not has_rate:
        return flow.begin
    per_vehicle = flow.period or 1.0 / (flow.rate or flow.probability)
    return flow.begin + flow.number * per_vehicle


def _rated(
    a: Mapping[str, str], key: str, begin: float, end: float, number: int | None, location: str
) -> Flow:
    if not key:
        return Flow(begin, end, number, period=(end - begin) / number if number else 0.0)
    text = a[key]
    random = re.fullmatch(r"exp\((.*)\)", text) if key == "period" else None
    value = as_number(random.group(1) if random else text)
    if key == "probability":
        if not 0.0 < value <= 1.0:
            raise InputError(
                f"probability={text!r}", location=location, remedy="give a number above 0 and up to 1"
            )
        return Flow(begin, end, number, probability=value)
    if random:
        if not 0.0 < value < math.inf:
            raise InputError(f"period={text!r}", location=location, remedy="give a rate above 0, in veh/s")
        return Flow(begin, end, number, rate=value)
    if key == "period":
        value = flow_time(text, key, location)
    elif value:
        value = 3600.0 / value
    if not _SHORTEST <= value < _LATEST and number != 0:
        raise InputError(f"{key}={text!r} is no rate", location=location, remedy="give a number above 0")
    return Flow(begin, end, number, period=value)


def _begin(a: Mapping[str, str], first: float, location: str) -> tuple[float, bool]:
    """(s, whether the vehicles wait to be triggered)."""
    text = a.get("begin", "begin")
    if text in WITHOUT_TIME:
        return first, True
    begin = first if text in AT_ONCE else flow_time(text, "begin", location)
    if begin < 0:
        raise InputError(f"it begins at {begin:g} s", location=location, remedy="give a time ≥ 0 s")
    return begin, False


def flow_time(text: str, key: str, location: str) -> float:
    """A time of a vehicle or flow, s. Raises InputError for what SUMO takes for no time: nan, inf, 1:20."""
    value = as_time(text)
    if math.isnan(value):
        raise InputError(
            f"{text!r} is not a time", location=f"{location}, {key}", remedy="give seconds or h:m:s"
        )
    return value


def as_time(text: str) -> float:
    """A time as SUMO reads it, s; nan for what is none."""
    try:
        value = _decimal(text) if ":" not in text else seconds(text, "")
    except (ValueError, InputError):
        return math.nan
    return value if abs(value) < _LATEST and "_" not in text and text.count(":") in _COLONS else math.nan


def _whole(text: str, location: str) -> int:
    value = as_number(text)
    if not (text.strip().lstrip("+").isdecimal() and 0.0 <= value <= MOST):
        raise InputError(
            f"number={text!r} is no number of vehicles",
            location=location,
            remedy=f"give a whole number from 0 to {MOST:.0e}",
        )
    return int(value)


@lru_cache(1 << 12)  # the same few words stand in every vehicle
def as_number(text: str) -> float:
    """The number in a text; nan for any other text, for which all later comparisons are false."""
    try:
        return _decimal(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan


def _decimal(text: str) -> float:
    """The number of C's strtod, with which SUMO reads: hexadecimal too."""
    return float.fromhex(text) if "x" in text or "X" in text else float(text)
