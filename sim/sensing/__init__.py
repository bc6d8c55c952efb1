"""Sensing: makes the observations of a controller from the World, ideal or by detectors with errors."""

from dataclasses import asdict
from typing import Any

from denxanh.sim.sensing.camera import Camera
from denxanh.sim.sensing.ideal import Ideal
from denxanh.sim.sensing.loops import Loops
from denxanh.sim.sensing.sensor import RANGE, TWO_WHEELERS, Sensing, Sensor, Shown

SENSINGS: tuple[type[Ideal] | type[Loops] | type[Camera], ...] = (Ideal, Loops, Camera)


def described(sensing: Sensing) -> dict[str, Any]:
    """The name and all parameters of a sensing, as in a run's manifest."""
    return {"name": sensing.name, **asdict(sensing)}  # type: ignore[call-overload]  # all are dataclasses


__all__ = [
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
