"""From the metres of a network to degrees: by its UTM projection, or by the origin of a built-in place."""

from __future__ import annotations

import math
from collections.abc import Callable

from denxanh import networks
from denxanh.networks import built_in
from denxanh.networks.build.building import place_text
from denxanh.networks.place import schema
from denxanh.networks.place.geometry import unproject
from denxanh.sim.errors import InputError
from denxanh.sim.network import Network
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.netfile import read_offset

ToDegrees = Callable[[tuple[float, float]], tuple[float, float]]
"""From (x, y) in m to (longitude, latitude) in degrees of WGS 84."""

_A, _F, _K0 = 6_378_137.0, 1 / 298.257223563, 0.9996  # WGS 84; UTM


def to_degrees(scenario: Scenario, network: Network) -> ToDegrees:
    """The conversion for a place. Raises InputError for a network without a known projection."""
    options = dict(part.partition("=")[::2] for part in network.to_wgs84.replace("+", " ").split())
    if options.get("proj") == "utm" and options.get("zone", "").isdigit():
        dx, dy = read_offset(scenario.net)
        zone, south = int(options["zone"]), "south" in options
        return lambda point: utm_to_degrees(point[0] - dx, point[1] - dy, zone, south=south)
    name = built_in.name_of(scenario.name)
    if name in {place.name for place in networks.list_places()} and network.to_wgs84 == "!":
        origin = schema.parse(place_text(name), location=f"{name}/place.toml").origin

        def convert(point: tuple[float, float]) -> tuple[float, float]:
            lat, lon = unproject(point, origin)
            return lon, lat

        return convert
    raise InputError(
        "the network has no projection to degrees that is known here (UTM)",
        location=scenario.name,
        remedy="import it from OpenStreetMap, or rebuild it with netconvert --proj.utm",
    )


def utm_to_degrees(east: float, north: float, zone: int, *, south: bool = False) -> tuple[float, float]:
    """(longitude, latitude) of a point of UTM, by Krueger's series (Karney 2011, to the third order: below 1 mm).

    >>> lon, lat = utm_to_degrees(500000.0, 0.0, 48)
    >>> round(lon, 6), round(lat, 6)
    (105.0, 0.0)
    """
    n = _F / (2 - _F)
    radius = _A / (1 + n) * (1 + n**2 / 4 + n**4 / 64)
    xi = (north - (10_000_000.0 if south else 0.0)) / (_K0 * radius)
    eta = (east - 500_000.0) / (_K0 * radius)
    beta = (n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96, n**2 / 48 + n**3 / 15, 17 * n**3 / 480)
    delta = (2 * n - 2 * n**2 / 3 - 2 * n**3, 7 * n**2 / 3 - 8 * n**3 / 5, 56 * n**3 / 15)
    x = xi - sum(b * math.sin(2 * j * xi) * math.cosh(2 * j * eta) for j, b in enumerate(beta, 1))
    y = eta - sum(b * math.cos(2 * j * xi) * math.sinh(2 * j * eta) for j, b in enumerate(beta, 1))
    chi = math.asin(math.sin(x) / math.cosh(y))
    latitude = chi + sum(d * math.sin(2 * j * chi) for j, d in enumerate(delta, 1))
    longitude = math.radians(6 * zone - 183) + math.atan2(math.sinh(y), math.cos(x))
    return math.degrees(longitude), math.degrees(latitude)
