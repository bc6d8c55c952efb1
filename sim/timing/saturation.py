"""Saturation flow: what a lane discharges while its queue lasts, by the car-following model of SUMO.

The headway of a queue that has got going is ``FACTOR`` · (tau + ``HESITATE`` + space / v), v the limit or the
turn's speed less what drivers dawdle. Measured on queues of one lane in SUMO 1.28, straight on and turning, cars of
two lengths and accelerations and a slow truck: 1.93 s against 1.92–1.94 s without the factor, turning at 6.5 m/s
2.60 against 2.63 s. Queues in networks are less ideal, hence the factor (docs/model.md).
"""

from __future__ import annotations

from denxanh.sim.world import QUEUE_SPACING

TAU = 1.0  # s, SUMO's default reaction time
HESITATE = 0.35  # s between two departures, besides tau
FACTOR = 1.05
DAWDLE = 0.65  # m/s below the speed wanted, on average: SUMO's sigma 0.5 and acceleration 2.6 m/s², halved


def saturation_headway(
    speed: float, turn_speed: float, tau: float = TAU, space: float = QUEUE_SPACING
) -> float:
    """Headway of a discharging queue, s.

    ``speed`` is the limit on the lane, ``turn_speed`` over the junction, m/s; ``space`` is the vehicle's
    length with its minimum gap, m.
    """
    v = max(min(speed, turn_speed) - DAWDLE, 1.0)
    return FACTOR * (tau + HESITATE + space / v)


def saturation_flow(speed: float, turn_speed: float, tau: float = TAU, space: float = QUEUE_SPACING) -> float:
    """Flow of a discharging queue in one lane, veh/s."""
    return 1.0 / saturation_headway(speed, turn_speed, tau, space)
