"""The rules of a run as text: ``min_green=7,yellow=ite`` (fields of sim.rules.Rules)."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from experiments.catalog import did_you_mean
from sim.errors import InputError
from sim.rules import Rules


def parse_rules(text: str) -> dict[str, Any]:
    """The rules that a text sets. Raises InputError."""
    known = [field.name for field in fields(Rules)]
    values: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise InputError(f"{part!r} is not key=value", where="--safety", remedy="write min_green=7")
        if key not in known:
            raise InputError(f"there is no rule {key!r}", where="--safety", remedy=did_you_mean(key, known))
        values[key] = value if value in ("plan", "ite") else _seconds(value, key)
    Rules(**values)
    return values


def _seconds(text: str, key: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise InputError(f"{key} is {text!r}", where="--safety", remedy="give s, or plan or ite for a change")
    return seconds
