"""Description of a place: the place file and its schema, streets, turns, signals, hours and vehicle types."""

__all__ = [
    "buses",
    "geometry",
    "hours",
    "lanes",
    "names",
    "place",
    "pockets",
    "reader",
    "schema",
    "selectors",
    "speed_limits",
    "targets",
    "timetable",
    "vehicles",
]
