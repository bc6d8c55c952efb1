"""Routes for trips without one, by SUMO's duarouter on the empty network."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from denxanh.sim.errors import InputError
from denxanh.sim.sumo.run_input import net_for
from denxanh.sim.sumo.wheel import ProgramError, run_program
from denxanh.sim.sumo.xmlfile import parse
from denxanh.sim.text_values import TRUE

if TYPE_CHECKING:
    from denxanh.sim.demand.vehicle_class import VehicleClass

Trip = tuple[tuple[str, str], ...]
"""Attributes that decide a trip's way: from, to, via, their kinds (Junction, Taz, XY, LonLat), and type."""


ZONES = "zones.xml"
TIME_LIMIT = 3600.0  # s of wall time for all trips of a scenario


def route_trips(
    net_file: Path,
    trips: Sequence[Trip],
    types: Sequence[VehicleClass],
    zones: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
) -> dict[Trip, tuple[str, ...]]:
    """Fastest routes (edges) on the empty network, as SUMO computes them at insertion. Raises InputError.

    ``zones`` are the XML tags of the traffic zones (taz) that trips name. Of the ``options`` of the scenario those
    count that match places on the map to roads, and ``ignore-route-errors``: trips without a way are then left out.
    """
    given = options or {}
    lenient = given.get("ignore-route-errors", "").lower() in TRUE
    more = [f"--{name}={value}" for name, value in sorted(given.items()) if name.startswith("mapmatch.")]
    more += ["--ignore-errors"] if lenient else []
    lines = ["<routes>"]
    lines += [
        f'<vType id={quoteattr(t.id)} vClass="{t.vclass}" maxSpeed="{t.max_speed:g}"/>'
        for t in types
        if not t.id.startswith("DEFAULT_")
    ]
    for number, trip in enumerate(trips):
        ends = " ".join(f"{name}={quoteattr(value)}" for name, value in trip)
        lines.append(f'<trip id="{number}" depart="0" {ends}/>')
    lines.append("</routes>")
    with tempfile.TemporaryDirectory(prefix="denxanh-") as name:
        folder = Path(name)
        (folder / "trips.xml").write_text("\n".join(lines), encoding="utf-8")
        if zones:
            text = "\n".join(["<additional>", *zones, "</additional>"])
            (folder / ZONES).write_text(text, encoding="utf-8")
        more += ["-a", ZONES] if zones else []
        _duarouter(net_for(net_file, folder), folder, more)
        found: dict[Trip, tuple[str, ...]] = {}
        for vehicle in parse(folder / "routed.xml", kind="routed trips").iter("vehicle"):
            route = vehicle.find("route")
            if route is not None:
                found[trips[int(vehicle.attrib["id"])]] = tuple(route.attrib["edges"].split())
    for trip in trips:
        if trip not in found and not lenient:
            raise InputError(
                f"no way was found for a trip {dict(trip)}",
                location=str(net_file),
                remedy="check its origin and type",
            )
    return found


def _duarouter(net_file: str, folder: Path, more: Sequence[str]) -> None:
    arguments = ["-n", net_file, "-r", "trips.xml", "-o", "routed.xml", *more]
    quiet = ["--no-step-log", "--no-warnings", "--junction-taz", "--routing-algorithm", "dijkstra"]
    try:
        run_program("duarouter", [*arguments, *quiet], folder=folder, timeout=TIME_LIMIT)
    except ProgramError as error:
        raise InputError(
            f"duarouter finds no routes for the trips ({error.reason.removeprefix('Error: ')})",
            location=str(net_file),
            remedy="check origins and destinations",
        ) from None
