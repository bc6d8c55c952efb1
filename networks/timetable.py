"""When which plan of a place file runs, and what traffic there is then."""

from __future__ import annotations

from itertools import pairwise

from networks import hours as clock
from networks import vehicles
from networks.place import Demand, Slot
from networks.schema import PlaceFile
from sim.errors import InputError

Span = tuple[int, int]  # s since midnight


def plans(file: PlaceFile, span: Span | None, where: str) -> tuple[tuple[float, str], ...]:
    """Return from when on (s) which plan runs within ``span``; nothing without one.

    Raises InputError where no plan, or more than one, has a time of the span among its ``hours``.
    """
    if span is None:
        return ()
    known = {
        name: clock.intervals(plan.hours, f"{where}: plans.{name}.hours")
        for name, plan in file.plans.items()
        if plan.hours
    }
    ends = {t for spans in known.values() for interval in spans for t in interval}
    found: list[tuple[float, str]] = []
    for at in sorted({span[0], *(t for t in ends if span[0] < t < span[1])}):
        now = [name for name, spans in known.items() if clock.inside(spans, at)]
        if len(now) != 1:
            raise InputError(
                f"{'no plan runs' if not now else ' and '.join(now) + ' both run'} at {_text(at)}",
                where=where,
                remedy="give every time of the day one plan by its 'hours'",
            )
        if not found or found[-1][1] != now[0]:
            found.append((at, now[0]))
    return tuple(found)


def demand(file: PlaceFile, period: str, span: Span | None, year: int | None, where: str) -> Demand:
    """Return the demand of a period of the file, or of a span of hours that follows from it."""
    given = file.demand[period]
    if span is None:
        name = given.mix if year is None else _of_year(given.mix, year)
        slots = _by_profile(given.profile, given.duration, vehicles.mix(name))
    else:
        name, slots = _by_hour(file.name, span, _year_of(given.mix) if year is None else year)
    return Demand(period, given.saturation, name, slots, given.seed)


def _by_profile(profile: tuple[float, ...], duration: int, mix: dict[str, float]) -> tuple[Slot, ...]:
    """Return equal parts of a duration that begins at 0 s."""
    mean = sum(profile) / len(profile)
    part = duration / len(profile)
    return tuple(Slot(i * part, (i + 1) * part, f / mean, mix) for i, f in enumerate(profile))


def _by_hour(place: str, span: Span, year: int) -> tuple[str, tuple[Slot, ...]]:
    """Return the name of the mix and the slots between the changes of the city's day."""
    city = clock.city(place.partition("/")[0])
    cuts = sorted({*span, *(t for t in city.cuts() if span[0] < t < span[1])})
    slots = tuple(
        Slot(float(a), float(b), city.profile[a // clock.HOUR], city.mix(year, a)) for a, b in pairwise(cuts)
    )
    return f"{city.name}-{year} by the hour", slots


def _of_year(mix: str, year: int) -> str:
    """Return the name of the same mix in another year: ``ha-noi-2025-peak`` gives ``ha-noi-2007-peak``."""
    return mix.replace(str(_year_of(mix)), str(year))


def _year_of(mix: str) -> int:
    return int(mix.rsplit("-", 2)[1])


def _text(second: int) -> str:
    return f"{second // clock.HOUR:02}:{second % clock.HOUR // 60:02}"
