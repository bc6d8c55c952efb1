"""Measurements with SUMO alone: saturation flow of vehicle types, the peak hour of a place."""

__all__ = [
    "equivalents",
    "peak_hour",
    "peak_hour_report",
    "saturation_flow",
    "saturation_report",
    "type_fitting",
]
