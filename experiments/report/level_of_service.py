"""Level of service of a signalised intersection from its delay."""

from __future__ import annotations

from dataclasses import dataclass

from denxanh.experiments.report.drawing.colour import SERVICE

# Highway Capacity Manual, 6th ed. (TRB 2016), exhibit 19-8: control delay in s/veh, automobile mode.
THRESHOLDS = (("A", 10.0), ("B", 20.0), ("C", 35.0), ("D", 55.0), ("E", 80.0))
WORST = "F"


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
    letter = next((name for name, most in THRESHOLDS if delay <= most), WORST)
    return Level(letter, SERVICE[letter])
