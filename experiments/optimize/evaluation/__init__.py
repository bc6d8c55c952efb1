"""Evaluation of candidates in SUMO: the evaluator, its measures, racing."""

__all__ = [
    "deadline",
    "evaluated",
    "evaluator",
    "measures",
    "race",
]
