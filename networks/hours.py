"""The hours of a day in a city: how much traffic there is, of what kind, and whether trucks may drive."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from networks import vehicles
from sim.errors import InputError

HOUR = 3600
DAY = 24 * HOUR
Intervals = tuple[tuple[int, int], ...]  # (from, until) in s since midnight, from < until

_SPAN = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)")


@dataclass(frozen=True, slots=True)
class City:
    """The course of a day in one city (data/cities.toml)."""

    name: str
    profile: tuple[float, ...]  # traffic of each hour relative to the busiest one, shape (24,)
    peak: Intervals
    night: Intervals
    truck_ban: Intervals

    def cuts(self) -> tuple[int, ...]:
        """Return the seconds since midnight at which the amount or the kind of traffic changes."""
        ends = {t for span in (*self.peak, *self.night, *self.truck_ban) for t in span}
        return tuple(sorted(ends | set(range(0, DAY + 1, HOUR))))

    def part(self, second: float) -> str:
        """Return the part of the day, as the names of mixes end: ``"peak"``, ``"night"`` or ``"day"``."""
        if inside(self.peak, second):
            return "peak"
        return "night" if inside(self.night, second) else "day"

    def mix(self, year: int, second: float) -> dict[str, float]:
        """Return the shares by vehicle type at a time of day, without trucks in the hours of their ban."""
        shares = vehicles.mix(f"{self.name}-{year}-{self.part(second)}")
        if inside(self.truck_ban, second):
            shares = {id: share for id, share in shares.items() if id != "truck"}
        total = sum(shares.values())
        return {id: share / total for id, share in shares.items()}


@cache
def city(name: str) -> City:
    """Return a city's day by the city's name, ``"ha-noi"`` or ``"tp-hcm"``."""
    text = (files("networks") / "data" / "cities.toml").read_text(encoding="utf-8")
    known = tomllib.loads(text)
    if name not in known:
        raise InputError(f"the day of {name!r} is not known", remedy=f"choose from {', '.join(known)}")
    entry = known[name]
    where = f"cities.toml: {name}"
    busiest = max(entry["profile"])
    return City(
        name=name,
        profile=tuple(share / busiest for share in entry["profile"]),
        **{key: intervals(entry[key], f"{where}.{key}") for key in ("peak", "night", "truck_ban")},
    )


def intervals(text: str, where: str) -> Intervals:
    """Return the intervals of ``"06:30-09:00 and 16:00-19:00"``; one that passes midnight becomes two."""
    found: list[tuple[int, int]] = []
    for part in text.split(" and "):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise InputError(f"'{part}' is no span of hours", where=where, remedy="write 06:30-09:00")
        begin, end = (clock(f"{h}:{m}", where) for h, m in (match.group(1, 2), match.group(3, 4)))
        if begin == end:
            raise InputError(f"'{part}' is empty", where=where, remedy="write 00:00-24:00 for a whole day")
        found += [(begin, end)] if begin < end else [(begin, DAY), *([(0, end)] if end else [])]
    return tuple(found)


def clock(text: str, where: str) -> int:
    """Return the seconds since midnight of ``"7:30"``; 24:00 is the end of the day."""
    hour, colon, minute = text.partition(":")
    if not (colon and hour.isdecimal() and len(minute) == 2 and minute.isdecimal() and int(minute) < 60):
        raise InputError(f"'{text}' is no time of day", where=where, remedy="write 07:30")
    seconds = int(hour) * HOUR + int(minute) * 60
    if seconds > DAY:
        raise InputError(f"'{text}' is after midnight", where=where, remedy="write at most 24:00")
    return seconds


def inside(spans: Intervals, second: float) -> bool:
    """Return whether a time of day lies in one of the intervals."""
    return any(begin <= second < end for begin, end in spans)
