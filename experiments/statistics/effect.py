"""Effect size of a difference: per vehicle, per day, in percent, and relative to the spread over seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from denxanh.experiments.statistics._checks import positive
from denxanh.experiments.statistics.intervals import Interval
from denxanh.experiments.statistics.paired import PairedComparison


@dataclass(frozen=True, slots=True)
class Effect:
    """Candidate minus baseline, negative when the candidate has less.

    ``relative`` is a fraction of the baseline's mean, None if that is 0 or below. ``standardised`` divides
    by the spread between seeds of one controller (d_av), ``standardised_paired`` by the spread of the
    differences (d_z, the one that decides power); None without spread.
    """

    seconds_per_vehicle: float
    interval: Interval | None
    vehicle_hours_per_day: float
    vehicle_hours_interval: Interval | None
    relative: float | None
    standardised: float | None
    standardised_paired: float | None


def effect(comparison: PairedComparison, *, vehicles_per_day: float) -> Effect:
    """Effect of a comparison of delays in s/veh, with ``vehicles_per_day`` affected vehicles per day.

    The daily volume is an argument because a simulated hour is not a twenty-fourth of a day. d_z and d_av as in
    Lakens (2013, doi:10.3389/fpsyg.2013.00863, eqs. 7 and 10). InputError unless the volume is above 0.
    """
    hours = positive(vehicles_per_day, "vehicles_per_day") / 3600.0  # veh/day · s/veh → veh·h/day
    spread = None
    if comparison.n > 1:
        variances = [np.var(v, ddof=1) for v in (comparison.pairs.candidate, comparison.pairs.baseline)]
        spread = math.sqrt(float(np.mean(variances)))
    return Effect(
        seconds_per_vehicle=comparison.difference,
        interval=comparison.interval,
        vehicle_hours_per_day=comparison.difference * hours,
        vehicle_hours_interval=comparison.interval.times(hours) if comparison.interval else None,
        relative=comparison.difference / comparison.baseline_mean if comparison.baseline_mean > 0 else None,
        standardised=comparison.difference / spread if spread else None,
        standardised_paired=None
        if comparison.constant or not comparison.sd
        else comparison.difference / comparison.sd,
    )
