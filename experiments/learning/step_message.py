"""A Step as a message between processes: two strings of bytes instead of two arrays for each signal.

Pickling an array takes longer than computing most features, and a step of a network has dozens of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from denxanh.experiments.learning.episode import Answered, Step

Message = tuple[
    float, bytes, list[float], bytes, list[int], list[bool], dict[str, str], dict[str, list[Answered]], bool
]


def pack(step: Step) -> Message:
    """The values of a step, by signal in the order of its observations."""
    return (
        step.time,
        np.concatenate(list(step.observations.values())).tobytes(),
        list(step.rewards.values()),
        np.concatenate(list(step.permitted.values())).tobytes(),
        list(step.phases.values()),
        list(step.asks.values()),
        step.refused,
        step.given,
        step.over,
    )


def unpack(message: Message, like: Step) -> Step:
    """The step of a message; ``like`` is another of the same episode, which has its signals and their sizes."""
    time, observations, rewards, permitted, phases, asks, refused, given, over = message
    names = list(like.observations)
    return Step(
        time,
        _arrays(observations, like.observations, np.dtype(np.float32)),
        dict(zip(names, rewards, strict=True)),
        _arrays(permitted, like.permitted, np.dtype(np.bool_)),
        dict(zip(names, phases, strict=True)),
        dict(zip(names, asks, strict=True)),
        refused,
        given,
        over,
    )


def _arrays(data: bytes, like: Mapping[str, NDArray[Any]], kind: np.dtype[Any]) -> dict[str, NDArray[Any]]:
    """The arrays that were joined to ``data``, writable, as long as those of ``like``."""
    joined, at, out = np.frombuffer(data, dtype=kind).copy(), 0, {}
    for name, array in like.items():
        out[name] = joined[at : at + len(array)]
        at += len(array)
    return out
