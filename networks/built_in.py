"""How a user names a built-in place: ``ha-noi/pho-hue``, ``ha-noi/pho-hue@07:00``, ``ha-noi/pho-hue@day:sublane:2007``.

After ``@`` stands a part of the day: a time (one hour from then on), two times, or a period of the place's file. After
colons stand the fidelity and the year of the mix, in any order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import networks
from networks import hours
from networks.vehicles import Fidelity
from sim.errors import InputError

NOTE = "the demand is synthetic: no published counts exist for it"
FORM = "NAME[@07:00 | @06:00-10:00 | @day][:lane | :sublane][:YEAR]"

_WHEN = re.compile(r"\d{1,2}:\d{2}(-\d{1,2}:\d{2})?|[a-z]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """One built-in place as it is to be built."""

    name: str
    fidelity: Fidelity = "lane"
    period: str = "peak"
    hours: tuple[int, int] | None = None  # s since midnight
    year: int | None = None

    def build(self) -> Path:
        """Return its ``place.sumocfg``."""
        return networks.build(
            self.name, fidelity=self.fidelity, period=self.period, hours=self.hours, year=self.year
        )


def name_of(text: str) -> str:
    """Return what stands before the choices."""
    return re.split("[@:]", text, maxsplit=1)[0]


def parse(text: str) -> Choice:
    """Return the choice that ``text`` makes; raise InputError when it is none."""
    name = name_of(text)
    rest = text[len(name) :]
    period, span, fidelity, year = "peak", None, None, None
    if rest.startswith("@"):
        match = _WHEN.match(rest, 1)
        if match is None:
            raise InputError(f"{rest!r} is no part of a day", where=name, remedy=f"write {FORM}")
        period, span = _when(match.group(), name)
        rest = rest[match.end() :]
    for part in rest.split(":")[1:] if rest.startswith(":") else [rest] if rest else []:
        if part in ("lane", "sublane") and fidelity is None:
            fidelity = part
        elif re.fullmatch(r"[12]\d{3}", part) and year is None:
            year = int(part)
        else:
            raise InputError(f"{part!r} is no fidelity and no year", where=name, remedy=f"write {FORM}")
    return Choice(name, "sublane" if fidelity == "sublane" else "lane", period, span, year)


def _when(text: str, name: str) -> tuple[str, tuple[int, int] | None]:
    """Return the period and the hours, of which one is the plain default."""
    if text[0].isalpha():
        return text, None
    first, dash, last = text.partition("-")
    begin = hours.clock(first, name)
    end = hours.clock(last, name) if dash else begin + hours.HOUR
    if not begin < end <= hours.DAY:
        raise InputError(
            f"{text} does not end later on the same day",
            where=name,
            remedy="write 06:00-10:00, at most until 24:00",
        )
    return "peak", (begin, end)
