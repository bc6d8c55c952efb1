"""How many motorbikes a vehicle takes the place of at a stop line, from measured saturation flows."""

from __future__ import annotations

import math

from networks.calibrate import Interval, Saturation


def alone(flow: Interval, other: Interval) -> Interval:
    """Return how many vehicles of one stream equal one of another, each of a single type: ``flow / other``.

    The half width adds the relative errors in quadrature.
    """
    ratio = flow.mean / other.mean
    half = ratio * math.hypot(flow.half / flow.mean, other.half / other.mean)
    return Interval(ratio, half, min(flow.n, other.n))


def inside(motorbikes: Interval, mixed: Saturation, type_: str) -> Interval:
    """Return how many motorbikes one vehicle takes the place of in a stream of motorbikes and ``type_``.

    ``motorbikes`` is the flow of motorbikes alone, in the unit of ``mixed.per_lane``. What passes is the same
    counted in motorbikes: q (p_motorbike + e p) = q_motorbikes. The shares are those that passed.
    """
    share = {id: value.mean for id, value in mixed.shares.items()}
    ratio = alone(motorbikes, mixed.per_lane)
    mean = (ratio.mean - share["motorbike"]) / share[type_]
    return Interval(mean, ratio.half / share[type_], ratio.n)
