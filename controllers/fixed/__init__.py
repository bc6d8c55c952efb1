"""Fixed-time strategies: plans computed in advance and followed by the clock."""

__all__ = [
    "conventional",
    "fixed_time",
    "green_wave",
    "time_of_day",
    "webster",
]
