"""Explanations: what a strategy saw at one signal at one time of a stored run, and why it answered as it did."""

__all__ = ["explanation", "explanation_text", "repeated_run"]
