"""Actions of a learner in plain numbers, and the sentences on those that there are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from denxanh.experiments.learning.environment_options import EnvironmentOptions
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.text_values import did_you_mean

Action = Any
"""A phase; 0 (keep) or 1 (change to the next phase); or a phase and an index into durations."""


def read_actions(
    options: EnvironmentOptions, network: Network, actions: Mapping[str, Action]
) -> dict[str, Action]:
    """Actions by intersection id as int, or a pair of int; those that are None are left out.

    Raises InputError for a signal that the learner does not control, and for what is not a whole number. A number that
    is no action is for the episode to refuse (``no_actions``).
    """
    plain: dict[str, Action] = {}
    for name, action in actions.items():
        if name not in options.signals:
            raise InputError(
                f"there is no agent {name!r}",
                location=network.name,
                remedy=did_you_mean(str(name), options.signals),
            )
        if action is not None:
            plain[name] = _pair(name, action) if options.action == "phase-duration" else _whole(name, action)
    return plain


def _whole(name: str, action: object) -> int:
    value = action
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.item()
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole and not (isinstance(value, float | np.floating) and float(value).is_integer()):
        raise InputError(f"invalid action for {name}: {action!r}", remedy="give a whole number")
    return int(value)  # type: ignore[call-overload, no-any-return]


def _pair(name: str, action: Any) -> tuple[int, int]:
    if isinstance(action, str) or not hasattr(action, "__len__") or len(action) != 2:
        raise InputError(
            f"invalid action for {name}: {action!r}", remedy="give a phase and an index into durations"
        )
    return _whole(name, action[0]), _whole(name, action[1])


def no_actions(
    options: EnvironmentOptions, network: Network, actions: Mapping[str, Action]
) -> dict[str, str]:
    """By intersection id why a plain action is none of the signal, whether or not the signal asks now."""
    faults = {
        name: _no_action(options, len(network.intersections[name].phases), action)
        for name, action in actions.items()
    }
    return {name: fault for name, fault in faults.items() if fault}


def _no_action(options: EnvironmentOptions, phases: int, action: Action) -> str:
    """Why a plain action is none of a signal with so many phases; "" where it is one."""
    if options.action == "keep-change":
        return (
            ""
            if action in (0, 1)
            else f"there is no action {action}; 0 keeps the phase, 1 changes to the next"
        )
    phase, duration = action if options.action == "phase-duration" else (action, 0)
    if not 0 <= phase < phases:
        return f"there is no phase {phase}; the signal has 0…{phases - 1}"
    if not 0 <= duration < len(options.durations):
        return f"there is no duration {duration}; durations has 0…{len(options.durations) - 1}"
    return ""
