"""Controllers by name: ours and those of other packages (entry point group ``denxanh.controllers``).

A controller is named ``NAME`` or ``NAME:key=value,…``; keys are the fields of its dataclass. A layer takes
the name of the strategy below it as ``over=NAME``; ``over=NAME:key=value,…`` takes the rest of the text.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, get_origin, get_type_hints

from denxanh.sim.controller import Controller
from denxanh.sim.errors import InputError
from denxanh.sim.input.limits import PARAMETER, STEPS, as_text
from denxanh.sim.input.text_files import parse_json
from denxanh.sim.text_values import did_you_mean, parse_pairs

GROUP = "denxanh.controllers"
LAYERED = "over"  # the parameter of a layer that names the strategy below it

_ABOVE_ZERO = ("interval", "horizon", "roll", "green", "max_green", "max_1", "shortest", "longest", "headway")
"""Parameters that must be above 0, as the time between decisions and a green."""


def controllers() -> dict[str, EntryPoint]:
    """All installed controllers by name, without importing them."""
    return dict(_installed(tuple(sys.path), entry_points))


@lru_cache(1)
def _installed(path: tuple[str, ...], find: Callable[..., Iterable[EntryPoint]]) -> dict[str, EntryPoint]:
    """Controllers of the packages on ``path``; reading them takes 10 ms, and an experiment asks thousands of times."""
    return {point.name: point for point in sorted(find(group=GROUP), key=lambda p: p.name)}


def parse_controller(text: str) -> tuple[str, dict[str, str]]:
    """Split ``NAME:key=value,key=value``. Raises InputError."""
    name, rest = _name_and_rest(text)
    if not name:
        raise InputError(f"{text!r} names no controller", remedy=did_you_mean(text, controllers()))
    return name, parse_pairs(
        rest,
        location=f"controller {text!r}",
        form="NAME:key=value",
        takes_rest=lambda key, value: (
            key == LAYERED and bool(_name_and_rest(value)[1])
        ),  # of the strategy below
    )


def _name_and_rest(text: str) -> tuple[str, str]:
    """Name and parameters; a name may hold a colon itself (``sumo:actuated``)."""
    own = [name for name in controllers() if ":" in name and (text + ":").startswith(name + ":")]
    name = max(own, key=len, default=text.partition(":")[0])
    return name, text[len(name) + 1 :]


def make_controller(name: str, values: Mapping[str, Any]) -> Controller:
    """Build a controller; text values are read as the field's type. Raises InputError."""
    kind = load(name)
    hints = get_type_hints(kind)
    known = {field.name: field for field in fields(kind) if field.init} if is_dataclass(kind) else {}
    arguments = {}
    for key, value in values.items():
        if key not in known:
            raise InputError(
                f"controller {name!r} has no parameter {key!r}",
                remedy=did_you_mean(key, known) if known else "it has none",
            )
        arguments[key] = _convert(value, hints[key], f"controller {name!r}, parameter {key!r}")
        if kind.__module__.startswith("denxanh.controllers."):
            _check_range(name, key, arguments[key])
    for key, field in known.items():
        if key not in arguments and field.default is MISSING and field.default_factory is MISSING:
            raise InputError(
                f"controller {name!r} needs the parameter {key!r}", remedy=f"write {name}:{key}=…"
            )
    try:
        built: Controller = kind(**arguments)
    except ValueError as error:
        raise InputError(f"controller {name!r}: {error}", remedy="change the value") from None
    return built


def _check_range(name: str, key: str, value: Any) -> None:
    """Raise InputError for a parameter below 0, and for one of _ABOVE_ZERO at 0."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    if not abs(value) <= PARAMETER:  # nan too
        raise InputError(
            f"controller {name!r}: {key} is {as_text(value)}", remedy=f"give a number up to {PARAMETER:g}"
        )
    if isinstance(value, int) and value > STEPS:
        raise InputError(
            f"controller {name!r}: {key} is {value}", remedy=f"give a whole number up to {STEPS}"
        )
    if value < 0 or (value == 0 and key in _ABOVE_ZERO):
        least = "a number above 0" if key in _ABOVE_ZERO else "0 or more"
        raise InputError(f"controller {name!r}: {key} is {value:g}", remedy=f"give {least}")


def load(name: str) -> Any:
    """The class behind a name. Raises InputError for an unknown name or a plug-in that cannot be imported."""
    known = controllers()
    if name not in known:
        raise InputError(f"there is no controller {name!r}", remedy=did_you_mean(name, known))
    try:
        return known[name].load()
    except Exception as error:
        raise InputError(
            f"controller {name!r} cannot be imported ({error})",
            location=known[name].value,
            remedy="mend or remove it",
        ) from error


def _convert(value: Any, kind: Any, location: str) -> Any:
    if not isinstance(value, str) or kind is str or get_origin(kind) is Literal:
        return value
    if kind is bool:
        if value.lower() in ("true", "yes", "1", "false", "no", "0"):
            return value.lower() in ("true", "yes", "1")
        raise InputError(
            f"{value!r} is neither true nor false", location=location, remedy="write true or false"
        )
    try:
        if kind in (int, float):
            number = kind(value)
            if number != number or number in (math.inf, -math.inf):
                raise ValueError
            return number
        return parse_json(value, location=location, kind="value")
    except ValueError:
        wanted = "a whole number" if kind is int else "a number" if kind is float else "a JSON value"
        raise InputError(f"{value!r} is not {wanted}", location=location, remedy=f"give {wanted}") from None
