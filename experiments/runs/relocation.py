"""Paths of a specification that stay right when a folder of results is moved: relative to it where they are inside."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from denxanh.experiments.specification.controllers import LAYERED, parse_controller

INPUTS = "inputs"
"""The folder, beside a ledger, of the input files that ``denxanh pack`` brings in."""
PARAMETERS = ("parameters", "computed")
"""The fields of a RunSpecification that may name files of its controller."""
Change = Callable[[str], str]


def change_parameters(parameters: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The parameters of a controller with ``change`` of every text, those of a strategy below a layer too."""
    return {key: _changed(key, value, change) for key, value in parameters.items()}


def _changed(key: str, value: Any, change: Change) -> Any:
    if isinstance(value, list):
        return [_changed(key, one, change) for one in value]
    if not isinstance(value, str):
        return value
    if key == LAYERED:
        name, below = parse_controller(value)
        found = change_parameters(below, change)
        return value if found == below else name + ":" + ",".join(f"{k}={v}" for k, v in found.items())
    return change(value)


def change_paths(scenario: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The JSON data of a scenario with ``change`` of the path of every file."""
    return {
        **scenario,
        "net": change(scenario["net"]),
        "routes": [change(path) for path in scenario["routes"]],
        "additional": [change(path) for path in scenario["additional"]],
    }


def names_file(value: str, folder: Path) -> bool:
    """Whether a parameter's text names a file, relative to ``folder``; a number never does."""
    try:
        float(value)
    except ValueError:
        try:
            return bool(value) and (folder / value).is_file()
        except (OSError, ValueError):  # too long for a path, or with a null character
            return False
    return False


def inside(path: str, folder: Path) -> str:
    """The path relative to ``folder``, with "/" on every system, where it is inside it; else as it is."""
    try:
        return Path(path).relative_to(folder).as_posix()
    except ValueError:
        return path


def stored_task(task: str) -> str:
    """A packed specification (see pack) as a ledger stores it: with absolute paths of its controller's files."""
    if '"parameters": {}' in task:
        return task
    data = json.loads(task)
    here = Path.cwd()
    found = change_parameters(
        data["parameters"], lambda value: _absolute(value, here)
    )  # computed ones are absolute
    return task if found == data["parameters"] else json.dumps({**data, "parameters": found}, sort_keys=True)


@lru_cache(maxsize=10_000)
def _absolute(value: str, folder: Path) -> str:
    return str((folder / value).resolve()) if names_file(value, folder) else value


def stored_scenario(scenario: str, folder: Path) -> str:
    """The JSON of a scenario as the ledger in ``folder`` stores it."""
    described = change_paths(json.loads(scenario), lambda path: inside(path, folder))
    return json.dumps(described, sort_keys=True)


def located(task: str, scenario: str, folder: Path) -> tuple[str, str]:
    """A specification and its scenario from the ledger in ``folder``: with absolute paths, wherever that is now."""
    data = json.loads(task)

    def found(value: str) -> str:
        packed = value.startswith(f"{INPUTS}/") and names_file(value, folder)
        return str(folder / value) if packed else value

    for name in PARAMETERS:
        data[name] = change_parameters(data.get(name, {}), found)
    if isinstance(data["scenario"], dict):  # ledgers of version 1
        data["scenario"] = change_paths(data["scenario"], lambda path: str(folder / path))
    elif scenario:
        scenario = json.dumps(change_paths(json.loads(scenario), lambda path: str(folder / path)))
    return json.dumps(data, sort_keys=True), scenario
