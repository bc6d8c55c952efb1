"""Sensings by name: ``NAME`` or ``NAME:key=value,…``; keys are the fields of its dataclass."""

from __future__ import annotations

import inspect
import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from denxanh.experiments.specification.controllers import make_controller
from denxanh.sim.errors import InputError
from denxanh.sim.sensing import SENSINGS, Sensing, described
from denxanh.sim.text_values import did_you_mean, parse_pairs

IDEAL = "ideal"
_KINDS = {kind.name: kind for kind in SENSINGS}
_SENSED = frozenset({"vehicles", "exits"})


def make_sensing(text: str) -> Sensing:
    """Build a sensing from its text. Raises InputError."""
    name, _, rest = text.partition(":")
    if name not in _KINDS:
        raise InputError(f"there is no sensing {name!r}", remedy=did_you_mean(name, _KINDS))
    known = [field.name for field in fields(_KINDS[name])]
    values: dict[str, Any] = {}
    pairs = parse_pairs(rest, location=f"sensing {text!r}", form="NAME:key=value")
    for key, value in pairs.items():
        if key not in known:
            raise InputError(f"sensing {name!r} has no parameter {key!r}", remedy=did_you_mean(key, known))
        values[key] = _number(value, f"sensing {name!r}, parameter {key!r}")
    return _KINDS[name](**values)


def sensing_key(text: str) -> dict[str, Any]:
    """What determines a sensing: its name and all its parameters, given or not."""
    return described(make_sensing(text))


def check_sensings(texts: Sequence[str]) -> None:
    """Refuse what cannot be built, and two that are the same. Raises InputError."""
    seen: dict[str, str] = {}
    for text in texts:
        key = repr(sensing_key(text))
        if key in seen:
            raise InputError(f"sensing {text!r} and {seen[key]!r} are the same", remedy="name each once")
        seen[key] = text


def sensings_of(controller: str, parameters: Any, texts: Sequence[str]) -> Sequence[str]:
    """The sensings to run a controller with: one that looks at no vehicle runs once, not once for each."""
    return texts if make_controller(controller, parameters).sees & _SENSED else (IDEAL,)


def describe_sensings() -> list[tuple[str, str]]:
    """Name and first line of each."""
    return [(name, (inspect.getdoc(kind) or "").partition("\n")[0]) for name, kind in _KINDS.items()]


def _number(text: str, location: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{text!r} is not a number", location=location, remedy="give a number")
    return value
