"""How many motorbikes a vehicle takes the place of at a stop line, from measured saturation flows."""

from __future__ import annotations

import math

from networks.calibrate import LANES, Interval, Saturation


def alone(flow: Interval, other: Interval) -> Interval:
    """Return how many vehicles of one stream equal one of another, each of a single type: ``flow / other``.

    The half width adds the relative errors in quadrature, as the streams are measured one without the other.
    """
    ratio = flow.mean / other.mean
    half = ratio * math.hypot(flow.half / flow.mean, other.half / other.mean)
    return Interval(ratio, half, min(flow.n, other.n))


def inside(motorbikes: Interval, mixed: Saturation, type_: str) -> Interval:
    """Return how many motorbikes one vehicle takes the place of in a stream of motorbikes and ``type_``.

    ``motorbikes`` is the flow of motorbikes alone in veh/h per lane. What passes is the same counted in
    motorbikes: q (p_motorbike + e p) = q_motorbikes, with the flow q and the shares p of each seed; the half width
    is that of e over the seeds and of ``motorbikes``, in quadrature.
    """
    values = [
        (motorbikes.mean / (run.flow * 3600 / LANES) - run.shares["motorbike"]) / run.shares[type_]
        for run in mixed.runs
    ]
    over_seeds = Interval.of(values)
    reference = motorbikes.half / mixed.per_lane.mean / mixed.shares[type_].mean
    return Interval(over_seeds.mean, math.hypot(over_seeds.half, reference), over_seeds.n)
