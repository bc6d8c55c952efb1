"""The rules of a run as text: ``min_green=7,yellow=ite`` (fields of denxanh.sim.signals.rules.Rules)."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

from denxanh.sim.errors import InputError
from denxanh.sim.signals.rules import Rules
from denxanh.sim.text_values import did_you_mean, parse_pairs


def parse_rules(text: str) -> dict[str, Any]:
    """The rules that a text sets. Raises InputError."""
    known = [field.name for field in fields(Rules)]
    values: dict[str, Any] = {}
    for key, value in parse_pairs(text, location="--safety", form="min_green=7").items():
        if key not in known:
            raise InputError(
                f"there is no rule {key!r}", location="--safety", remedy=did_you_mean(key, known)
            )
        values[key] = value if value in ("plan", "ite") else _seconds(value, key)
    Rules(**values)
    return values


def _seconds(text: str, key: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds):
        raise InputError(
            f"{key} is {text!r}", location="--safety", remedy="give s, or plan or ite for a change"
        )
    return seconds
