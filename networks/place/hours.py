"""Course of a day in a city: traffic volume, vehicle mix and truck bans by time of day; times as text."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from denxanh.networks.place import vehicles
from denxanh.sim.errors import InputError

HOUR = 3600
DAY = 24 * HOUR
Intervals = tuple[tuple[int, int], ...]  # (from, until) in s since midnight, from < until

_SPAN = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)")


@dataclass(frozen=True, slots=True)
class City:
    """Traffic of one city over the day (data/cities.toml)."""

    name: str
    profile: tuple[float, ...]  # traffic of each hour relative to the busiest one, shape (24,)
    peak: Intervals
    night: Intervals
    truck_ban: Intervals

    def cuts(self) -> tuple[int, ...]:
        """Return the seconds since midnight at which the volume or the mix of traffic changes."""
        ends = {t for span in (*self.peak, *self.night, *self.truck_ban) for t in span}
        return tuple(sorted(ends | set(range(0, DAY + 1, HOUR))))

    def part(self, second: float) -> str:
        """Return the part of the day, ``"peak"``, ``"night"`` or ``"day"``: the last word of the name of a mix."""
        if inside(self.peak, second):
            return "peak"
        return "night" if inside(self.night, second) else "day"

    def mix(self, year: int, second: float) -> dict[str, float]:
        """Return the shares by vehicle type at a time of day; no trucks in the hours of a ban."""
        shares = vehicles.mix(f"{self.name}-{year}-{self.part(second)}")
        if inside(self.truck_ban, second):
            shares = {id: share for id, share in shares.items() if id != "truck"}
        total = sum(shares.values())
        return {id: share / total for id, share in shares.items()}


@cache
def city(name: str) -> City:
    """Return the course of a day in a city by name, ``"ha-noi"`` or ``"tp-hcm"``.

    Raises:
        InputError: the city is unknown.
    """
    text = (files("denxanh.networks") / "data" / "cities.toml").read_text(encoding="utf-8")
    known = tomllib.loads(text)
    if name not in known:
        raise InputError(f"there is no city {name!r}", remedy=f"choose from {', '.join(known)}")
    entry = known[name]
    location = f"cities.toml: {name}"
    busiest = max(entry["profile"])
    return City(
        name=name,
        profile=tuple(share / busiest for share in entry["profile"]),
        **{key: intervals(entry[key], f"{location}.{key}") for key in ("peak", "night", "truck_ban")},
    )


def intervals(text: str, location: str) -> Intervals:
    """Return the intervals of ``"06:30-09:00 and 16:00-19:00"``; one that crosses midnight becomes two."""
    found: list[tuple[int, int]] = []
    for part in text.split(" and "):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise InputError(
                f"'{part}' is not a span of hours", location=location, remedy="write 06:30-09:00"
            )
        begin, end = (parse_clock(f"{h}:{m}", location) for h, m in (match.group(1, 2), match.group(3, 4)))
        if begin == end:
            raise InputError(
                f"'{part}' is empty", location=location, remedy="write 00:00-24:00 for a whole day"
            )
        found += [(begin, end)] if begin < end else [(begin, DAY), *([(0, end)] if end else [])]
    return tuple(found)


def parse_clock(text: str, location: str) -> int:
    """Return the seconds since midnight of ``"7:30"``; 24:00 is the end of the day."""
    hour, _, minute = text.partition(":")
    if not re.fullmatch("[0-9]{1,2}:[0-5][0-9]", text):
        raise InputError(f"'{text}' is not a time of day", location=location, remedy="write 07:30")
    seconds = int(hour) * HOUR + int(minute) * 60
    if seconds > DAY:
        raise InputError(f"'{text}' is after midnight", location=location, remedy="write at most 24:00")
    return seconds


def time_text(second: float) -> str:
    """Return a time of day as ``07:30``."""
    return f"{int(second) // HOUR:02}:{int(second) % HOUR // 60:02}"


def inside(spans: Intervals, second: float) -> bool:
    """Return whether a time of day lies in one of the intervals."""
    return any(begin <= second < end for begin, end in spans)
