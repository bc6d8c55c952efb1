"""Values that users write as text: names with a suggestion for a mistyped one, and ``key=value`` lists."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable

from denxanh.sim.errors import InputError

TRUE = frozenset("1 yes true on x t".split())
FALSE = frozenset("0 no false off - f".split())
"""SUMO's spellings of a Boolean, in lower case."""

SHOWN = 30  # known names that a remedy lists; of more, as the edges of a network, …
FIRST = 5  # … it lists so many


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that resembles ``name`` most, whatever the case; None where none resembles it."""
    by_letters = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), list(by_letters), n=1, cutoff=0.5)
    return by_letters[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A remedy for an unknown name: the closest known one, or a list of the known ones.

    >>> did_you_mean("webstre", ["webster", "program"])
    "did you mean 'webster'?"
    """
    names = sorted(known)
    if (near := closest(name, names)) is not None:
        return f"did you mean {near!r}?"
    if len(names) > SHOWN:
        return f"there are: {', '.join(names[:FIRST])} and {len(names) - FIRST} more"
    return f"there are: {', '.join(names)}"


def parse_pairs(
    text: str, *, location: str, form: str, takes_rest: Callable[[str, str], bool] | None = None
) -> dict[str, str]:
    """The pairs of ``key=value,key=value``, stripped of spaces; empty parts are skipped.

    A pair for which ``takes_rest(key, value)`` is true has all of the text that follows it as its value, commas
    included. ``form`` is the remedy's example. Raises InputError for a part without a key or "=".

    >>> parse_pairs("green=7, yellow=ite", location="", form="")
    {'green': '7', 'yellow': 'ite'}
    """
    values: dict[str, str] = {}
    while text:
        part, _, rest = text.partition(",")
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if part and not (equals and key):
            raise InputError(f"{part!r} is not key=value", location=location, remedy=f"write {form}")
        if part and takes_rest is not None and takes_rest(key, value):
            value, rest = f"{value},{rest}".rstrip(",").strip(), ""
        if part:
            values[key] = value
        text = rest
    return values
