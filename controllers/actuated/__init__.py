"""Vehicle-actuated strategies: detectors extend or end the greens of a fixed sequence or of dual rings."""

__all__ = [
    "actuated",
    "delay_based",
    "dual_ring",
    "nema",
    "ring_pattern",
    "sotl",
    "volume_density",
]
