"""Comparisons of several controllers: Holm, Dunnett, Tukey."""

__all__ = [
    "dunnett",
    "families",
    "holm",
    "tukey",
]
