"""SUMO files of a place: plain XML, netconvert, signal programs, the cache of built places."""

__all__ = [
    "building",
    "cache",
    "generators",
    "on_foot",
    "place_folder",
    "plain_xml",
    "signal_programs",
    "switching_times",
]
