"""The first screen of a report: what to do, what it gains and is worth, who loses, and what is not known."""

__all__ = [
    "benefit",
    "cautions",
    "conclusions",
    "controller_labels",
    "first_screen",
    "group_changes",
    "names",
    "recommendation",
    "vehicle_types_panel",
]
