"""Results of an experiment: tables of the runs, summaries, tables, SQL, export, verification."""

__all__ = [
    "export",
    "load",
    "measured_window",
    "moved_inputs",
    "outputs",
    "pivot",
    "query",
    "run_scenarios",
    "run_tables",
    "statistics_file",
    "summary",
    "summary_row",
    "verify",
]
