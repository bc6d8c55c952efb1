"""The few constants of the queue model, fitted once or by calibration to a place."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.sim.timing.saturation import FACTOR, HESITATE


@dataclass(frozen=True)
class Parameters:
    """Behaviour of vehicles at stop lines; times s, lengths m."""

    headway: float = FACTOR  # factor on the discharge headway tau + hesitate + space / speed
    hesitate: float = HESITATE  # between departures, besides tau
    lost: float = 0.3  # from green start until the first standing vehicle moves
    yellow: float = 1.7  # of yellow that is driven through: those who cannot brake any more
    gap: float = 1.5  # a yielding vehicle keeps to the next foe, besides the time to get over from standing
    clear: float = 2.0  # after a foe has passed
    stop: float = 1.5  # a vehicle stands at an "s" letter before it looks
    wave: float = 6.0  # m/s, speed at which a gap travels back through a standing queue
    change: float = 1000.0  # m²: a lane change on a road of L m is worth a queue longer by change/L m
    minor: float = 7.2  # m/s, over a link without priority, free or not: SUMO's drivers look first
    halt: float = 4.0  # delay that makes a stop: braking and accelerating alone cost about that
