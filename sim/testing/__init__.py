"""Tests for controllers, shipped to users: check_controller, and a world of vertical queues without SUMO."""

__all__ = [
    "check_controller",
    "point_queue",
]
