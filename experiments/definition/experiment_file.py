"""experiment.toml: what a user writes, checked whole: every error at once, each with its path.

Pydantic stands only here, at the file's edge; inside, an experiment is frozen dataclasses.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from denxanh.experiments.specification.run_options import (
    AUTO,
    DECLARATION,
    Declaration,
    Limits,
    RunOptions,
    declarations,
    read_auto,
)
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import DEMAND, ERRORS, SECONDS, SEED, SEEDS, VARIANTS
from denxanh.sim.input.requirements import requirement
from denxanh.sim.input.text_files import read_toml
from denxanh.sim.metrics import NAMES
from denxanh.sim.sumo.riders import MOST as RIDERS_MOST
from denxanh.sim.text_values import Moment, did_you_mean, read_duration, read_moment

Scalar = bool | int | float | str
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Factor = Annotated[float, Field(gt=0, lt=DEMAND, allow_inf_nan=False)]
RiderValue = Annotated[float, Field(ge=0, le=RIDERS_MOST, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=SECONDS, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, le=SEED)]
RESERVED = {
    "profiles": "demand profiles cannot be given yet: scale the demand, or name a place for each profile",
    "mixes": "vehicle mixes cannot be given yet: name a place for each mix",
}


_BRANCHES = {"str", "int", "float", "bool"}


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


_T = TypeVar("_T", bound=_Table)


class Range(_Table):
    """Values between two ends. With whole ends only whole values; ``log``: evenly in the logarithm."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    low: int | float = Field(alias="from")
    high: int | float = Field(alias="to")
    levels: int | None = Field(
        default=None, ge=1, le=VARIANTS, description="How many values a grid takes of it."
    )
    log: bool = False

    @model_validator(mode="after")
    def _ends(self) -> Range:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError("'from' must be below 'to', both finite")
        if self.log and self.low <= 0:
            raise ValueError("a logarithmic range begins above 0")
        return self


def _kind(value: object) -> str:
    """Which branch of a union is meant, so that an error speaks of that one only."""
    return (
        "·table" if isinstance(value, dict | BaseModel) else "·list" if isinstance(value, list) else "·value"
    )


Values = Annotated[
    Annotated[Scalar, Tag("·value")]
    | Annotated[list[Scalar], Tag("·list")]
    | Annotated[Range, Tag("·table")],
    Discriminator(_kind),
]
"""A value, a list of alternatives, or a range."""


class ControllerEntry(BaseModel):
    """A controller with parameters; lists and ranges expand by the design."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, Values]

    name: str


Controller = Annotated[
    Annotated[str, Tag("·value")] | Annotated[ControllerEntry, Tag("·table")],
    Discriminator(lambda value: "·table" if _kind(value) == "·table" else "·value"),
]


def _or_text(number: Any, read: Callable[[str], Any]) -> Any:
    """The type of a time: a number, or a text that ``read`` makes a value of."""
    return Annotated[
        Annotated[number, Tag("·value")] | Annotated[str, AfterValidator(read), Tag("·text")],
        Discriminator(lambda value: "·text" if isinstance(value, str) else "·value"),
    ]


def _read_text(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """``read`` with its refusal as Pydantic wants it."""

    def checked(text: str) -> Any:
        try:
            return read(text)
        except InputError as error:
            raise ValueError(f"{error.what}; {error.remedy}") from None

    return checked


if TYPE_CHECKING:
    Time = float | Moment
    Duration = float
    WarmUp = float | Literal["auto", "mser-5"]
    Flush = float | Literal["auto"]
else:
    Time = _or_text(Seconds, _read_text(lambda text: read_moment(text, "")))
    Duration = _or_text(Seconds, _read_text(lambda text: read_duration(text, "", minimum=1.0)))
    WarmUp = _or_text(
        Annotated[float, Field(ge=0, le=SECONDS, allow_inf_nan=False)],
        _read_text(lambda text: text if text == "mser-5" else read_auto(text, "")),
    )
    Flush = _or_text(
        Annotated[float, Field(ge=0, le=SECONDS, allow_inf_nan=False)],
        _read_text(lambda text: read_auto(text, "")),
    )
_END = 'Simulate until this time: s, or "07:30", or "+30min" after the begin.'
_DURATION = 'Simulate so long from the begin on: s, or "30min".'
_Ending = TypeVar("_Ending", bound=_Table)


def _check_one_end(table: _Ending) -> _Ending:
    if getattr(table, "end", None) is not None and getattr(table, "duration", None) is not None:
        raise ValueError("'end' and 'duration' exclude each other: give one")
    return table


class Design(_Table):
    """How lists and ranges of controllers' parameters expand."""

    method: Literal["grid", "latin-hypercube", "sobol"] = "grid"
    points: int | None = Field(
        default=None, ge=1, le=VARIANTS, description="Points of a latin-hypercube or sobol design."
    )
    seed: Seed = 1

    @model_validator(mode="after")
    def _points(self) -> Design:
        if (self.method == "grid") != (self.points is None):
            raise ValueError("'points' belongs to latin-hypercube and sobol, which need it; a grid has none")
        return self


