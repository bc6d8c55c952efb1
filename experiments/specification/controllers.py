"""Controllers by name, as the command line and experiments use them."""

from __future__ import annotations

import inspect

from denxanh.controllers.registry import (
    LAYERED,
    controllers,
    load,
    make_controller,
    parse_controller,
)

__all__ = [
    "LAYERED",
    "controllers",
    "describe",
    "load",
    "make_controller",
    "parse_controller",
    "preload",
]


def describe(name: str) -> str:
    """The first line of a controller's module, without importing it where that is possible."""
    return (inspect.getdoc(load(name)) or "").partition("\n")[0]


def preload() -> None:
    """Import our own controllers, so that runs forked from here need not."""
    for point in controllers().values():
        if point.value.startswith("denxanh.controllers."):
            point.load()
