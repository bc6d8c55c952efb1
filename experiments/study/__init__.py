"""A retiming study in one command: counts, plans, days, and one folder to decide on (docs/how-to/study.md)."""

__all__ = [
    "place_check",
    "study",
    "study_clock",
    "study_folder",
    "study_options",
]
