"""Drawings as SVG: charts' elements and colours, maps, time-space and stage diagrams."""

__all__ = [
    "colour",
    "green_bands",
    "maps",
    "stage_diagram",
    "svg",
    "time_space",
]
