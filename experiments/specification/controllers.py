"""Controllers by name, as the command line and experiments use them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from denxanh.controllers.registry import (
    LAYERED,
    controllers,
    load,
    make_controller,
    parse_controller,
)
from denxanh.sim.controller import capabilities

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
    return (inspect.getdoc(load(name)) or "").partition("\n")[0].replace("``", "")


def needs_plan(name: str, given: Mapping[str, Any]) -> bool:
    """Whether a controller's plan is to be computed from the scenario: it declares so, and none is given."""
    return capabilities(make_controller(name, given)).plan_from_scenario and not given.get(PLAN)


def preload() -> None:
    """Import our own controllers, so that runs forked from here need not."""
    for point in controllers().values():
        if point.value.startswith("denxanh.controllers."):
            point.load()