class Resample(_Table):
    """Another day for each seed: its departures drawn anew from the place's own."""

    method: Literal["jitter", "bootstrap"]
    seed: Seed = 1
    sd: Seconds | None = Field(
        default=None, description="Jitter: standard deviation of the shift of a departure, s."
    )
    block: Seconds | None = Field(
        default=None, description="Bootstrap: vehicles are drawn within blocks so long, s."
    )

    @model_validator(mode="after")
    def _numbers(self) -> Resample:
        if (self.method == "jitter") != (self.sd is not None):
            raise ValueError("jitter needs 'sd', in s; bootstrap has none")
        if (self.method == "bootstrap") != (self.block is not None):
            raise ValueError("bootstrap needs 'block', in s; jitter has none")
        return self


class Stop(_Table):
    """Run seeds until the interval is narrow enough (denxanh.experiments.statistics.StoppingRule)."""

    half_width: Share = Field(description="Of the mean; 0.05 is 5 %.")
    min: int = Field(default=10, ge=2)
    max: int = Field(default=50, ge=2, le=SEEDS)
    every: int = Field(default=5, ge=1)
    metric: str = "delay_s"
    of: Literal["difference", "mean"] = "difference"

    @model_validator(mode="after")
    def _order(self) -> Stop:
        if self.min > self.max:
            raise ValueError("'min' is above 'max'")
        _check_metrics([self.metric])
        return self


class Safety(_Table):
    """What every signal that a controller drives must keep, beyond its plan (docs/safety.md)."""

    min_green: Positive | None = Field(default=None, description="s")
    max_green: Positive | None = Field(default=None, description="s")
    max_red: Positive | None = Field(default=None, description="s")
    yellow: Literal["plan", "ite"] | Positive = Field(default="plan", description="By rule, or s.")
    all_red: Literal["plan", "ite"] | Positive = Field(default="plan", description="By rule, or s.")
    uniform_change: Positive | None = Field(
        default=None, description="s of yellow for every change, no all-red."
    )


class RidersTable(_Table):
    """What riders of two-wheelers do at a signal; 0 leaves it as the vehicle types have it (docs/riders.md)."""

    late_yellow: RiderValue = Field(default=0.0, description="s of yellow in which they still enter.")
    late_red: RiderValue = Field(default=0.0, description="s of red in which they still enter.")
    red_speed: RiderValue = Field(default=0.0, description="m/s at most where they enter on red.")
    start_delay: RiderValue = Field(default=0.0, description="s by which each that stood starts later.")
    early_start: RiderValue = Field(
        default=0.0, description="s before green at which a share of those starts."
    )
    early_share: float = Field(default=0.0, ge=0, le=1, description="The share that starts before green.")


