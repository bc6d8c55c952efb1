"""The benchmark: suites of scenarios under controllers, one table in four formats, and rows measured elsewhere."""

__all__ = ["benchmark", "benchmark_page", "outside_rows", "suite", "table_files"]
