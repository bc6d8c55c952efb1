"""Safe signal states: changes between greens, clearance, the conflict monitor, rules, pedestrian calls."""

__all__ = [
    "added_phases",
    "change",
    "clearance",
    "fixed_time",
    "legal_answers",
    "monitor",
    "operation",
    "pedestrian_calls",
    "permits",
    "plan_check",
    "planned_network",
    "rules",
    "waivers",
]
