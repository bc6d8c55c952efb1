"""What somebody may have meant who wrote a name that is not there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

SHOWN = 5  # names told where none is near: a network may have thousands


def is_near(name: str, known: Iterable[str]) -> bool:
    """Whether some known name looks like this one."""
    return bool(_closest(name, known))


def near(name: str, known: Iterable[str]) -> str:
    """A remedy: the nearest known name, or a few that there are."""
    names = sorted(known)
    closest = _closest(name, names)
    if closest:
        return f"did you mean {closest[0]!r}?"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"there are {', '.join(names[:SHOWN])}{more}"


def _closest(name: str, known: Iterable[str]) -> list[str]:
    by_letters = {other.lower(): other for other in known}
    return [by_letters[c] for c in difflib.get_close_matches(name.lower(), list(by_letters), n=1, cutoff=0.5)]
