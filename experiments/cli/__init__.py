"""The command line: its commands, their arguments, what they print."""

__all__ = [
    "app",
    "arguments",
    "check_text",
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
    "tuning_printing",
]
