"""GMNS: signal tables written from plans, and read into them, rings and barriers included."""

__all__ = ["gmns_rings", "gmns_tables"]
