"""Adaptive strategies: cycle, splits and offsets or a short horizon follow the measured traffic."""

__all__ = [
    "rolling_horizon",
    "scats_like",
    "scoot_like",
    "stepping",
]
