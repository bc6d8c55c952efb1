"""The one place where a World becomes an Observation: what a controller sees is what its sensing gives."""

from dataclasses import asdict
from typing import Any

from sim.sensing.base import HALTED, RANGE, TWO_WHEELERS, Sensing, Sensor, Shown
from sim.sensing.camera import Camera
from sim.sensing.ideal import Ideal
from sim.sensing.loops import Loops

SENSINGS: tuple[type[Ideal] | type[Loops] | type[Camera], ...] = (Ideal, Loops, Camera)


def described(sensing: Sensing) -> dict[str, Any]:
    """A sensing's name and all its parameters, as a run's manifest notes them."""
    return {"name": sensing.name, **asdict(sensing)}  # type: ignore[call-overload]  # all are dataclasses


__all__ = [
    "HALTED",
    "RANGE",
    "SENSINGS",
    "TWO_WHEELERS",
    "Camera",
    "Ideal",
    "Loops",
    "Sensing",
    "Sensor",
    "Shown",
    "described",
]
