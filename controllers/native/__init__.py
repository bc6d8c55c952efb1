"""Signals that SUMO runs itself: the network's own program, and SUMO's actuated, delay-based and NEMA logic."""

__all__ = [
    "program",
    "sumo_logic",
    "sumo_program",
]
