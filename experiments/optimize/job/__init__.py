"""One optimisation from options to result: search, validation on held-out seeds and days, plan files."""

__all__ = [
    "conventional",
    "optimization",
    "plan_files",
    "progress_listener",
    "tuning_options",
    "tuning_result",
    "validation",
]
