"""SUMO: its input and output files, its programs, and the World over libsumo or TraCI."""

__all__ = [
    "backend",
    "conflicts",
    "net_geometry",
    "netfile",
    "options",
    "outputs",
    "passage_loops",
    "phase_sequence",
    "program",
    "run_input",
    "tripinfo",
    "user_files",
    "waut",
    "wheel",
    "xmlfile",
]
