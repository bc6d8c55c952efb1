"""The specification of a run as data: controller, sensing, events and rules as a user writes them; its identity."""

__all__ = [
    "controllers",
    "events",
    "identity",
    "object_state",
    "objects",
    "run_options",
    "run_specification",
    "safety_rules",
    "sensings",
    "sources",
]
