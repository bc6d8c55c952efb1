"""Departures of the vehicles of a <flow>."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from denxanh.sim.errors import InputError
from denxanh.sim.sumo.netfile import seconds


def flow_departures(
    a: Mapping[str, str], first: float, last: float, rng: np.random.Generator, location: str
) -> list[float]:
    """Departures (s) of a flow with the attributes ``a``; it lasts from ``first`` to ``last`` unless it says otherwise.

    ``rng`` draws those given by a probability or an exponential period. Raises InputError, which names ``location``.
    """
    begin = seconds(a.get("begin", str(first)), f"{location}, begin")
    end = seconds(a.get("end", str(max(last, begin))), f"{location}, end")
    number = None
    if "number" in a:
        given = as_number(a["number"])
        if not 0.0 <= given < math.inf:
            raise InputError(
                f"number={a['number']!r} is no number", location=location, remedy="give a whole number ≥ 0"
            )
        number = int(given)
    rate = 0.0
    for name in ("vehsPerHour", "perHour"):
        rate = as_number(a[name]) / 3600.0 if name in a else rate
    period = a.get("period", "")
    random = re.fullmatch(r"exp\(([^)]*)\)", period)
    if "probability" in a:
        ticks = np.arange(math.ceil(begin), end)
        times = ticks[rng.random(len(ticks)) < as_number(a["probability"])]
    elif random:
        mean = 1.0 / as_number(random.group(1))
        count = number if number is not None else int((end - begin) / mean * 2 + 50)
        times = begin + np.cumsum(rng.exponential(mean, count))
        times = times if number is not None else times[times < end]
    else:
        step = as_number(period) if period else (1.0 / rate if rate else (end - begin) / max(number or 0, 1))
        if not (step > 0.0 and math.isfinite(step)) or not (period or rate or number):
            raise InputError(
                "the flow has no rate", location=location, remedy="give period, vehsPerHour or number"
            )
        count = math.ceil((end - begin) / step - 1e-9)
        times = begin + step * np.arange(count if number is None else min(number, count))
    return [float(t) for t in times]


def as_number(text: str) -> float:
    """The number in a text; nan for any other text, for which all later comparisons are false."""
    try:
        return float(text)
    except ValueError:
        return math.nan
