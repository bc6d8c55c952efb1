"""The examples of the docstrings run: a module that has ``>>>`` is imported, and each example gives what is printed."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("denxanh", "sim", "controllers", "networks", "experiments")


def modules_with_examples() -> list[str]:
    """Names of the modules whose source has an example."""
    found = []
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        if ">>> " in path.read_text("utf-8"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            inside = parts[:-1] if parts[-1] == "__init__" else parts
            found.append(".".join(inside if inside[0] == "denxanh" else ("denxanh", *inside)))
    return found


MODULES = modules_with_examples()


def test_there_are_examples() -> None:
    assert "denxanh.sim.text_values" in MODULES


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
