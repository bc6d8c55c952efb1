"""Schema of a place file (``place.toml``), validated by pydantic; errors name the key and the reason."""

from __future__ import annotations

import tomllib
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from denxanh.sim.errors import InputError

Coordinates = Annotated[tuple[float, float], Field(description="latitude, longitude in degrees")]
Lanes = Annotated[int, Field(ge=1, le=12)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Junction(_Strict):
    """A junction: coordinates, name, banned turns, turn shares that differ from the default.

    ``right_on_red`` names the approaches on which a sign lets two-wheelers turn right on red.
    """

    at: Coordinates
    name: str = ""
    ban: tuple[str, ...] = ()
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    right_on_red: tuple[str, ...] = ()


class Point(_Strict):
    """A point of a street given by coordinates: a gate at either end, a bend in between."""

    at: Coordinates


class Ray(_Strict):
    """A gate given by compass bearing and distance from the neighbouring point of the street."""

    bearing: float = Field(ge=0, lt=360)
    length: float = Field(ge=50, le=3000)


class Street(_Strict):
    """A street along its points; ``lanes`` is a number per direction, or [forward, backward].

    ``turn_lanes`` are the arrows at the end of every stretch along the path, as OpenStreetMap writes them:
    ``"left|through|through;right"``, from the centre line to the kerb; or [along the path, against it].
    """

    name: str = Field(min_length=1)
    path: tuple[str | Point | Ray, ...] = Field(min_length=2)
    lanes: Lanes | tuple[Lanes, Lanes]
    oneway: bool = False
    divided: bool = False
    speed_kmh: float | None = Field(default=None, ge=5, le=120)
    lane_width: float = Field(default=3.5, ge=2.5, le=6)
    turn_lanes: str | tuple[str, str] = ""


class Timing(_Strict):
    """A signal's part of a plan: its offset and the green of each stage, in seconds."""

    offset: float = Field(ge=0)
    green: tuple[Annotated[float, Field(ge=5, le=300)], ...] = Field(min_length=1)


class Signal(_Strict):
    """A signal: the approaches (and turns) that each stage serves, and its timing by plan name."""

    stages: tuple[tuple[str, ...], ...] = Field(min_length=1)
    plan: dict[str, Timing]


class Plan(_Strict):
    """Cycle, change intervals and hours that all signals share in one part of the day.

    A signal without a timing in this plan takes its timing of the plan ``like``, scaled to this plan's cycle.
    """

    cycle: float = Field(ge=20, le=400)
    yellow: float = Field(default=3, ge=0, le=8)
    all_red: float = Field(default=2, ge=0, le=10)
    hours: str = ""
    like: str | None = None


class BusLine(_Strict):
    """One direction of a bus line: the junctions and open ends on its path."""

    line: str = Field(min_length=1)
    path: tuple[str, ...] = Field(min_length=2)
    headway: float = Field(ge=60, le=7200)
    dwell: float = Field(default=20, ge=1, le=300)


class BusStop(_Strict):
    """A bus stop, served by every line that passes it."""

    at: Coordinates
    name: str = ""


class Demand(_Strict):
    """Synthetic demand of a part of the day."""

    plan: str
    saturation: float = Field(gt=0, le=1.5)
    mix: str
    duration: int = Field(default=3600, ge=60, le=86400)
    profile: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)
    seed: int = Field(default=1, ge=0)
    note: str = ""


class Turning(_Strict):
    """Default turn shares: a weight by direction, times the lanes of the target street."""

    through: float = Field(default=0.80, gt=0)
    left: float = Field(default=0.10, gt=0)
    right: float = Field(default=0.10, gt=0)


class PlaceFile(_Strict):
    """A whole place file."""

    name: str = Field(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")
    title: str
    title_vi: str
    source: str
    date: str
    credit: Literal["© OpenStreetMap contributors, ODbL 1.0", "synthetic"]
    origin: Coordinates
    junctions: dict[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")], Junction]
    streets: tuple[Street, ...] = Field(min_length=1)
    turning: Turning = Turning()
    signals: dict[str, Signal]
    plans: dict[str, Plan]
    demand: dict[str, Demand]
    bus_lines: tuple[BusLine, ...] = ()
    bus_stops: tuple[BusStop, ...] = ()


def parse(text: str, *, location: str) -> PlaceFile:
    """Return the validated content of a place file.

    Raises:
        InputError: with the key and the reason, if the text is not TOML or does not fit the schema.
    """
    try:
        return PlaceFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"this is not TOML: {error}", location=location) from error
    except ValidationError as error:
        raise InputError(_first_error(error), location=location) from error


def _first_error(error: ValidationError) -> str:
    """Return the most deeply nested of pydantic's errors as "key: reason" (a union reports one per branch)."""
    deepest = max(error.errors(), key=lambda e: len(e["loc"]))
    key = ".".join(str(part) for part in deepest["loc"])
    reason = (
        "unknown key"
        if deepest["type"] == "extra_forbidden"
        else deepest["msg"][0].lower() + deepest["msg"][1:]
    )
    return f"{key}: {reason}" + (
        f", got {deepest['input']!r}" if deepest["type"] not in ("missing", "extra_forbidden") else ""
    )