class PlaceEntry(_Table):
    """A place with a time of its own, or with another name in the tables."""

    place: str = Field(min_length=1, description="A name, a .sumocfg file, a folder or NET+ROUTES.")
    name: str | None = Field(default=None, min_length=1, description="Its name in the tables.")
    end: Time | None = Field(default=None, description=_END)
    duration: Duration | None = Field(default=None, description=_DURATION)

    @model_validator(mode="after")
    def _one_end(self) -> PlaceEntry:
        return _check_one_end(self)


PlaceText = Annotated[
    Annotated[str, Tag("·value")] | Annotated[PlaceEntry, Tag("·table")],
    Discriminator(lambda value: "·table" if _kind(value) == "·table" else "·value"),
]


class ExperimentFile(_Table):
    """Places × demand levels × controllers × sensings × seeds."""  # and the options of a run: _with_options

    places: list[PlaceText] = Field(
        min_length=1, description="Names, .sumocfg files, folders or NET+ROUTES, or tables with a place."
    )
    controllers: list[Controller] = Field(min_length=1, description="The first is the baseline.")
    sensing: list[str] = Field(
        default=["ideal"], min_length=1, description="What controllers see by: NAME or NAME:key=value,…."
    )
    demand: list[Factor] = Field(default=[1.0], min_length=1, description="Scales of the place's demand.")
    seeds: int | list[Seed] = Field(default=10, description="N for 1…N, or a list.")
    end: Time | None = Field(default=None, description=_END)
    duration: Duration | None = Field(default=None, description=_DURATION)
    warm_up: WarmUp = Field(
        default=AUTO,
        description='Warm-up that is not measured: s, or "10min", or "auto" (the free travel time of the longest route '
        'of a place), or found by "mser-5".',
    )
    flush: Flush = Field(
        default=AUTO,
        description='Time at the end that is not measured, in which measured vehicles may finish: s, or "10min", or '
        '"auto" (as long as an automatic warm-up, else 0).',
    )
    metrics: list[str] = Field(default=["delay_s", "stops", "queue_mean_veh"], min_length=1)
    vehicles_per_day: Positive | None = Field(default=None, description="For the effect in veh·h per day.")
    worth_s: Positive | None = Field(
        default=None, description="Difference in s/veh that matters, for the seeds needed."
    )
    design: Design = Design()
    resample: Resample | None = None
    stop: Stop | None = None
    safety: Safety = Safety()
    events: list[dict[str, Any]] = Field(
        default=[], description="What happens during every run: tables with a kind (docs/events.md)."
    )

    riders: RidersTable = RidersTable()

    def run_options(self) -> RunOptions:
        """The options of every run; a warm-up that is to be found is 0 s."""
        found = {name: getattr(self, name) for name in declarations(RunOptions)}
        return RunOptions(
            **found
            | {
                "warm_up": 0.0 if self.warm_up == "mser-5" else self.warm_up,
                "limits": Limits(**found["limits"].model_dump()),
                "events": tuple(self.events),
                "safety": self.safety.model_dump(exclude_defaults=True),
                "riders": self.riders.model_dump(exclude_defaults=True),
            }
        )

    @field_validator("places", "demand")
    @classmethod
    def _once(cls, values: list[Any]) -> list[Any]:
        for i, value in enumerate(values):
            if value in values[:i]:
                raise ValueError(f"{value!r} is given twice")
        return values

    @field_validator("metrics")
    @classmethod
    def _known(cls, values: list[str]) -> list[str]:
        _check_metrics(values)
        return values

    @field_validator("seeds")
    @classmethod
    def _seeds(cls, value: int | list[int]) -> int | list[int]:
        if isinstance(value, int):
            if not 1 <= value <= SEEDS:
                raise ValueError(f"a number of seeds is between 1 and {SEEDS}")
        elif not value or len(set(value)) != len(value):
            raise ValueError("a list of seeds names each once, and at least one")
        return value

    @model_validator(mode="after")
    def _together(self) -> ExperimentFile:
        if self.stop is not None and "seeds" in self.model_fields_set:
            raise ValueError("'seeds' and 'stop' exclude each other: the stopping rule says how many seeds")
        return _check_one_end(self)


