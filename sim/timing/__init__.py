"""Textbook formulae of signal timing: Webster, MAXBAND, saturation flow, critical flow ratios, arterials."""

__all__ = [
    "arterials",
    "critical_flow",
    "maxband",
    "saturation",
    "webster",
]
