"""Task: one run of an experiment as data, and its identity: the hash of everything that determines its result."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import sim
from experiments.catalog import LAYERED, controllers, load, make_controller, parse_controller
from experiments.happenings import Table
from experiments.sensings import IDEAL, sensing_key
from sim.protocol import parameters
from sim.rules import Rules
from sim.run import hash_file, versions
from sim.scenario import Scenario

RESULT_VERSIONS = ("denxanh", "sumo", "libsumo")
"""Versions that can change a result; Python and numpy must not, and `verify` would show it if they did."""


@dataclass(frozen=True)
class Task:
    """What one run needs. ``demand`` is the scale of the place's demand, ``place`` the name it is reported by."""

    place: str
    scenario: Scenario
    controller: str  # its name
    parameters: Mapping[str, Any] = field(default_factory=dict)  # as given; the class fills in the rest
    seed: int = 1
    demand: float = 1.0
    backend: str = "libsumo"
    warm_up: float = 0.0
    sensing: str = IDEAL  # as a user writes it
    events: tuple[Table, ...] = ()  # as tables of experiments.happenings
    safety: Mapping[str, Any] = field(default_factory=dict)  # fields of sim.rules.Rules

    @property
    def label(self) -> str:
        """The controller as a user writes it, and what it sees by unless that is the truth."""
        text = ",".join(f"{key}={_text(value)}" for key, value in self.parameters.items())
        name = f"{self.controller}:{text}" if text else self.controller
        return name if self.sensing == IDEAL else f"{name} @ {self.sensing}"

    def scaled(self) -> Scenario:
        """The scenario with the demand level applied (SUMO's --scale keeps the same vehicles for every seed)."""
        if self.demand == 1.0:
            return self.scenario
        given = float(self.scenario.options.get("scale", "1"))
        return replace(self.scenario, options={**self.scenario.options, "scale": f"{given * self.demand:g}"})

    def identity(self) -> str:
        """SHA-256 over inputs by content, parameters, seed and versions; the back end gives the same bytes."""
        parts = {
            "scenario": _scenario_digest(self.scenario, self.demand),
            "controller": controller_digest(self.controller, self.parameters),
            "sensing": sensing_key(self.sensing),
            "events": self.events,
            "safety": Rules(**self.safety).to_json(),
            "seed": self.seed,
            "warm_up": self.warm_up,
            "versions": _versions_digest(),
        }
        return _digest(parts)


def absolute(scenario: Scenario) -> Scenario:
    """The scenario with absolute paths: a run works in a folder of its own, and is resumed from anywhere."""
    return replace(
        scenario,
        net=scenario.net.resolve(),
        routes=tuple(path.resolve() for path in scenario.routes),
        additional=tuple(path.resolve() for path in scenario.additional),
    )


def pack(task: Task) -> tuple[str, str, str]:
    """A task as text, enough to run it again: (JSON, id of its scenario, JSON of its scenario).

    The scenario is shared by thousands of tasks and therefore stands apart.
    """
    scenario = _scenario_text(task.scenario)
    id = hashlib.sha256(scenario.encode()).hexdigest()[:16]
    data = {
        "place": task.place,
        "scenario": id,
        "controller": task.controller,
        "parameters": dict(task.parameters),
        "seed": task.seed,
        "demand": task.demand,
        "backend": task.backend,
        "warm_up": task.warm_up,
        "sensing": task.sensing,
        "events": task.events,
        "safety": dict(task.safety),
    }
    return json.dumps(data, sort_keys=True), id, scenario


def unpack(text: str, scenario: str) -> Task:
    """The inverse of ``pack``; ledgers of version 1 kept the scenario within the task."""
    data = json.loads(text)
    inside = data.pop("scenario")
    data["events"] = tuple(data.get("events", ()))
    return Task(
        scenario=Scenario.from_json(inside if isinstance(inside, dict) else json.loads(scenario)), **data
    )


@cache
def code_hash() -> str:
    """SHA-256 of the source of the packages that make a result, so that edited code is not mistaken for old."""
    digest = hashlib.sha256()
    root = Path(sim.__file__).parent.parent
    for package in ("sim", "controllers"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def content_hash(path: Path) -> str:
    """SHA-256 of a file's content, read again only when the file has changed."""
    stat = path.stat()
    return _hash(path, stat.st_mtime_ns, stat.st_size)


@cache
def _hash(path: Path, changed: int, size: int) -> str:
    return hash_file(path)


_digests: dict[tuple[int, float], tuple[Scenario, str]] = {}
_texts: dict[int, tuple[Scenario, str]] = {}


def _scenario_digest(scenario: Scenario, demand: float) -> str:
    """A million tasks share few scenarios: each is hashed once (the entry keeps it alive, so its id stays its own)."""
    key = (id(scenario), demand)
    if key not in _digests:
        data = Task("", scenario, "", demand=demand).scaled().to_json()
        for name in ("name", "net", "routes", "additional", "notes"):
            del data[name]
        inputs = [content_hash(path) for path in scenario.inputs()]
        _digests[key] = scenario, _digest({"inputs": inputs, "scenario": data})
    return _digests[key][1]


def _scenario_text(scenario: Scenario) -> str:
    if id(scenario) not in _texts:
        _texts[id(scenario)] = scenario, json.dumps(scenario.to_json(), sort_keys=True)
    return _texts[id(scenario)][1]


def controller_digest(name: str, given: Mapping[str, Any]) -> str:
    """By all its parameters, given or not, so that a default written out is the same controller."""
    values = _filled_in(name, json.dumps(dict(given), sort_keys=True))
    counted = {key: _counted(key, value) for key, value in values.items()}
    contents = [content_hash(path) for path in _named_files(name, given)]
    return _digest({"name": name, "parameters": counted, "files": contents, "code": _plugin_hash(name)})


def _named_files(name: str, given: Mapping[str, Any]) -> tuple[Path, ...]:
    """The files that those among a controller's parameters name in turn."""
    return tuple(make_controller(name, given).files()) if _names_files(name) else ()  # type: ignore[attr-defined]


@cache
def _names_files(name: str) -> bool:
    return hasattr(load(name), "files")


@cache
def _filled_in(name: str, given: str) -> Mapping[str, Any]:
    return parameters(make_controller(name, json.loads(given)))


@cache
def _plugin_hash(name: str) -> str:
    """SHA-256 of the module of a controller that is not ours; ours are in ``code_hash``."""
    module = controllers()[name].value.partition(":")[0]
    if module.startswith("controllers."):
        return ""
    spec = importlib.util.find_spec(module)
    return hash_file(Path(spec.origin)) if spec and spec.origin and Path(spec.origin).is_file() else module


@cache
def _versions_digest() -> str:
    known = versions()
    return _digest({"code": code_hash(), **{name: known[name] for name in RESULT_VERSIONS}})


def _digest(data: object) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()


def _counted(key: str, value: Any) -> Any:
    """A strategy below counts as if it stood alone, a file by its content, and 10.0 is 10."""
    if key == LAYERED and isinstance(value, str):
        return controller_digest(*parse_controller(value))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if (
        isinstance(value, str)
        and value.endswith((".json", ".toml", ".xml", ".csv"))
        and Path(value).is_file()
    ):
        return content_hash(Path(value))
    return value


def _text(value: Any) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )
