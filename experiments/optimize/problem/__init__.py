"""The problem: stages, constraints, objective, candidate plans and their neighbourhoods, plans as SUMO programs."""

__all__ = [
    "actuation",
    "cabinet_limits",
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
