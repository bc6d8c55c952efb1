"""One optimisation from options to result: search, validation on held-out seeds and days, plan files."""

__all__ = [
    "actuated_outcome",
    "conventional",
    "expected_runs",
    "final_plan",
    "optimization",
    "other_fidelity",
    "plan_files",
    "progress_listener",
    "result_file",
    "tuning_job",
    "tuning_options",
    "tuning_result",
    "validation",
]
