"""Search: hill-climbing from several starts, refinement in SUMO, Pareto fronts, plans by time of day."""

__all__ = [
    "actuated_moves",
    "actuated_program",
    "climb",
    "confirmation",
    "day_search",
    "fidelity",
    "front",
    "multistart",
    "outcome",
    "pareto",
    "search_in_sumo",
    "tuner",
]
