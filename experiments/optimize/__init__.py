"""Optimisation of signal timings: problem, surrogate, evaluation in SUMO, search, and the job that joins them.

``Tuner`` (denxanh.experiments.optimize.search.tuner) is the search loop; docs/optimize.md describes the method.
"""

__all__ = [
    "evaluation",
    "job",
    "problem",
    "search",
    "surrogate",
    "tuning_problem",
]
