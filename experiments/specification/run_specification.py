"""RunSpecification: one run as data, its identity, and its text in a ledger or a job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

from denxanh.experiments.specification.identity import (
    controller_digest,
    digest,
    once_per_object,
    options_identity,
    scenario_digest,
    versions_digest,
)
from denxanh.experiments.specification.run_options import AUTO, RunOptions, declarations
from denxanh.experiments.specification.sensings import IDEAL, sensing_key
from denxanh.sim.errors import InputError
from denxanh.sim.scenario import CONFIRMED, Scenario

_IDENTITY = "identity"
SHORTENED = (
    "warm-up and flush are a quarter of the duration each, less than the longest route takes without delay"
)
"""Note on a scenario that is too short for an automatic warm-up and flush; the two times follow."""
WHOLE_RUN = "the whole run is measured, without warm-up and flush"
"""Note on a scenario for which there is no automatic warm-up and flush; the reason follows."""
_Part = Callable[["RunSpecification"], Any]


def _counts(part: _Part | None) -> Mapping[str, Any]:
    """Metadata of a field: its part in the identity, None where it has none of its own."""
    return {_IDENTITY: part}


@dataclass(frozen=True)
class RunSpecification:
    """One run: a scenario under a controller. Each field says how it counts in the identity."""

    place: str = field(metadata=_counts(None))  # the name that tables report the run by
    scenario: Scenario = field(
        metadata=_counts(lambda run: scenario_digest(run.scenario, run.sumo_options()))
    )
    controller: str = field(
        metadata=_counts(lambda run: run.given or controller_digest(run.controller, run.arguments))
    )
    parameters: Mapping[str, Any] = field(  # as given, the class has the others; count with the controller
        default_factory=dict, metadata=_counts(None)
    )
    seed: int = field(default=1, metadata=_counts(lambda run: run.seed))
    demand: float = field(default=1.0, metadata=_counts(None))  # scale; counts with the scenario
    sensing: str = field(default=IDEAL, metadata=_counts(lambda run: sensing_key(run.sensing)))
    options: RunOptions = field(
        default=RunOptions(), metadata=_counts(lambda run: options_identity(run.options))
    )
    computed: Mapping[str, Any] = (
        field(  # parameters computed from the scenario: they count, the label omits them
            default_factory=dict, metadata=_counts(None)
        )
    )
    given: str = field(  # digest of a controller given as an object (objects.py), "" for one by its name
        default="", metadata=_counts(None)
    )

    @property
    def arguments(self) -> Mapping[str, Any]:
        """All parameters of the controller: those given and those computed from the scenario."""
        return {**self.parameters, **self.computed}

    @property
    def label(self) -> str:
        """The controller as a user writes it, followed by its sensing unless that is ideal."""
        return controller_label(self.controller, self.parameters, self.sensing)

    def sumo_options(self) -> dict[str, str]:
        """Options that take the place of the scenario's own: the demand level as SUMO's scale, and those asked for."""
        options = self.options.sumo_options()
        if self.demand != 1.0:  # SUMO's --scale keeps the same vehicles for every seed
            options["scale"] = f"{float(self.scenario.options.get('scale', '1')) * self.demand:g}"
        return options

    def simulated(self) -> Scenario:
        """The scenario as SUMO simulates it."""
        options, riders = self.sumo_options(), self.options.riders
        if not options and not riders:
            return self.scenario
        return replace(
            self.scenario,
            options={**self.scenario.options, **options},
            riders={**self.scenario.riders, **riders},
        )

    def identity(self) -> str:
        """SHA-256 over everything that determines the run's result."""
        parts = {f.name: part(self) for f in fields(self) if (part := f.metadata[_IDENTITY]) is not None}
        return digest({**parts, "versions": versions_digest()})

    def to_json(self) -> dict[str, Any]:
        """The specification as JSON data; the options stand beside the other fields."""
        return {**_json_fields(self, without=("options",)), **_options_json(self.options)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RunSpecification:
        """A run's specification from the data of ``to_json``; options of a run that are missing have their default."""
        known = declarations(RunOptions)
        options = {name: known[name].decode(value) for name, value in data.items() if name in known}
        own = {name: value for name, value in data.items() if name not in known}
        own["scenario"] = Scenario.from_json(own["scenario"])
        return cls(**own, options=RunOptions(**options))


def controller_label(name: str, parameters: Mapping[str, Any], sensing: str = IDEAL) -> str:
    """A controller as a user writes it, followed by its sensing unless that is ideal."""
    text = ",".join(f"{key}={_text(value)}" for key, value in parameters.items())
    label = f"{name}:{text}" if text else name
    return label if sensing == IDEAL else f"{label} @ {sensing}"


def absolute(scenario: Scenario) -> Scenario:
    """The scenario with absolute paths: a run works in a folder of its own, and is resumed from anywhere."""
    return replace(
        scenario,
        net=scenario.net.resolve(),
        routes=tuple(path.resolve() for path in scenario.routes),
        additional=tuple(path.resolve() for path in scenario.additional),
    )


def with_plan_source(scenario: Scenario, options: RunOptions) -> Scenario:
    """The scenario, its existing plan confirmed if the options say so."""
    return replace(scenario, plan_source=CONFIRMED) if options.plan_is_real else scenario


def with_window(scenario: Scenario, options: RunOptions) -> tuple[Scenario, RunOptions]:
    """The options with the warm-up and the flush in s that ``auto`` means here, and the scenario with a note if needed.

    Raises InputError where they leave nothing of the run.
    """
    length = scenario.end - scenario.begin
    warm_up, flush, found = options.warm_up, options.flush, None
    if warm_up == AUTO:
        from denxanh.sim.run.automatic_window import automatic_window

        found = automatic_window(scenario)
        warm_up = found.seconds
    if flush == AUTO:
        flush = 0.0 if found is None else found.seconds
    if not warm_up + flush < length:
        also = f" and a flush of {flush:g} s leave" if flush else " leaves"
        raise InputError(
            f"a warm-up of {warm_up:g} s{also} nothing of the {length:g} s simulated",
            location=scenario.name,
            remedy="give a shorter --warm-up or --flush" if flush else "give a shorter --warm-up",
        )
    note = ""
    if found is not None and found.shortened:
        note = f"{SHORTENED}: {found.seconds:g} s < {found.longest:.0f} s"
    elif found is not None and found.reason:
        note = f"{WHOLE_RUN}: {found.reason}"
    if note:
        scenario = replace(scenario, notes=tuple(dict.fromkeys((*scenario.notes, note))))
    return scenario, replace(options, warm_up=warm_up, flush=flush)


def pack(run: RunSpecification) -> tuple[str, str, str]:
    """A specification as text: (JSON, id of its scenario, JSON of its scenario).

    The scenario is shared by thousands of runs and therefore stands apart.
    """
    scenario = _scenario_text(run.scenario)
    id = hashlib.sha256(scenario.encode()).hexdigest()[:16]
    data = {
        **_json_fields(run, without=("options", "scenario")),
        **_options_json(run.options),
        "scenario": id,
    }
    return json.dumps(data, sort_keys=True), id, scenario


def unpack(text: str, scenario: str) -> RunSpecification:
    """The inverse of ``pack``; ledgers of version 1 kept the scenario within the specification."""
    data = json.loads(text)
    if not isinstance(data["scenario"], dict):
        data["scenario"] = json.loads(scenario)
    return RunSpecification.from_json(data)


@once_per_object
def _scenario_text(scenario: Scenario) -> str:
    return json.dumps(scenario.to_json(), sort_keys=True)


@once_per_object
def _options_json(options: RunOptions) -> dict[str, Any]:
    return _json_fields(options)


def _json_fields(described: Any, *, without: Sequence[str] = ()) -> dict[str, Any]:
    return {f.name: _json(getattr(described, f.name)) for f in fields(described) if f.name not in without}


def _json(value: Any) -> Any:
    if isinstance(value, Scenario):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
