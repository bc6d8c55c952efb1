"""Riders of two-wheelers at a signal: late entry and delayed starts, as attributes of SUMO's vehicle types.

SUMO's own means (Definition of Vehicles, "Junction Model Parameters" and "startupDelay"). None of them lets a vehicle
start before green: denxanh.sim.run.early_starts does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

from denxanh.sim.errors import InputError
from denxanh.sim.text_values import did_you_mean

TWO_WHEELERS = ("motorcycle", "moped", "bicycle")
"""SUMO's classes of two-wheelers."""

MOST = 10.0  # s


@dataclass(frozen=True)
class Riders:
    """What riders of two-wheelers do; 0 leaves an attribute as the vehicle type has it.

    ``late_yellow``: s of yellow in which they still enter although they could stop. ``late_red``: the same for red,
    with ``red_speed`` in m/s at most; all of the yellow is driven then, as SUMO has it. ``start_delay``: s by which a
    rider that stood starts later than the vehicle ahead permits, so that a queue loses more the longer it is.
    ``early_start``: s before green at which the share ``early_share`` (0…1) of those that stand starts.
    """

    late_yellow: float = 0.0
    late_red: float = 0.0
    red_speed: float = 0.0
    start_delay: float = 0.0
    early_start: float = 0.0
    early_share: float = 0.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not (isinstance(value, int | float) and math.isfinite(value) and 0 <= value <= MOST):
                raise InputError(f"riders: {name} is {value!r}", remedy=f"give a number from 0 to {MOST:g}")
        if self.red_speed and not self.late_red:
            raise InputError(
                "riders: red_speed without late_red has no effect",
                remedy="give late_red too, or leave it out",
            )

        if self.early_share > 1:
            raise InputError(
                f"riders: early_share is {self.early_share!r}", remedy="give a share from 0 to 1"
            )
        if bool(self.early_start) != bool(self.early_share):
            raise InputError(
                "riders: early_start (s before green) and early_share (the share of riders) belong together",
                remedy="give both, or none",
            )

    @staticmethod
    def of(values: Mapping[str, float]) -> Riders:
        """The riders from values by name. Raises InputError for an unknown name."""
        known = [field.name for field in fields(Riders)]
        for name in values:
            if name not in known:
                raise InputError(f"riders: there is no {name!r}", remedy=did_you_mean(name, known))
        return Riders(**values)

    def values(self) -> dict[str, float]:
        """What is not 0, by name."""
        return {f.name: float(value) for f in fields(self) if (value := getattr(self, f.name))}

    def attributes(self) -> dict[str, str]:
        """The attributes of a vehicle type; those who start early have none."""
        names = {
            "late_yellow": "jmDriveAfterYellowTime",
            "late_red": "jmDriveAfterRedTime",
            "red_speed": "jmDriveRedSpeed",
            "start_delay": "startupDelay",
        }
        return {names[name]: f"{value:g}" for name, value in self.values().items() if name in names}


class TypeChanges:
    """Gives the vehicle types of two-wheelers in a run's copies of its files the attributes of the riders."""

    def __init__(self, riders: Riders) -> None:
        self._attributes = riders.attributes()
        self._found = 0

    def __call__(self, tag: str, attributes: dict[str, str]) -> dict[str, str]:
        """The attributes of an element."""
        if tag != "vType" or attributes.get("vClass") not in TWO_WHEELERS:
            return attributes
        self._found += 1
        return {**attributes, **self._attributes}

    def check(self, location: str) -> None:
        """Raise InputError if no type of two-wheelers was found."""
        if not self._found:
            raise InputError(
                "riders are given, but no vehicle type has the class of a two-wheeler",
                location=location,
                remedy=f'write vClass="{TWO_WHEELERS[0]}" (or {" or ".join(TWO_WHEELERS[1:])}) in its <vType>, or give '
                "no riders",
            )


def type_changes(values: Mapping[str, float]) -> TypeChanges | None:
    """The changes that a scenario's riders ask for; None where it has none. Raises InputError."""
    riders = Riders.of(values)
    return TypeChanges(riders) if riders.values() else None
