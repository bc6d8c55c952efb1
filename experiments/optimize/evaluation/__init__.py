"""Evaluation of candidates in SUMO: the evaluator, its measures, racing."""

__all__ = [
    "evaluator",
    "measures",
    "race",
]
