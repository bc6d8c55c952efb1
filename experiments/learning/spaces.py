"""Spaces of an intersection, and the masks of its actions."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from denxanh.controllers.learned.features import size_of
from denxanh.experiments.learning.environment_options import EnvironmentOptions
from denxanh.sim.network import Bools, Intersection

Mask = NDArray[np.int8]


def observation_space(options: EnvironmentOptions, intersection: Intersection) -> spaces.Box:
    """A vector of the chosen features, float32, with the bounds of each."""
    low, high = [], []
    for feature in options.features:
        size = feature.size(intersection)
        low.append(np.full(size, feature.low, dtype=np.float32))
        high.append(np.full(size, feature.high, dtype=np.float32))
    shape = (size_of(options.features, intersection),)
    return spaces.Box(np.concatenate(low), np.concatenate(high), shape, dtype=np.float32)


def action_space(options: EnvironmentOptions, intersection: Intersection) -> spaces.Space[Any]:
    """The phases; keep or change; or a phase and an index into the durations."""
    phases = len(intersection.phases)
    if options.action == "phase":
        return spaces.Discrete(phases)
    if options.action == "keep-change":
        return spaces.Discrete(2)
    return spaces.MultiDiscrete([phases, len(options.durations)])


def action_mask(options: EnvironmentOptions, permitted: Bools, phase: int) -> Mask | tuple[Mask, Mask]:
    """1 for each permitted action, in the form that ``action_space.sample(mask)`` takes."""
    if options.action == "phase":
        return permitted.astype(np.int8)
    if options.action == "keep-change":
        return np.array([1, permitted[(phase + 1) % len(permitted)]], dtype=np.int8)
    return permitted.astype(np.int8), np.ones(len(options.durations), dtype=np.int8)
