"""Backends: the World over a running SUMO, by libsumo or TraCI, and the commands that it may be given."""

__all__ = [
    "command_lock",
    "engine",
    "requesters",
    "road_changes",
]
