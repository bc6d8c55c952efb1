"""Places: Hà Nội and TP.HCM, generated grids, and readers that turn other formats into a place.

Listing the places reads one small file; building one imports and runs what it needs.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from networks.vehicles import Fidelity

__all__ = ["PlaceInfo", "build", "places"]


@dataclass(frozen=True, slots=True)
class PlaceInfo:
    """A built-in place as a list shows it."""

    name: str
    title: str
    title_vi: str
    signals: int


def places() -> tuple[PlaceInfo, ...]:
    """Return the built-in places in alphabetical order."""
    index = (files(__name__) / "data" / "index.toml").read_text(encoding="utf-8")
    return tuple(
        sorted((PlaceInfo(**entry) for entry in tomllib.loads(index)["place"]), key=lambda p: p.name)
    )


def build(
    name: str,
    *,
    fidelity: Fidelity = "lane",
    period: str = "peak",
    hours: tuple[int, int] | None = None,
    year: int | None = None,
) -> Path:
    """Return the path of the ``place.sumocfg`` of a built-in place, building it on first use.

    ``name`` is one of `places`; ``fidelity`` is ``"lane"`` (fast, PCU-converted motorbikes, step 1 s) or
    ``"sublane"`` (motorbikes side by side, lateral resolution 0.8 m, step 0.5 s). ``period`` is a demand of the
    place file; ``hours``, seconds since midnight, takes the plans and the traffic of that part of the day
    instead, and the simulation's clock is the time of day; ``year`` chooses another mix of vehicles. The folder
    of the result also holds ``net.net.xml`` and ``demand.rou.xml``; it is a cache and not to be written to.
    """
    from networks import building

    return building.build(name, fidelity=fidelity, period=period, hours=hours, year=year)
