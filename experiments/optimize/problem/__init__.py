"""The problem: stages, constraints, objective, the space of candidate plans and its neighbourhoods."""

__all__ = [
    "constraints",
    "day_schedule",
    "neighbourhood",
    "objective",
    "plan_programs",
    "scope",
    "space",
    "stages",
    "starts",
]
