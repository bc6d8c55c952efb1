"""When vehicles in sight come to the stop line, were the road before it free of queues."""

from __future__ import annotations

import numpy as np

from denxanh.sim.controller import Array, Ints

ACCELERATION = 2.6  # m/s², SUMO's default car
ROOM = 12.0  # m free ahead of a vehicle that stands: more than a queue leaves
HELD_UP = 60.0  # s, the longest time for which a vehicle is expected to be held up before the queue


def travel_time(distance: Array, speed: Array, limit: Array) -> Array:
    """Free-flow time over ``distance`` (m) from ``speed`` with ACCELERATION up to ``limit`` (m/s), s."""
    speed = np.minimum(speed, limit)
    distance = np.maximum(distance, 0.0)
    ramp = (limit**2 - speed**2) / (2 * ACCELERATION)  # m until the limit is reached
    within = (np.sqrt(speed**2 + 2 * ACCELERATION * distance) - speed) / ACCELERATION
    beyond = (limit - speed) / ACCELERATION + (distance - ramp) / limit
    return np.where(distance <= ramp, within, beyond)


def held_up(approach: Ints, distance: Array, wait: Array, length: Array) -> Array:
    """s for which each vehicle is expected to stand before it comes to the queue; by approach and distance.

    A vehicle that stands with room ahead is held up by something else than the signal, mostly a junction without
    signals: it is expected to stand as long again as it has stood, as are those right behind it.
    """
    out = np.zeros(len(distance))
    lane, end, held = -1, 0.0, 0.0  # ``end``: m from the stop line to the end of the vehicle ahead
    for v in range(len(distance)):
        if approach[v] != lane:
            lane, end, held = int(approach[v]), 0.0, 0.0
        if wait[v] == 0.0:
            held = 0.0
        elif distance[v] - end > ROOM:
            held = min(float(wait[v]), HELD_UP)
        out[v] = held
        end = float(distance[v] + length[v])
    return out
