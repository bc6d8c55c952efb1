"""Plans and demand of a place file by time of day."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from denxanh.networks.place import hours, vehicles
from denxanh.networks.place.place import Demand, Slot
from denxanh.networks.place.schema import PlaceFile
from denxanh.sim.errors import InputError

Span = tuple[int, int]  # s since midnight


def plans(file: PlaceFile, span: Span | None, location: str) -> tuple[tuple[float, str], ...]:
    """Return the start (s) and the name of each plan that runs within ``span``; empty without a span.

    Raises:
        InputError: at some time of the span no plan, or more than one, runs according to its ``hours``.
    """
    if span is None:
        return ()
    known = {
        name: hours.intervals(plan.hours, f"{location}: plans.{name}.hours")
        for name, plan in file.plans.items()
        if plan.hours
    }
    ends = {t for spans in known.values() for interval in spans for t in interval}
    found: list[tuple[float, str]] = []
    for at in sorted({span[0], *(t for t in ends if span[0] < t < span[1])}):
        running = [name for name, spans in known.items() if hours.inside(spans, at)]
        if len(running) != 1:
            raise InputError(
                f"{'no plan runs' if not running else ' and '.join(running) + ' both run'} at {hours.time_text(at)}",
                location=location,
                remedy="give every time of the day one plan by its 'hours'",
            )
        if not found or found[-1][1] != running[0]:
            found.append((at, running[0]))
    return tuple(found)


def demand(
    file: PlaceFile,
    period: str,
    span: Span | None,
    year: int | None,
    saturation: Mapping[str, float],
    location: str,
) -> Demand:
    """Return the demand of a period of the file, or of a span of hours derived from that period.

    ``saturation`` has the target of each signalised approach in that period.
    """
    given = file.demand[period]
    if span is None:
        name = given.mix if year is None else _mix_of_year(given.mix, year)
        slots = _by_profile(given.profile, given.duration, vehicles.mix(name))
    else:
        name, slots = _by_hour(file.name, span, _year_of(given.mix) if year is None else year)
    return Demand(period, saturation, name, slots, given.seed)


def _by_profile(profile: tuple[float, ...], duration: int, mix: dict[str, float]) -> tuple[Slot, ...]:
    """Return slots of equal length over a duration that begins at 0 s."""
    mean = sum(profile) / len(profile)
    part = duration / len(profile)
    return tuple(Slot(i * part, (i + 1) * part, f / mean, mix) for i, f in enumerate(profile))


def _by_hour(place: str, span: Span, year: int) -> tuple[str, tuple[Slot, ...]]:
    """Return the name of the mix and the slots between the times at which the city's traffic changes."""
    city = hours.city(place.partition("/")[0])
    cuts = sorted({*span, *(t for t in city.cuts() if span[0] < t < span[1])})
    slots = tuple(
        Slot(float(a), float(b), city.profile[a // hours.HOUR], city.mix(year, a)) for a, b in pairwise(cuts)
    )
    return f"{city.name}-{year} by the hour", slots


def _mix_of_year(mix: str, year: int) -> str:
    """Return the name of the same mix in another year: ``ha-noi-2025-peak`` gives ``ha-noi-2007-peak``."""
    return mix.replace(str(_year_of(mix)), str(year))


def _year_of(mix: str) -> int:
    return int(mix.rsplit("-", 2)[1])
