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
    "place_commands",
    "printing",
    "result_commands",
    "run_commands",
    "tuning_printing",
]
