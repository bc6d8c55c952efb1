"""Traffic counts: the form to fill in, and a demand that reproduces the counts."""

__all__ = [
    "count_form",
    "count_workbook",
    "counted_demand",
]
