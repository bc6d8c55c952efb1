"""Event logs of controllers in the street: read, and measured signal by signal."""

__all__ = ["log_measures", "log_reader"]
