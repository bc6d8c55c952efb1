"""Results of an experiment: tables of the runs, summaries, tables, SQL, export, verification."""

__all__ = [
    "export",
    "gains",
    "load",
    "measured_window",
    "moved_inputs",
    "outputs",
    "pivot",
    "query",
    "references",
    "run_scenarios",
    "run_tables",
    "statistics_file",
    "summary",
    "summary_row",
    "vehicle_types",
    "verify",
]
