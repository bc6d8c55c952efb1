"""Schema of a place file (``place.toml``), validated by pydantic; errors name the key and the reason."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from denxanh.sim.errors import InputError
from denxanh.sim.input.requirements import requirement
from denxanh.sim.input.text_files import parse_toml
from denxanh.sim.scenario import ASSUMED

Coordinates = Annotated[tuple[float, float], Field(description="latitude, longitude in degrees")]
Lanes = Annotated[int, Field(ge=1, le=12)]
Saturation = Annotated[float, Field(gt=0, le=1.5)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Turning(_Strict):
    """Default turn shares: a weight by direction, times the lanes of the target street."""

    through: float = Field(default=0.80, gt=0)
    left: float = Field(default=0.10, gt=0)
    right: float = Field(default=0.10, gt=0)


class Junction(_Strict):
    """A junction: coordinates, name, banned turns, turn weights and shares that differ from the default.

    ``right_on_red`` names the approaches on which a sign lets two-wheelers turn right on red.
    """

    at: Coordinates
    name: str = ""
    ban: tuple[str, ...] = ()
    turning: Turning | None = None
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
    """A signal: the approaches (and turns) that each stage serves, and its timing by plan name.

    ``saturation`` has the target degrees of saturation of the approaches by name of the demand.
    """

    stages: tuple[tuple[str, ...], ...] = Field(min_length=1)
    plan: dict[str, Timing]
    saturation: dict[str, dict[str, Saturation]] = {}


class Plan(_Strict):
    """Cycle, change intervals and hours that all signals share in one part of the day.

    A signal without a timing in this plan takes its timing of the plan ``like``, scaled to this plan's cycle.
    ``source`` is "assumed" or a reference; ``cycle_source`` the reference of the cycle of an assumed plan.
    """

    cycle: float = Field(ge=20, le=400)
    yellow: float = Field(default=3, ge=0, le=8)
    all_red: float = Field(default=2, ge=0, le=10)
    hours: str = ""
    like: str | None = None
    source: str = Field(default=ASSUMED, min_length=1)
    cycle_source: str = ""


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
    """Synthetic demand of a part of the day.

    Target degree of saturation of an approach: that of its signal, else ``saturation``, or ``factor`` times its
    target in the demand ``like``.
    """

    plan: str
    saturation: Saturation | None = None
    like: str | None = None
    factor: float = Field(default=1.0, gt=0, le=2)
    mix: str
    duration: int = Field(default=3600, ge=60, le=86400)
    profile: tuple[Annotated[float, Field(gt=0)], ...] = (1.0,)
    seed: int = Field(default=1, ge=0)
    note: str = ""


class Draws(_Strict):
    """Origin of the drawn values of the file: turn weights of junctions and degrees of saturation of approaches.

    ``saturation`` is the range of the degrees of saturation; weights of left and right turns are between
    1/``turning`` and ``turning`` times those of the place.
    """

    seed: int = Field(ge=0)
    saturation: tuple[Saturation, Saturation]
    turning: float = Field(ge=1, le=5)
    reason: str = Field(min_length=1)


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
    draws: Draws | None = None
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
        return PlaceFile.model_validate(parse_toml(text, location=location))
    except ValidationError as error:
        raise InputError(_first_error(error), location=location) from error


def _first_error(error: ValidationError) -> str:
    """Return the most deeply nested of pydantic's errors as "key: reason" (a union reports one per branch)."""
    deepest = max(error.errors(), key=lambda e: len(e["loc"]))
    key = ".".join(str(part) for part in deepest["loc"])
    if deepest["type"] == "extra_forbidden":
        return f"{key}: unknown key"
    given = "" if deepest["type"] == "missing" else f" (given: {deepest['input']!r})"
    if key and (must := requirement(deepest)):
        return f"{key} {must}{given}"
    return f"{key}: {deepest['msg'].removeprefix('Value error, ')}{given}"
