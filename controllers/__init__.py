"""Strategies: one file each, the paper in the margin."""
