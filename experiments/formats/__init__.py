"""Formats of signal plans: the existing plan as data, and plans in the files of other programs (docs/formats.md)."""

__all__ = [
    "degrees",
    "detections",
    "event_files",
    "event_log",
    "existing_plan",
    "geojson_layers",
    "phase_chart_csv",
    "plan_analysis",
    "plan_readers",
    "plan_source",
    "plan_writers",
    "signal_groups",
    "stage_times",
    "table_text",
    "utdf",
]
