"""Evaluation of candidates in SUMO: the evaluator, its measures, racing."""

__all__ = [
    "evaluated",
    "evaluator",
    "measures",
    "race",
]
