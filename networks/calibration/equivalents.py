"""Equivalents of vehicles in motorbikes at a stop line, from measured saturation flows."""

from __future__ import annotations

import math

from denxanh.networks.calibration.saturation_flow import LANES, Interval, Saturation


def equivalent_in_pure_streams(flow: Interval, other: Interval) -> Interval:
    """Return ``flow / other`` of two streams of a single type each: vehicles of the first per vehicle of the second.

    The half width adds the relative errors in quadrature, as the streams are measured independently.
    """
    ratio = flow.mean / other.mean
    half = ratio * math.hypot(flow.half / flow.mean, other.half / other.mean)
    return Interval(ratio, half, min(flow.n, other.n))


def equivalent_in_mixture(motorbikes: Interval, mixed: Saturation, type_: str) -> Interval:
    """Return the equivalent in motorbikes of a vehicle in a stream of motorbikes and ``type_``.

    ``motorbikes`` is the flow of motorbikes alone in veh/h per lane. The equivalent e follows from equal discharge in
    motorbikes, q (p_motorbike + e p) = q_motorbikes, with the flow q and the shares p of each seed; the half width
    combines those of e over the seeds and of ``motorbikes`` in quadrature.
    """
    values = [
        (motorbikes.mean / (run.flow * 3600 / LANES) - run.shares["motorbike"]) / run.shares[type_]
        for run in mixed.runs
    ]
    over_seeds = Interval.of(values)
    reference = motorbikes.half / mixed.per_lane.mean / mixed.shares[type_].mean
    return Interval(over_seeds.mean, math.hypot(over_seeds.half, reference), over_seeds.n)
