"""Layers over any other strategy: priority for emergencies and buses, police override."""

__all__ = [
    "layer",
    "police",
    "priority",
]
