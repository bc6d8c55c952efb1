"""Vehicle types, their equivalents in PCU and MCU, and mixes of them, read from data/vehicles.toml."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from sim.errors import InputError

Fidelity = Literal["lane", "sublane"]


@dataclass(frozen=True, slots=True)
class VehicleType:
    """One vehicle type: equivalents (per vehicle), persons aboard, and its SUMO vType attributes."""

    id: str
    pcu: float
    mcu: float
    occupancy: float
    sumo: dict[str, str | float]
    sublane: dict[str, str | float]  # attributes that differ, or are more, in the sublane model
    lane: dict[str, str | float]  # attributes that differ where a lane holds one vehicle abreast
    lane_pcu: float | None = None  # where it differs from what one vehicle on a real street counts

    def attributes(self, fidelity: Fidelity) -> dict[str, str | float]:
        """Return the SUMO vType attributes in one of the two fidelities."""
        return {**self.sumo, **(self.lane if fidelity == "lane" else self.sublane)}

    def represents(self, fidelity: Fidelity) -> float:
        """Return how many real vehicles one simulated vehicle stands for.

        Where a lane holds one vehicle abreast a motorbike takes ``lane_pcu`` of it, more than the ``pcu`` it
        takes of a real street, so one simulated motorbike stands for ``lane_pcu / pcu`` real ones: the
        stream keeps its PCU. Types without ``lane_pcu`` stand for themselves.
        """
        return self.lane_pcu / self.pcu if fidelity == "lane" and self.lane_pcu is not None else 1.0


def source() -> str:
    """Return the text of the data file."""
    return (files("networks") / "data" / "vehicles.toml").read_text(encoding="utf-8")


@cache
def types() -> dict[str, VehicleType]:
    """Return every vehicle type by id."""
    return {id: VehicleType(id=id, **entry) for id, entry in tomllib.loads(source())["types"].items()}


def mix(name: str) -> dict[str, float]:
    """Return the shares of a mix by vehicle type id, by number of real vehicles; they add to one."""
    mixes = tomllib.loads(source())["mixes"]
    if name not in mixes:
        raise InputError(
            f"there is no mix '{name}'", where="vehicles.toml", remedy=f"choose from {', '.join(mixes)}"
        )
    shares: dict[str, float] = mixes[name]
    if not math.isclose(sum(shares.values()), 1):
        raise InputError(f"the shares of the mix '{name}' do not add to one", where="vehicles.toml")
    return shares
