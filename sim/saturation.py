"""Saturation flow: what a lane discharges while its queue lasts, estimated from the car-following model.

In SUMO's Krauss model a queue that has got going follows at headway ``tau + (length + min_gap) / v``; turning
lowers v. Measured queues discharge more slowly than that by the factor ``SLOWER`` (driver imperfection and
unequal speeds): on the calibration networks 1.3 ranked plans best (Spearman 0.90 against 0.65 at 1.0).
"""

from __future__ import annotations

TAU = 1.0  # s, SUMO's default reaction time
SPACE = 7.5  # m, SUMO's default car (5 m) and minimum gap (2.5 m)
SLOWER = 1.3
_DISCHARGE_SPEED = 0.8  # of the limit: queues do not reach it on the first metres


def saturation_headway(speed: float, turn_speed: float, tau: float = TAU, space: float = SPACE) -> float:
    """Headway of a discharging queue, s.

    ``speed`` is the limit on the lane, ``turn_speed`` over the junction, m/s; ``space`` is the vehicle's
    length with its minimum gap, m.
    """
    v = max(min(_DISCHARGE_SPEED * speed, turn_speed), 1.0)
    return SLOWER * (tau + space / v)


def saturation_flow(speed: float, turn_speed: float, tau: float = TAU, space: float = SPACE) -> float:
    """Flow of a discharging queue in one lane, veh/s."""
    return 1.0 / saturation_headway(speed, turn_speed, tau, space)
