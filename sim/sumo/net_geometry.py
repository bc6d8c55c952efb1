"""The shapes of a network file as they are drawn: lanes with their widths, and the areas of junctions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

from denxanh.sim.errors import InputError
from denxanh.sim.sumo.netfile import finite
from denxanh.sim.sumo.xmlfile import parse

WIDTH = 3.2  # m, of a lane without a width of its own: SUMO's default
Points = tuple[tuple[float, float], ...]
Surface = Literal["road", "pavement", "crossing"]
_ON_FOOT = frozenset({"pedestrian", "wheelchair"})


@dataclass(frozen=True)
class LaneShape:
    """A lane of a road or a crossing, as it is drawn."""

    id: str
    shape: Points  # m
    width: float  # m
    surface: Surface


@dataclass(frozen=True)
class NetGeometry:
    """What of a network is drawn. ``junctions`` are polygons, m."""

    lanes: tuple[LaneShape, ...]
    junctions: tuple[Points, ...]


def read_geometry(path: Path) -> NetGeometry:
    """Read the shapes of a .net.xml or .net.xml.gz; lanes inside junctions are left out, crossings are not.

    Raises InputError for a file that cannot be read.
    """
    root = parse(path, kind="network file")
    lanes: list[LaneShape] = []
    try:
        for edge in root.iter("edge"):
            function = edge.get("function", "normal")
            if function in ("normal", "", "crossing"):
                lanes += [_lane(row, crossing=function == "crossing") for row in edge.findall("lane")]
        areas = [
            _points(junction.get("shape", ""))
            for junction in root.iter("junction")
            if junction.get("type") != "internal"
        ]
    except (KeyError, ValueError) as error:
        raise InputError(
            f"the network file lacks or has a wrong value ({error})",
            location=str(path),
            remedy="rebuild it with netconvert",
        ) from None
    return NetGeometry(
        tuple(lane for lane in lanes if len(lane.shape) > 1), tuple(p for p in areas if len(p) > 2)
    )


def _lane(row: Element, *, crossing: bool) -> LaneShape:
    allowed = frozenset(row.get("allow", "").split())
    on_foot = bool(allowed) and allowed <= _ON_FOOT
    surface: Surface = "crossing" if crossing else "pavement" if on_foot else "road"
    width = finite(float(row.get("width", WIDTH)))
    return LaneShape(row.attrib["id"], _points(row.get("shape", "")), width if width > 0 else WIDTH, surface)


def _points(text: str) -> Points:
    pairs = (point.split(",")[:2] for point in text.split())
    return tuple((finite(float(x)), finite(float(y))) for x, y in pairs)
