"""Words and numbers in English and Vietnamese: a page holds both and shows one."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

THIN = "\u202f"  # narrow no-break space, groups of three digits as ISO 80000 writes them
_UNITS_VI = {
    "s/veh": "s/xe",
    "s/PCU": "s/xcqđ",
    "s/person": "s/người",
    "1/veh": "lần/xe",
    "veh": "xe",
    "veh/h": "xe/h",
    "1": "lần",
}


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in both languages; ``__html__`` marks them up with ``lang`` so that one can be hidden."""

    en: str
    vi: str

    def __html__(self) -> str:
        if self.en == self.vi:
            return escape(self.en)
        return Markup('<span lang="en">{}</span><span lang="vi">{}</span>').format(self.en, self.vi)

    def __add__(self, other: Text | str) -> Text:
        more = same(other)
        return Text(self.en + more.en, self.vi + more.vi)

    def capitalised(self) -> Text:
        """The same with a capital letter at its beginning."""
        return Text(self.en[:1].upper() + self.en[1:], self.vi[:1].upper() + self.vi[1:])

    def __radd__(self, other: str) -> Text:
        return Text(other + self.en, other + self.vi)


def same(text: Text | str) -> Text:
    """A name or symbol that is the same in both languages."""
    return text if isinstance(text, Text) else Text(text, text)


def joined(parts: Iterable[Text | str], separator: str = " · ") -> Text:
    """Texts one after the other."""
    texts = [same(part) for part in parts]
    return Text(separator.join(t.en for t in texts), separator.join(t.vi for t in texts))


def unit(name: str) -> Text:
    """A unit as both languages write it; empty for a plain number."""
    return Text("" if name == "1" else name, _UNITS_VI.get(name, name))


def decimals(values: Iterable[float | int | None], digits: int = 3) -> int:
    """Decimals that show the largest of ``values`` with ``digits`` digits, so that a row reads alike."""
    finite = [abs(v) for v in values if v is not None and math.isfinite(v)]
    if not finite or all(float(v).is_integer() for v in finite):
        return 0
    largest = max(finite)
    return min(6, max(0, digits - 1 - math.floor(math.log10(largest)))) if largest > 0 else 0


def number(value: float | int | None, places: int, *, signed: bool = False) -> Text:
    """``value`` with ``places`` decimals, a true minus, and a decimal comma in Vietnamese; "–" for None."""
    if value is None or not math.isfinite(value):
        return same("–")
    digits = f"{abs(value):.{places}f}"
    whole, _, fraction = digits.partition(".")
    if len(whole) > 4:
        whole = f"{int(whole):,}".replace(",", THIN)
    zero = float(digits) == 0
    sign = "" if zero else "−" if value < 0 else "+" if signed else ""
    if not fraction:
        return same(sign + whole)
    return Text(f"{sign}{whole}.{fraction}", f"{sign}{whole},{fraction}")


def clock(seconds: float) -> str:
    """Simulation time as hours and minutes: 25200 s is 7:00."""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


Clock = Literal["day", "start", "simulation"]
"""What the seconds of a simulation count from: midnight, its own begin, or something that is not known."""


def clock_kind(begin: float, end: float) -> Clock:
    """The clock of a simulation from ``begin`` to ``end`` s: SUMO's scenarios of a real hour count from midnight.

    One that begins in the first hour of the day, and is no whole day, says nothing of the hour.

    >>> clock_kind(25200, 28800), clock_kind(0, 3600), clock_kind(0, 86400)
    ('day', 'start', 'day')
    """
    if begin >= 3600 or end - begin >= 20 * 3600:
        return "day"
    return "start" if begin == 0 else "simulation"


CLOCK_TITLES: dict[Clock, Text] = {
    "day": Text("time of day, h:min", "giờ trong ngày, giờ:phút"),
    "start": Text("time from the start, h:min", "thời gian từ lúc bắt đầu, giờ:phút"),
    "simulation": Text("time in the simulation, h:min", "thời gian mô phỏng, giờ:phút"),
}
"""Titles of a time axis."""
