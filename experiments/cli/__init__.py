"""The command line: its commands, their arguments, what they print."""

__all__ = [
    "app",
    "arguments",
    "counts_command",
    "experiment_commands",
    "import_commands",
    "optimize_command",
    "option_groups",
    "picture_commands",
    "place_commands",
    "plan_commands",
    "printing",
    "result_commands",
    "run_commands",
    "streams",
    "study_command",
    "tuning_printing",
]
