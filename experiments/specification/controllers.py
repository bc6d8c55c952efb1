"""Controllers by name, as the command line and experiments use them."""

from __future__ import annotations

import ast
import inspect
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from denxanh.controllers.registry import (
    LAYERED,
    controllers,
    load,
    make_controller,
    parse_controller,
)
from denxanh.sim.controller import capabilities

_PARSING = threading.Lock()
"""``ast.parse`` fails in several threads at once: CPython issue 106905, in 3.11 and 3.12."""

PLAN = "plan"
"""The parameter that names the file of a controller's plan."""

__all__ = [
    "LAYERED",
    "PLAN",
    "controllers",
    "describe",
    "load",
    "make_controller",
    "needs_plan",
    "parse_controller",
    "preload",
]


def describe(name: str) -> str:
    """The first line of a controller's docstring, without the marks of code."""
    point = controllers().get(name)
    text = _docstring_in_source(point.module, point.attr) if point is not None else None
    if text is None:
        text = inspect.getdoc(load(name)) or ""
    return text.partition("\n")[0].replace("``", "")


def _docstring_in_source(module: str, kind: str) -> str | None:
    """The docstring of one of our classes from its file, since importing all strategies takes a second.

    None where the class is not ours or there is no file.
    """
    if not module.startswith("denxanh.controllers."):
        return None
    found = find_spec(module)
    if found is None or found.origin is None or not Path(found.origin).is_file():
        return None
    with _PARSING:
        tree = ast.parse(Path(found.origin).read_bytes())
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == kind:
            return ast.get_docstring(node)
    return None


def needs_plan(name: str, given: Mapping[str, Any]) -> bool:
    """Whether a controller's plan is to be computed from the scenario: it declares so, and none is given."""
    return capabilities(make_controller(name, given)).plan_from_scenario and not given.get(PLAN)


def preload() -> None:
    """Import our own controllers and what they import when they are used, so that runs forked from here need not."""
    for point in controllers().values():
        if point.value.startswith("denxanh.controllers."):
            point.load()
    import scipy.optimize  # noqa: F401  # in denxanh.sim.timing
