"""The surrogate: costs predicted by the queue model, corrected by evaluations in SUMO."""

__all__ = [
    "packer",
    "predicted_cost",
    "predicted_measures",
    "residual",
]
