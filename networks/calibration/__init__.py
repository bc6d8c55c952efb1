"""Measurements with SUMO alone: saturation flow, the stop line, the peak hour of a place."""

__all__ = [
    "equivalents",
    "peak_hour",
    "peak_hour_report",
    "saturation_flow",
    "saturation_report",
    "stop_line",
    "stop_line_picture",
    "stop_line_report",
    "type_fitting",
]
