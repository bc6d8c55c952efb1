"""SUMO: its input and output files, its programs, and the World over libsumo or TraCI."""

__all__ = [
    "conflicts",
    "engine",
    "netfile",
    "options",
    "outputs",
    "phase_sequence",
    "program",
    "requesters",
    "road_changes",
    "run_input",
    "trial_load",
    "tripinfo",
    "waut",
    "wheel",
    "xmlfile",
]