def _with_options(model: type[_T], described: type, **more: Any) -> type[_T]:
    """The model with a key for every declared field of a dataclass that it does not have itself."""
    hints = get_type_hints(described)
    keys: dict[str, Any] = dict(more)
    for f in fields(described):
        if f.name in model.model_fields or f.name in keys:
            continue
        declared: Declaration = f.metadata[DECLARATION]
        keys[f.name] = (_key_type(hints[f.name], declared), Field(f.default, description=declared.help))
    return create_model(model.__name__.lstrip("_"), __base__=model, __doc__=model.__doc__, **keys)


def _key_type(hint: Any, declared: Declaration) -> Any:
    """The type of a key, with its bounds."""
    if declared.choices:
        return Literal[declared.choices]
    optional = type(None) in get_args(hint)
    plain = next(one for one in get_args(hint) if one is not type(None)) if optional else hint
    if (declared.minimum, declared.above, declared.maximum) != (None, None, None):
        finite = False if plain is float else None
        bounds = Field(ge=declared.minimum, gt=declared.above, le=declared.maximum, allow_inf_nan=finite)
        plain = Annotated[plain, bounds]
    return plain | None if optional else plain


class _RunLimits(_Table):
    """What one run may use."""


_LIMITS = _with_options(_RunLimits, Limits)
_FILE = _with_options(ExperimentFile, RunOptions, limits=(_LIMITS, _LIMITS()))


def read_experiment(path: Path) -> ExperimentFile:
    """Read and check an experiment file. Raises InputError that names every error with its path."""
    data, _ = read_toml(path, kind="experiment", remedy="'denxanh new experiment' writes one")
    return check(data, str(path))


def check(data: Mapping[str, Any], location: str) -> ExperimentFile:
    """The experiment behind a table of values. Raises InputError."""
    try:
        return _FILE.model_validate(data)
    except ValidationError as error:
        raise combined_error([_sentence(e) for e in error.errors()], location) from None


def combined_error(sentences: Iterable[str], location: str) -> InputError:
    """One error that tells them all."""
    lines = list(dict.fromkeys(sentences))
    if len(lines) == 1:
        return InputError(lines[0], location=location)
    more = [f"… and {len(lines) - ERRORS} more"] if len(lines) > ERRORS else []
    return InputError(f"{len(lines)} errors\n  " + "\n  ".join([*lines[:ERRORS], *more]), location=location)


def schema() -> str:
    """The JSON Schema of experiment.toml, as text for docs/experiment.schema.json."""
    return json.dumps(_FILE.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _check_metrics(names: Iterable[str]) -> None:
    for name in names:
        if name not in NAMES:
            raise ValueError(f"there is no metric {name!r}; {did_you_mean(name, NAMES)}")


def _sentence(error: Any) -> str:
    """One line: where in the file, and what is wrong."""
    loc = [part for part in error["loc"] if not _is_branch(part)]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".")
    if error["type"] == "extra_forbidden":
        name = str(loc[-1])
        if len(loc) == 1 and name in RESERVED:
            return RESERVED[name]
        return f"{path}: there is no key {name!r}; {did_you_mean(name, _keys_beside(loc[:-1]))}"
    given = "" if error["type"] in ("missing", "value_error") else f" (given: {error['input']!r})"
    if path and (must := requirement(error)):
        return f"{path} {must}{given}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{path}: {message}{given}" if path else message


def _is_branch(part: object) -> bool:
    """Pydantic names the branch of a union in an error's path; the file has no such key."""
    return isinstance(part, str) and (part.startswith("·") or part in _BRANCHES or "[" in part)


def _keys_beside(path: list[Any]) -> list[str]:
    tables: dict[str, type[BaseModel]] = {
        "design": Design, "resample": Resample, "stop": Stop, "limits": _LIMITS, "safety": Safety,
        "riders": RidersTable,
    }  # fmt: skip
    if not path:
        model: type[BaseModel] = _FILE
    elif path[0] in tables:
        model = tables[path[0]]
    elif path[0] == "places":
        model = PlaceEntry
    else:
        model = Range
    return [field.alias or name for name, field in model.model_fields.items()]
