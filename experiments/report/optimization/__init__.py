"""The report of an optimisation: before and after, the search, plans, the fidelity of the surrogate."""

__all__ = [
    "baseline_text",
    "before_after",
    "search_charts",
    "tuning_panels",
    "tuning_report",
]
