"""Comparisons of several controllers: Holm, Dunnett, Tukey, and the best subset."""

__all__ = [
    "best_subset",
    "dunnett",
    "families",
    "holm",
    "tukey",
]
