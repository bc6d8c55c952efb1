"""Values that users write as text: names with a suggestion for a mistyped one, ``key=value`` lists, times."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from denxanh.sim.errors import InputError

TRUE = frozenset("1 yes true on x t".split())
FALSE = frozenset("0 no false off - f".split())
"""SUMO's spellings of a Boolean, in lower case."""

SHOWN = 30  # known names that a remedy lists; of more, as the edges of a network, …
FIRST = 5  # … it lists so many


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that resembles ``name`` most, whatever the case; None where none resembles it."""
    by_letters = {other.lower(): other for other in known}
    found = difflib.get_close_matches(name.lower(), list(by_letters), n=1, cutoff=0.6)
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
    included. ``form`` is the remedy's example. Raises InputError for a part without a key or "=",
    and for a key that comes twice.

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
        if key in values:
            raise InputError(f"{key!r} is given twice", location=location, remedy="give each key once")
        if part:
            values[key] = value
        text = rest
    return values


_UNITS = {"d": 86400.0, "h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0}
_SECONDS = re.compile(r"(\d{1,12}(\.\d{0,9})?|\.\d{1,9})\s*s?", re.ASCII)
_PART = re.compile(r"(\d{1,12}(?:\.\d{1,9})?)\s*(d|h|min|m|s)\s*", re.ASCII)
_CLOCK = re.compile(
    r"(?:(\d{1,3}):(?=\d{1,2}:\d\d:))?(\d{1,2}):([0-5]\d)(?::([0-5]\d(?:\.\d{1,3})?))?", re.ASCII
)


@dataclass(frozen=True)
class Moment:
    """A time of a run: s of the scenario's clock, or after its begin."""

    seconds: float
    after_begin: bool = False

    def at(self, begin: float) -> float:
        """The time on the clock of a scenario that begins at ``begin``, s."""
        return begin + self.seconds if self.after_begin else self.seconds


def read_moment(text: str, option: str) -> Moment:
    """A time written as seconds, a time of day (07:30, 07:30:15, 1:07:30:00 with a day), or after the begin (+30min).

    ``option`` is where it was written. Raises InputError.

    >>> read_moment("07:30", "--end").seconds, read_moment("+30min", "--end").at(600)
    (27000.0, 2400.0)
    """
    written = text.strip()
    if written.startswith("+") and (length := _duration(written[1:].strip())) is not None:
        return Moment(length, after_begin=True)
    clock = _CLOCK.fullmatch(written)
    if clock is not None:
        days, hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return Moment(days * 86400 + hours * 3600 + minutes * 60 + seconds)
    sign, digits = (-1.0, written[1:]) if written.startswith("-") else (1.0, written)
    if _SECONDS.fullmatch(digits):
        return Moment(sign * float(digits.rstrip("s")))
    raise InputError(
        f"{_short(text)} is not a time", location=option, remedy="write seconds, 07:30, +30min or +1800"
    )


def read_duration(text: str | float, option: str, *, minimum: float = 0.0) -> float:
    """A duration in s, written as a number of seconds or with units (600, 10min, 1h30min). Raises InputError.

    >>> read_duration("1h30min", "--warm-up")
    5400.0
    """
    found = _duration(text.strip()) if isinstance(text, str) else float(text)
    if found is None or not math.isfinite(found):
        raise InputError(
            f"{_short(text)} is not a duration", location=option, remedy="write seconds, 10min or 1h30min"
        )
    if found < minimum:
        raise InputError(f"{found:g} s is too short", location=option, remedy=f"give at least {minimum:g} s")
    return found


def _duration(text: str) -> float | None:
    """Seconds of a duration, None where it is none."""
    if _SECONDS.fullmatch(text):
        return float(text.rstrip("s"))
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"
