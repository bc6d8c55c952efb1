"""Controllers by name: ours and those of other packages (entry point group ``denxanh.controllers``).

A controller is named ``NAME`` or ``NAME:key=value,…``; keys are the fields of its dataclass. A layer takes
the name of the strategy below it as ``over=NAME``; ``over=NAME:key=value,…`` takes the rest of the text.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, get_origin, get_type_hints

from sim.errors import InputError
from sim.protocol import Controller

GROUP = "denxanh.controllers"
LAYERED = "over"  # the parameter of a layer that names the strategy below it

_ABOVE_ZERO = ("interval", "horizon", "roll", "green", "max_green", "max_1", "shortest", "longest", "headway")
"""Parameters of which 0 is no value: a decision every 0 s, a green of 0 s."""


def controllers() -> dict[str, EntryPoint]:
    """All installed controllers by name; nothing of them is imported."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda p: p.name)}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for a mistyped name."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"


def parse_controller(text: str) -> tuple[str, dict[str, str]]:
    """Split ``NAME:key=value,key=value``. Raises InputError."""
    name, rest = _name_and_rest(text)
    if not name:
        raise InputError(f"{text!r} names no controller", remedy=did_you_mean(text, controllers()))
    values = {}
    while rest:
        part, _, rest = rest.partition(",")
        key, equals, value = part.partition("=")
        if not part:
            continue
        if not equals or not key:
            raise InputError(
                f"{part!r} is not key=value", where=f"controller {text!r}", remedy="write NAME:key=value"
            )
        if key.strip() == LAYERED and _name_and_rest(value)[1]:  # what follows belongs to the strategy below
            value, rest = f"{value},{rest}".rstrip(","), ""
        values[key.strip()] = value.strip()
    return name, values


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
        if kind.__module__.startswith("controllers."):
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
    """No parameter of ours means anything below 0, nor some at 0."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
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
            where=known[name].value,
            remedy="mend or remove it",
        ) from error


def _convert(value: Any, kind: Any, where: str) -> Any:
    if not isinstance(value, str) or kind is str or get_origin(kind) is Literal:
        return value
    if kind is bool:
        if value.lower() in ("true", "yes", "1", "false", "no", "0"):
            return value.lower() in ("true", "yes", "1")
        raise InputError(f"{value!r} is neither true nor false", where=where, remedy="write true or false")
    try:
        if kind in (int, float):
            number = kind(value)
            if number != number or number in (float("inf"), float("-inf")):
                raise ValueError
            return number
        return json.loads(value)
    except ValueError:
        wanted = "a whole number" if kind is int else "a number" if kind is float else "a JSON value"
        raise InputError(f"{value!r} is not {wanted}", where=where, remedy=f"give {wanted}") from None
