"""The definition of an experiment: experiment.toml, and the runs that it expands to."""

__all__ = [
    "days",
    "design",
    "expand",
    "experiment_file",
    "resample",
    "scaffold",
]
