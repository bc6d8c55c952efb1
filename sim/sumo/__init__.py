"""SUMO: its input and output files, its programs, and the World over libsumo or TraCI."""

__all__ = [
    "conflicts",
    "engine",
    "netfile",
    "network_reader",
    "options",
    "outputs",
    "program",
    "requesters",
    "road_changes",
    "run_input",
    "tripinfo",
    "waut",
    "wheel",
    "xmlfile",
]
