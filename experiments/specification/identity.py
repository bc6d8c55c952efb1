"""What determines the result of a run, as digests: inputs and code by content, parameters by value.

A million runs share few scenarios, controllers and options: what they share is digested once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import Any, TypeVar

from denxanh import sim
from denxanh.experiments.specification.controllers import (
    LAYERED,
    controllers,
    make_controller,
    parse_controller,
)
from denxanh.experiments.specification.object_state import named_content, state_of
from denxanh.experiments.specification.objects import read_files
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.sources import content_hash, plugin_digest
from denxanh.sim.controller import Controller, parameters
from denxanh.sim.run.provenance import versions
from denxanh.sim.scenario import Scenario

RESULT_VERSIONS = ("denxanh", "sumo", "libsumo")
"""Versions that can change a result; Python and numpy must not, and `verify` would show it if they did."""


_T = TypeVar("_T")
_U = TypeVar("_U")


def once_per_object(make: Callable[[_T], _U]) -> Callable[[_T], _U]:
    """Cache a function of one object that many runs share; the object need not be hashable."""
    known: dict[int, tuple[_T, _U]] = {}

    @wraps(make)
    def cached(given: _T) -> _U:
        if id(given) not in known:  # the entry keeps the object alive, so that its id stays its own
            known[id(given)] = given, make(given)
        return known[id(given)][1]

    return cached


@cache
def code_hash() -> str:
    """SHA-256 of the source of the packages that make a result, so that edited code is not mistaken for old."""
    result = hashlib.sha256()
    root = Path(sim.__file__).parent.parent
    for package in ("sim", "controllers"):
        for path in sorted((root / package).rglob("*.py")):
            result.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return result.hexdigest()


_scenarios: dict[tuple[int, tuple[tuple[str, str], ...]], tuple[Scenario, str]] = {}


def scenario_digest(scenario: Scenario, options: Mapping[str, str]) -> str:
    """By the content of its files and by its times and options, of which ``options`` take the place of its own."""
    key = (id(scenario), tuple(options.items()))
    if key not in _scenarios:  # the entry keeps the scenario alive, so that its id stays its own
        data = scenario.to_json()
        for name in ("name", "net", "routes", "additional", "notes", "plan_source"):
            del data[name]
        data["options"] = {**data["options"], **options}
        inputs = [content_hash(path) for path in scenario.inputs()]
        _scenarios[key] = scenario, digest({"inputs": inputs, "scenario": data})
    return _scenarios[key][1]


@once_per_object
def options_identity(options: RunOptions) -> Mapping[str, Any]:
    """The options that count, by name."""
    return options.identity()


def controller_digest(name: str, given: Mapping[str, Any]) -> str:
    """By all its parameters, given or not, so that a default written out is the same controller."""
    values = _filled_in(name, json.dumps(dict(given), sort_keys=True))
    counted = {key: _counted(key, value) for key, value in values.items()}
    contents = [
        content_hash(path) for path in read_files(_made(name, json.dumps(dict(given), sort_keys=True)))
    ]
    return digest({"name": name, "parameters": counted, "files": contents, "code": _plugin_hash(name)})


@cache
def _made(name: str, given: str) -> Controller:
    return make_controller(name, json.loads(given))


@cache
def _filled_in(name: str, given: str) -> Mapping[str, Any]:
    return parameters(_made(name, given))


@cache
def _plugin_hash(name: str) -> str:
    """The digest of the code of a controller that is not ours, and of its distribution; ours are in ``code_hash``."""
    point = controllers()[name]
    return "" if point.value.startswith("denxanh.controllers.") else plugin_digest(point)


@cache
def versions_digest() -> str:
    """Of the code and of the versions that can change a result."""
    known = versions()
    return digest({"code": code_hash(), **{name: known[name] for name in RESULT_VERSIONS}})


def digest(data: object) -> str:
    """SHA-256 of data as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _counted(key: str, value: Any) -> Any:
    """A strategy below counts as if it stood alone, a file or folder by its content, and 10.0 is 10."""
    if key == LAYERED and isinstance(value, str):
        return controller_digest(*parse_controller(value))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list | tuple):
        return [_counted("", part) for part in value]
    if isinstance(value, Mapping):
        return {str(name): _counted("", part) for name, part in value.items()}
    if value is None or isinstance(value, str | bool | int | float):
        return named_content(value) or value
    return state_of(value)  # its text may differ between processes, as that of a set
