"""Vehicle types as SUMO reads them: its classes with their defaults, and the attributes of a vType."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class VehicleClass:
    """The attributes of a vType that a queue model needs; names and defaults are SUMO's."""

    id: str
    vclass: str = "passenger"
    length: float = 5.0  # m
    min_gap: float = 2.5  # m
    width: float = 1.8  # m
    min_gap_lat: float = 0.6  # m to the side, where several share a lane
    tau: float = 1.0  # s
    accel: float = 2.6  # m/s²
    sigma: float = 0.5  # driver imperfection
    max_speed: float = 55.55  # m/s
    speed_factor: float = 1.0  # of the limit, mean
    speed_dev: float = 0.1  # its standard deviation
    speed_low: float = 0.2  # truncation of the factor
    speed_high: float = 2.0
    pcu: float = 1.0
    persons: float = 1.0


# length, minGap, width, accel, maxSpeed, speedDev of SUMO's vehicle classes
# (docs: "Vehicle Type Parameter Defaults"); PCU after TCXDVN 104:2007 and Webster (1958).
_CLASSES: dict[str, tuple[float, float, float, float, float, float, float]] = {
    "passenger": (5.0, 2.5, 1.8, 2.6, 55.55, 0.1, 1.0),
    "motorcycle": (2.2, 2.5, 0.9, 6.0, 55.55, 0.1, 0.25),
    "moped": (2.1, 2.5, 0.8, 1.1, 16.67, 0.1, 0.25),
    "bicycle": (1.6, 0.5, 0.65, 1.2, 13.89, 0.1, 0.2),
    "delivery": (6.5, 2.5, 2.16, 2.6, 55.55, 0.05, 1.5),
    "truck": (7.1, 2.5, 2.4, 1.3, 36.11, 0.05, 2.0),
    "trailer": (16.5, 2.5, 2.55, 1.0, 36.11, 0.05, 3.0),
    "bus": (12.0, 2.5, 2.5, 1.2, 23.61, 0.1, 2.5),
    "coach": (14.0, 2.5, 2.6, 2.0, 27.78, 0.05, 2.5),
    "tram": (22.0, 2.5, 2.4, 1.0, 22.22, 0.0, 3.0),
    "emergency": (6.5, 2.5, 2.16, 2.6, 55.55, 0.1, 1.5),
}


def class_pcu(vclass: str) -> float:
    """PCU of a vehicle of a SUMO class where its vType has none; an unknown class counts as a car."""
    return _CLASSES.get(vclass, _CLASSES["passenger"])[-1]


DEFAULT_TYPES = {"DEFAULT_VEHTYPE": "passenger", "DEFAULT_BIKETYPE": "bicycle", "DEFAULT_TAXITYPE": "taxi"}
"""SUMO's types for vehicles without one, and their classes."""

_SPEED = {"bicycle": 5.56, "moped": 12.5}  # desiredMaxSpeed, which bounds these classes below maxSpeed


def read_vtype(a: Mapping[str, str]) -> VehicleClass:
    """A vType by its attributes, its class' defaults for those it lacks. Raises ValueError for what is no number."""
    vclass = a.get("vClass", "passenger")
    length, gap, width, accel, top, dev, pcu = _CLASSES.get(vclass, _CLASSES["passenger"])
    top = _SPEED.get(vclass, top)
    mean, low, high = 1.0, 0.2, 2.0
    given = a.get("speedFactor", "")
    match = re.fullmatch(r"norm(c?)\(([^)]*)\)", given)
    if match:
        numbers = [float(x) for x in match.group(2).split(",")]
        mean, dev = numbers[0], numbers[1]
        if match.group(1) and len(numbers) == 4:
            low, high = numbers[2], numbers[3]
    elif given:
        mean = float(given)
        dev = 0.0 if "speedDev" not in a else dev
    return VehicleClass(
        id=a.get("id", ""),
        vclass=vclass,
        length=float(a.get("length", length)),
        min_gap=float(a.get("minGap", gap)),
        width=float(a.get("width", width)),
        min_gap_lat=float(a.get("minGapLat", 0.6)),
        tau=float(a.get("tau", 1.0)),
        accel=float(a.get("accel", accel)),
        sigma=float(a.get("sigma", 0.5)),
        max_speed=min(float(a.get("maxSpeed", top)), float(a.get("desiredMaxSpeed", top))),
        speed_factor=mean,
        speed_dev=float(a.get("speedDev", dev)),
        speed_low=low,
        speed_high=high,
        pcu=pcu,
    )
