"""Results of an experiment: tables of the runs, summaries, tables, SQL, export, verification."""

__all__ = [
    "export",
    "load",
    "pivot",
    "query",
    "run_tables",
    "statistics_file",
    "summary",
    "summary_row",
    "verify",
]
