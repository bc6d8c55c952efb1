"""The definition of an experiment: experiment.toml, and the runs that it expands to."""

__all__ = [
    "design",
    "expand",
    "experiment_file",
    "resample",
    "scaffold",
]
