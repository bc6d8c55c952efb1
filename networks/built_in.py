"""Names of built-in places with options: ``ha-noi/pho-hue@07:00``, ``ha-noi/pho-hue@day:sublane:2007``.

``@`` introduces a part of the day: a time (one hour from that time), two times, or a period of the place file. Colons
introduce the fidelity, the year of the mix and ``foot``, people on foot, in any order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from denxanh.networks.place import hours
from denxanh.networks.place.vehicles import Fidelity
from denxanh.sim.errors import InputError
from denxanh.sim.scenario import ASSUMED

NOTE = "the demand is synthetic: no published counts exist for it"
NOTE_OF_IMPORT = "the demand is synthetic: made for a start, nobody has counted it"
NOTE_ON_FOOT = (
    "people on foot are assumed: crossings where the plan has the time to walk, as many people on each"
)
SYNTHETIC_NOTES = (NOTE, NOTE_OF_IMPORT)
"""Notes of a scenario whose demand nobody has counted: of a built-in place, and of one that an import has made."""
FORM = "NAME[@07:00 | @06:00-10:00 | @day][:lane | :sublane][:YEAR][:foot]"

_WHEN = re.compile(r"\d{1,2}:\d{2}(-\d{1,2}:\d{2})?|[a-z]+")


@dataclass(frozen=True, slots=True)
class Choice:
    """A built-in place and the options to build it with."""

    name: str
    fidelity: Fidelity = "lane"
    period: str = "peak"
    hours: tuple[int, int] | None = None  # s since midnight
    year: int | None = None
    on_foot: bool = False

    def build(self) -> Path:
        """Return the path of its ``place.sumocfg``, building it on first use.

        Fidelity ``"lane"`` is fast (PCU-converted motorbikes, step 1 s), ``"sublane"`` has motorbikes side by side
        (lateral resolution 0.35 m, step 0.5 s). The folder of the result also holds ``net.net.xml`` and
        ``demand.rou.xml``; it is a cache and must not be modified.

        Raises:
            InputError: unknown fidelity, period or year, or hours without a plan.
        """
        from denxanh.networks.build import building  # listing the places needs no builder

        return building.build(
            self.name,
            fidelity=self.fidelity,
            period=self.period,
            hours=self.hours,
            year=self.year,
            on_foot=self.on_foot,
        )

    def plan_source(self) -> str:
        """Return where the plans that run come from: ``"assumed"`` if one of them is, else their references."""
        from denxanh.networks.build import building

        place = building.load_place(self.name, period=self.period, hours=self.hours, year=self.year)
        sources = list(dict.fromkeys(switch.plan.source for switch in place.running()))
        return ASSUMED if ASSUMED in sources else "; ".join(sources)


def name_of(text: str) -> str:
    """Return the name of the place without its options."""
    return re.split("[@:]", text, maxsplit=1)[0]


def parse(text: str) -> Choice:
    """Return the place and the options that ``text`` names.

    Raises:
        InputError: an option is not a part of a day, a fidelity or a year.
    """
    name = name_of(text)
    rest = text[len(name) :]
    period, span, fidelity, year, on_foot = "peak", None, None, None, False
    if rest.startswith("@"):
        match = _WHEN.match(rest, 1)
        if match is None:
            raise InputError(f"{rest!r} is not a part of a day", location=name, remedy=f"write {FORM}")
        period, span = _when(match.group(), name)
        rest = rest[match.end() :]
    for part in rest.split(":")[1:] if rest.startswith(":") else [rest] if rest else []:
        if part in ("lane", "sublane") and fidelity is None:
            fidelity = part
        elif re.fullmatch(r"[12]\d{3}", part) and year is None:
            year = int(part)
        elif part == "foot" and not on_foot:
            on_foot = True
        else:
            raise InputError(
                f"{part!r} is neither a fidelity, a year nor foot", location=name, remedy=f"write {FORM}"
            )
    return Choice(name, "sublane" if fidelity == "sublane" else "lane", period, span, year, on_foot)


def _when(text: str, name: str) -> tuple[str, tuple[int, int] | None]:
    """Return the period and the hours; one of the two is the default."""
    if text[0].isalpha():
        return text, None
    first, dash, last = text.partition("-")
    begin = hours.parse_clock(first, name)
    end = hours.parse_clock(last, name) if dash else begin + hours.HOUR
    if not begin < end <= hours.DAY:
        raise InputError(
            f"{text} does not end later on the same day",
            location=name,
            remedy="write 06:00-10:00, at most until 24:00",
        )
    return "peak", (begin, end)
