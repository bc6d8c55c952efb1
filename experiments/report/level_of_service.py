"""Level of service of a signalised intersection from its delay."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.experiments.report.drawing.colour import SERVICE
from denxanh.sim.timing.hcm_delay import LEVELS
from denxanh.sim.timing.hcm_delay import level_of_service as letter_of

THRESHOLDS = LEVELS


@dataclass(frozen=True)
class Level:
    """A level of service: the letter and its colour."""

    letter: str
    colour: str


def level_of_service(delay: float) -> Level:
    """The level of a delay in s/veh; a delay equal to a threshold has the better level.

    >>> level_of_service(20.0).letter, level_of_service(20.1).letter
    ('B', 'C')
    """
    letter = letter_of(delay)
    return Level(letter, SERVICE[letter])
