"""Measures of signalised intersections by movement, lane group and approach, from one run (docs/measures.md)."""

__all__ = [
    "movement_table",
    "signal_history",
    "signal_passages",
]
