"""Measures of one run by movement, lane group, approach and vehicle type (docs/measures.md)."""

__all__ = [
    "movement_table",
    "plan_measures",
    "signal_history",
    "signal_passages",
    "type_table",
]
