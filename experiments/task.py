"""Task: one run of an experiment as data, and its identity: the hash of everything that determines its result."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import sim
from sim.run import hash_file, versions
from sim.scenario import Scenario

RESULT_VERSIONS = ("denxanh", "sumo", "libsumo")
"""Versions that can change a result; Python and numpy must not, and `verify` would show it if they did."""


@dataclass(frozen=True)
class Task:
    """What one run needs. ``demand`` is the label of the demand level, ``labels`` further columns."""

    place: str
    scenario: Scenario
    controller: str  # its name
    parameters: Mapping[str, Any] = field(
        default_factory=dict
    )  # as given; defaults are filled in by the class
    seed: int = 1
    demand: float = 1.0
    backend: str = "libsumo"
    warm_up: float = 0.0

    @property
    def label(self) -> str:
        """The controller as a user writes it."""
        text = ",".join(f"{key}={value}" for key, value in self.parameters.items())
        return f"{self.controller}:{text}" if text else self.controller

    def scaled(self) -> Scenario:
        """The scenario with the demand level applied (SUMO's --scale keeps the same vehicles for every seed)."""
        if self.demand == 1.0:
            return self.scenario
        given = float(self.scenario.options.get("scale", "1"))
        return replace(self.scenario, options={**self.scenario.options, "scale": f"{given * self.demand:g}"})

    def identity(self) -> str:
        """SHA-256 over inputs by content, parameters, seed and versions; the back end gives the same bytes."""
        scenario = self.scaled().to_json()
        for name in ("name", "net", "routes", "additional", "notes"):
            del scenario[name]
        text = json.dumps(
            {
                "inputs": [_hash(path) for path in self.scenario.inputs()],
                "scenario": scenario,
                "controller": self.controller,
                "parameters": {key: _content(value) for key, value in self.parameters.items()},
                "seed": self.seed,
                "warm_up": self.warm_up,
                "versions": {name: versions()[name] for name in RESULT_VERSIONS},
                "code": code_hash(),
            },
            sort_keys=True,
        )
        return hashlib.sha256(text.encode()).hexdigest()


@cache
def code_hash() -> str:
    """SHA-256 of the source of the packages that make a result, so that edited code is not mistaken for old."""
    digest = hashlib.sha256()
    root = Path(sim.__file__).parent.parent
    for package in ("sim", "controllers"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


_hash = cache(hash_file)


def _content(value: Any) -> Any:
    """A parameter that names a file counts by the file's content."""
    if (
        isinstance(value, str)
        and value.endswith((".json", ".toml", ".xml", ".csv"))
        and Path(value).is_file()
    ):
        return hash_file(Path(value))
    return value
