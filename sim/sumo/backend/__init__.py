"""Backends: the World over a running SUMO, by libsumo or TraCI, and the commands that it may be given."""

__all__ = [
    "command_lock",
    "engine",
    "last_words",
    "libsumo_backend",
    "readings",
    "requesters",
    "road_changes",
    "sumo_world",
    "traci_backend",
]
