"""Vehicle types, their PCU and MCU equivalents, and vehicle mixes, read from data/vehicles.toml."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from denxanh.sim.errors import InputError

Fidelity = Literal["lane", "sublane"]


@dataclass(frozen=True, slots=True)
class VehicleType:
    """One vehicle type: equivalents (per vehicle), persons aboard, and its SUMO vType attributes."""

    id: str
    pcu: float
    mcu: float
    occupancy: float
    sumo: dict[str, str | float]
    sublane: dict[str, str | float]  # attributes added or changed in the sublane model
    lane: dict[str, str | float]  # attributes added or changed where a lane holds one vehicle abreast
    lane_pcu: float | None = None  # where it differs from ``pcu``

    def attributes(self, fidelity: Fidelity) -> dict[str, str | float]:
        """Return the SUMO vType attributes in one of the two fidelities."""
        return {**self.sumo, **(self.lane if fidelity == "lane" else self.sublane)}

    def represents(self, fidelity: Fidelity) -> float:
        """Return the number of real vehicles that one simulated vehicle represents.

        Where a lane holds one vehicle abreast a motorbike uses ``lane_pcu`` of its capacity, more than its ``pcu``
        on a real street, so that one simulated motorbike represents ``lane_pcu / pcu`` real ones and the stream
        keeps its PCU. Types without ``lane_pcu`` represent one vehicle.
        """
        return self.lane_pcu / self.pcu if fidelity == "lane" and self.lane_pcu is not None else 1.0


def source() -> str:
    """Return the text of the data file."""
    return (files("denxanh.networks") / "data" / "vehicles.toml").read_text(encoding="utf-8")


@cache
def types() -> dict[str, VehicleType]:
    """Return every vehicle type by id."""
    return {id: VehicleType(id=id, **entry) for id, entry in tomllib.loads(source())["types"].items()}


def mix(name: str) -> dict[str, float]:
    """Return the shares of a mix by vehicle type id; they refer to real vehicles and add to one.

    Raises:
        InputError: the mix is unknown, or its shares do not add to one.
    """
    mixes = tomllib.loads(source())["mixes"]
    if name not in mixes:
        raise InputError(
            f"there is no mix '{name}'", location="vehicles.toml", remedy=f"choose from {', '.join(mixes)}"
        )
    shares: dict[str, float] = mixes[name]
    if not math.isclose(sum(shares.values()), 1):
        raise InputError(f"the shares of the mix '{name}' do not add to one", location="vehicles.toml")
    return shares


def two_wheelers(shares: Mapping[str, float]) -> float:
    """Return the share of the types of which several ride abreast in a lane, those with a ``lane_pcu``."""
    return sum(share for type_, share in shares.items() if types()[type_].lane_pcu is not None)
