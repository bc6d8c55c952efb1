"""Strategies that compare the phases and show the one with the largest pressure, queue or wave."""

__all__ = [
    "capacity_aware",
    "cyclic_max_pressure",
    "longest_queue",
    "max_pressure",
    "max_wave",
    "position_weighted",
    "switching_loss",
]
