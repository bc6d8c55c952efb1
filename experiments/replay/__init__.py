"""Replays: one HTML page that plays one run, or two in step, from recorded trajectories."""

__all__ = [
    "choice",
    "codec",
    "replay_page",
    "scene",
]
