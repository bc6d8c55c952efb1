"""Vehicle types as SUMO reads them: its classes with their defaults, and the attributes of a vType."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import DEMAND
from denxanh.sim.sumo.netfile import VEHICLE_CLASSES


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
    decel: float = 4.5  # m/s²
    sigma: float = 0.5  # driver imperfection
    max_speed: float = 55.55  # m/s
    speed_factor: float = 1.0  # of the limit, mean
    speed_dev: float = 0.1  # its standard deviation
    speed_low: float = 0.2  # truncation of the factor
    speed_high: float = 2.0
    pcu: float = 1.0
    persons: float = 1.0
    represents: float = 1.0  # real vehicles
    scale: float = 1.0  # vehicles that SUMO makes of each one in a route file


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


DEFAULT_TYPES = {
    "DEFAULT_VEHTYPE": "passenger",
    "DEFAULT_BIKETYPE": "bicycle",
    "DEFAULT_TAXITYPE": "taxi",
    "DEFAULT_RAILTYPE": "rail",
    "DEFAULT_PEDTYPE": "pedestrian",
    "DEFAULT_CONTAINERTYPE": "container",
}
"""SUMO's own types (docs: "Default Vehicle Type"), and their classes."""

_NAMED = {
    "motorbike": ("motorcycle", "moped"),
    "car": ("passenger", "private", "taxi", "hov", "evehicle", "vip", "army", "authority", "emergency"),
    "bus": ("bus", "coach"),
    "truck": ("truck", "trailer", "delivery"),
    "bicycle": ("bicycle", "scooter", "wheelchair"),
}


def class_of(vclass: str) -> str:
    """What a reader calls a class of SUMO: motorbike, car, bus, truck, bicycle or other."""
    return next((name for name, known in _NAMED.items() if vclass in known), "other")


def classes_by_type(names: Iterable[str], types: Mapping[str, VehicleClass]) -> dict[str, str]:
    """What a reader calls the class of each vehicle type, by its id in order; SUMO's own types have SUMO's class."""
    return {
        name: class_of(types[name].vclass if name in types else DEFAULT_TYPES.get(name, "passenger"))
        for name in sorted(set(names))
    }


_DECEL = {
    "motorcycle": 10.0,
    "moped": 7.0,
    "bicycle": 3.0,
    "truck": 4.0,
    "trailer": 4.0,
    "bus": 4.0,
    "coach": 4.0,
    "tram": 3.0,
}
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
        decel=float(a.get("decel", _DECEL.get(vclass, 4.5))),
        sigma=float(a.get("sigma", 0.5)),
        max_speed=min(float(a.get("maxSpeed", top)), float(a.get("desiredMaxSpeed", top))),
        speed_factor=mean,
        speed_dev=float(a.get("speedDev", dev)),
        speed_low=low,
        speed_high=high,
        pcu=pcu,
        scale=float(a.get("scale", 1.0)),
    )


_NAMES = frozenset(
    "id vClass guiShape color imgFile osgFile emissionClass carFollowModel laneChangeModel latAlignment".split()
)


def check_vtype(a: Mapping[str, str], location: str) -> None:
    """Raise InputError for a vType that SUMO refuses, or takes and then computes with nan or infinity."""
    spot = f"{location}: vType {a.get('id', '')!r}"
    vclass = a.get("vClass", "passenger")
    if vclass not in VEHICLE_CLASSES:
        raise InputError(
            f"there is no vehicle class {vclass!r}", location=spot, remedy="give one of SUMO's classes"
        )
    try:
        read = read_vtype(a)
    except (ValueError, IndexError) as error:
        raise InputError(
            f"a value is not a number ({error})", location=spot, remedy="give a number"
        ) from None
    for key, value in a.items():
        if key not in _NAMES and _not_finite(value):
            raise InputError(
                f"{key}={value!r} is no finite number", location=spot, remedy="give a finite number"
            )
    if not (0.0 <= read.scale < DEMAND and all(map(math.isfinite, (read.speed_factor, read.speed_dev)))):
        raise InputError(
            "scale or speedFactor is no number ≥ 0",
            location=spot,
            remedy=f"give a finite number ≥ 0, a scale below {DEMAND:g}",
        )


def _not_finite(text: str) -> bool:
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False
