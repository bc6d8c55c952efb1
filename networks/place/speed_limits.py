"""Legal speed limits of Vietnam in built-up areas, for streets without a limit of their own."""

from __future__ import annotations

KMH = 1 / 3.6  # m/s


def speed_limit(*, lanes: int, oneway: bool, divided: bool) -> float:
    """Return the limit in m/s of a street in a built-up area, Circular 31/2019/TT-BGTVT, article 6.

    60 km/h on dual carriageways and on one-way streets of two or more lanes, else 50 km/h. Circular
    38/2024/TT-BGTVT, in force since 2025, was not consulted; its figures for these streets are assumed to
    be the same.
    """
    return 60 * KMH if divided or (oneway and lanes >= 2) else 50 * KMH
