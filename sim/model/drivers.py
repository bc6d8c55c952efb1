"""Drivers of the queue model: how each differs from the mean in speed, in the use of a yellow, in where it starts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.demand.demand import Demand

NERVE = 0.6  # s: in SUMO the share of cycles in which one more vehicle passes rises from 45 to 92 % within 1 s of green


def draw_drivers(demand: Demand, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Speed factor of each driver (truncated normal), and the part of the first road left to drive."""
    rng = np.random.default_rng(seed)
    mean, dev, low, high = (
        np.array([getattr(t, name) for t in demand.types])[demand.type]
        for name in ("speed_factor", "speed_dev", "speed_low", "speed_high")
    )
    factors = np.clip(mean + dev * rng.standard_normal(len(demand)), low, high)
    along = np.where(demand.spread, rng.random(len(demand)), 1.0).astype(np.float32)
    return np.maximum(factors, 0.05), along


def yellow_use(demand: Demand, seed: int) -> NDArray[np.float32]:
    """How much more of a yellow each driver uses than others, s, for types that dawdle at random."""
    rng = np.random.default_rng([seed, 1])
    drawn = np.clip(NERVE * rng.standard_normal(len(demand)), -2 * NERVE, 2 * NERVE)
    dawdling = np.array([t.sigma > 0 for t in demand.types], dtype=np.bool_)[demand.type]
    return np.where(dawdling, drawn, 0.0).astype(np.float32)
