"""Predictive control: rollout of the coming minute under many plans, and the modules that it alone uses."""

__all__ = [
    "arrivals",
    "coming",
    "downstream",
    "one_road",
    "plan_search",
    "predictive",
    "reasons",
    "releases",
    "rollout",
    "turning",
]
