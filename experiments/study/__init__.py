"""A retiming study in one command: counts, plans, days, and one folder to decide on (docs/how-to/study.md)."""

__all__ = [
    "counted_place",
    "place_check",
    "study",
    "study_clock",
    "study_days",
    "study_folder",
    "study_options",
    "study_plans",
    "study_state",
]
