"""GeoJSON layers for QGIS: links, movements and junctions with the timings of a plan (RFC 7946: WGS 84, lon, lat)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from denxanh.experiments.formats.degrees import ToDegrees
from denxanh.experiments.formats.signal_groups import SignalGroup, signal_groups
from denxanh.sim.movements import signal_movements
from denxanh.sim.network import Network
from denxanh.sim.plan import Plan, Timing

FILES = ("links.geojson", "movements.geojson", "junctions.geojson")
_DIGITS = 7  # decimals of a degree: 1 cm


def geojson_layers(network: Network, plan: Plan, to_degrees: ToDegrees) -> dict[str, str]:
    """The text of each layer by the name of its file."""

    def line(points: Sequence[tuple[float, float]]) -> dict[str, Any]:
        kept = [point for k, point in enumerate(points) if k == 0 or point != points[k - 1]]
        kept = kept if len(kept) > 1 else [points[0], points[0]]
        return {"type": "LineString", "coordinates": [_position(to_degrees(point)) for point in kept]}

    links = [
        _feature(
            line(edge.shape),
            {
                "id": edge.id,
                "name": edge.name,
                "length_m": round(edge.length, 2),
                "speed_kmh": round(edge.speed * 3.6, 1),
                "lanes": sum(network.lanes[lane].vehicles for lane in edge.lanes),
            },
        )
        for edge in network.edges.values()
    ]
    movements, junctions = [], []
    for name, intersection in sorted(network.intersections.items()):
        timing = plan.timings.get(name, intersection.program)
        groups = signal_groups(network, name, [timing])
        junctions.append(
            _feature(
                {"type": "Point", "coordinates": _position(to_degrees(intersection.position))},
                {
                    "id": name,
                    "name": intersection.name,
                    "cycle_s": timing.cycle,
                    "offset_s": timing.offset % timing.cycle,
                    "stages": len(timing.stages),
                    "groups": len(groups),
                },
            )
        )
        pairs = zip(signal_movements(network)[name].movements, intersection.movements, strict=True)
        for described, movement in pairs:
            before = (
                network.lanes[described.lanes[0]].shape
                if described.lanes
                else network.edges[movement.start].shape
            )
            after = network.lanes[network.edges[movement.end].lanes[0]].shape
            movements.append(
                _feature(
                    line([*before[-2:], *after[:2]]),
                    {
                        "signal": name,
                        "movement": described.label,
                        "turn": described.turn,
                        "from_street": network.edges[movement.start].name,
                        "to_street": network.edges[movement.end].name,
                        "from_link": movement.start,
                        "to_link": movement.end,
                        **_greens(groups, movement.links, timing),
                    },
                )
            )
    return dict(zip(FILES, map(_collection, (links, movements, junctions)), strict=True))


def _greens(groups: Sequence[SignalGroup], links: Sequence[int], timing: Timing) -> dict[str, Any]:
    """Groups of a movement, and the greens of the one that is green for longest, s from the start of the cycle."""
    mine = [group for group in groups if set(group.links) & set(links)]
    greens = max(
        (group.greens(timing) for group in mine), key=lambda runs: sum(b - a for a, b in runs), default=[]
    )
    return {
        "groups": ",".join(group.name for group in mine),
        "green_s": sum(end - start for start, end in greens),
        "green_from_s": [start for start, _ in greens],
        "green_to_s": [end % timing.cycle if end - start < timing.cycle else end for start, end in greens],
        "cycle_s": timing.cycle,
    }


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _collection(features: list[dict[str, Any]]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False) + "\n"


def _position(degrees: tuple[float, float]) -> list[float]:
    lon, lat = degrees
    return [round(lon, _DIGITS), round(lat, _DIGITS)]
