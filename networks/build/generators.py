"""Generated places: a grid and an arterial of signals, with the vehicle types and mixes of the built-in places."""

from __future__ import annotations

from collections.abc import Mapping

from denxanh.networks.place import reader, schema
from denxanh.networks.place.geometry import Point, unproject
from denxanh.networks.place.place import Place
from denxanh.networks.place.vehicles import mix as known_mix
from denxanh.sim.errors import InputError

ORIGIN = (21.0, 105.8)  # (lat, lon) in Hà Nội; a generated place has no real coordinates


def grid(
    columns: int,
    rows: int,
    *,
    spacing: float = 200.0,
    lanes: int = 2,
    oneway: bool = False,
    cycle: float = 90.0,
    saturation: float = 0.75,
    mix: str = "ha-noi-2025-peak",
    seed: int = 1,
) -> Place:
    """Return a grid of ``columns`` × ``rows`` signals, ``spacing`` m apart, each with two stages.

    With ``oneway`` the streets alternate in direction. All offsets are zero; the green is shared equally.
    """
    _check(columns=columns, rows=rows, spacing=spacing, lanes=lanes, mix=mix)
    at = {f"j-{c}-{r}": (c * spacing, r * spacing) for c in range(columns) for r in range(rows)}
    streets = [
        _street(
            f"Row {r + 1}", [f"j-{c}-{r}" for c in range(columns)], 90, lanes, oneway, spacing, r % 2 == 1
        )
        for r in range(rows)
    ] + [
        _street(f"Column {c + 1}", [f"j-{c}-{r}" for r in range(rows)], 0, lanes, oneway, spacing, c % 2 == 1)
        for c in range(columns)
    ]
    signals = {
        f"j-{c}-{r}": ((f"Row {r + 1}",), (f"Column {c + 1}",)) for c in range(columns) for r in range(rows)
    }
    name = f"generated/grid-{columns}x{rows}"
    return _place(
        name, f"Grid of {columns} × {rows} signals", at, streets, signals, cycle, saturation, mix, seed
    )


def arterial(
    signals: int,
    *,
    spacing: float = 300.0,
    lanes: int = 3,
    cross_lanes: int = 1,
    cycle: float = 90.0,
    saturation: float = 0.80,
    mix: str = "ha-noi-2025-peak",
    seed: int = 1,
) -> Place:
    """Return a two-way arterial with ``signals`` cross streets, ``spacing`` m apart, each with two stages."""
    _check(columns=signals, rows=1, spacing=spacing, lanes=min(lanes, cross_lanes), mix=mix)
    at = {f"j-{c}-0": (c * spacing, 0.0) for c in range(signals)}
    streets = [_street("Arterial", list(at), 90, lanes, False, spacing, False)]
    streets += [
        _street(f"Cross {c + 1}", [f"j-{c}-0"], 0, cross_lanes, False, spacing, False) for c in range(signals)
    ]
    stages = {f"j-{c}-0": (("Arterial",), (f"Cross {c + 1}",)) for c in range(signals)}
    name = f"generated/arterial-{signals}"
    return _place(name, f"Arterial with {signals} signals", at, streets, stages, cycle, saturation, mix, seed)


def _check(*, columns: int, rows: int, spacing: float, lanes: int, mix: str) -> None:
    """Raise InputError for values out of range."""
    for label, value, least in (
        ("columns", columns, 1),
        ("rows", rows, 1),
        ("spacing", spacing, 60),
        ("lanes", lanes, 1),
    ):
        if value < least:
            raise InputError(
                f"{label} is {value:g}", location="generated place", remedy=f"give at least {least}"
            )
    known_mix(mix)


def _street(
    name: str, junctions: list[str], heading: int, lanes: int, oneway: bool, spacing: float, reverse: bool
) -> schema.Street:
    """Return a street through ``junctions`` with a gate at either end, ``heading`` degrees along the list."""
    start = schema.Ray(bearing=(heading + 180) % 360, length=max(spacing, 200))
    end = schema.Ray(bearing=heading, length=max(spacing, 200))
    path: list[str | schema.Point | schema.Ray] = [start, *junctions, end]
    return schema.Street(name=name, path=tuple(path[::-1] if reverse else path), lanes=lanes, oneway=oneway)


def _place(
    name: str,
    title: str,
    at: dict[str, Point],
    streets: list[schema.Street],
    stages: Mapping[str, tuple[tuple[str, ...], ...]],
    cycle: float,
    saturation: float,
    mix: str,
    seed: int,
) -> Place:
    """Return a generated place with equal greens and zero offsets."""
    plan = schema.Plan(cycle=cycle)
    green = (cycle - 2 * (plan.yellow + plan.all_red)) / 2
    file = schema.PlaceFile(
        name=name,
        title=title,
        title_vi=title,
        source="generated",
        date="",
        credit="synthetic",
        origin=ORIGIN,
        junctions={id: schema.Junction(at=unproject(point, ORIGIN)) for id, point in at.items()},
        streets=tuple(streets),
        # Permissive left turns from a shared lane halve the capacity of an approach: their share is low.
        turning=schema.Turning(through=0.84, left=0.06, right=0.10),
        signals={
            id: schema.Signal(stages=s, plan={"peak": schema.Timing(offset=0, green=(green,) * len(s))})
            for id, s in stages.items()
        },
        plans={"peak": plan},
        demand={"peak": schema.Demand(plan="peak", saturation=saturation, mix=mix, seed=seed)},
    )
    return reader.read(file, location=name)
