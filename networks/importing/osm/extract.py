"""Read streets, signals and turn restrictions of an OpenStreetMap file: XML, compressed XML or PBF."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, cast

from denxanh.networks.build.place_folder import require_file
from denxanh.networks.importing.import_report import ImportNotes
from denxanh.networks.importing.osm.blobs import check_size
from denxanh.sim.errors import InputError
from denxanh.sim.input.packed import Unpacked
from denxanh.sim.language.text import Text
from denxanh.sim.sumo.xmlfile import check_prolog

STREETS = ("trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street")
CLASSES = {*STREETS, "motorway", "motorway_link", *(f"{s}_link" for s in STREETS[:4])}
ROUND = {"clockwise": "left", "anticlockwise": "right", "counterclockwise": "right"}
Box = tuple[float, float, float, float]  # west, south, east, north in degrees
Restriction = tuple[dict[str, str], list[tuple[str, str, str]]]  # tags; members as type, id, role


@dataclass(frozen=True, slots=True)
class Way:
    """A street of the extract: its id, its nodes in order and its tags."""

    id: str
    nodes: tuple[str, ...]
    tags: dict[str, str]


@dataclass(slots=True)
class Extract:
    """Nodes, streets and turn restrictions of an OpenStreetMap file."""

    nodes: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # lat, lon, value of highway=…
    ways: list[Way] = field(default_factory=list)
    restrictions: list[Restriction] = field(default_factory=list)
    sides: list[tuple[str, str]] = field(
        default_factory=list
    )  # what is tagged, and the side of the road it shows


def read(path: Path, notes: ImportNotes) -> Extract:
    """Return the streets, nodes and turn restrictions of an OpenStreetMap file (.osm, .gz, .bz2 or .pbf).

    Ways that are not streets for motor vehicles are counted in ``notes``. PBF needs the package osmium
    (``pip install 'denxanh[pbf]'``).

    Raises:
        InputError: the file has another format, or no street.
    """
    require_file(path)
    extract = Extract()
    for kind, id, tags, rest in _pbf(path) if path.name.endswith(".pbf") else _xml(path):
        extract.sides += _sides(kind, tags)
        if kind == "node":
            extract.nodes[id] = (rest[0], rest[1], tags.get("highway", ""))
        elif kind == "way" and tags.get("highway") in CLASSES and tags.get("area") != "yes":
            extract.ways.append(Way(id, tuple(rest), tags))
        elif kind == "way" and "highway" in tags:
            notes.add_omission(
                Text(f"{tags['highway']} ways", f"đường loại {tags['highway']} trong OpenStreetMap")
            )
        elif kind == "relation" and tags.get("type") == "restriction":
            members = [(rest[i], rest[i + 1], rest[i + 2]) for i in range(0, len(rest), 3)]
            extract.restrictions.append((tags, members))
    if not extract.ways:
        raise InputError("it contains no streets", location=str(path), remedy="check the extract")
    return extract


def _sides(kind: str, tags: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The side of the road on which traffic drives, as a country's boundary or a mini-roundabout shows it."""
    if kind != "way" and tags.get("driving_side") in ("left", "right"):
        yield "driving_side", tags["driving_side"]
    if tags.get("highway") == "mini_roundabout" and tags.get("direction") in ROUND:
        yield "mini_roundabout", ROUND[tags["direction"]]


Item = tuple[str, str, dict[str, str], list[str]]  # kind, id, tags; then coordinates, node ids or members


def _xml(path: Path) -> Iterator[Item]:
    try:
        with Unpacked(path, kind="extract") as stream:
            check_prolog(iter(lambda: stream.read(1 << 16), b""), path, kind="OpenStreetMap file")
        with Unpacked(path, kind="extract") as stream:
            for _, element in ET.iterparse(cast(IO[bytes], stream)):
                if element.tag not in ("node", "way", "relation"):
                    continue
                if element.get("action") == "delete" or element.get("visible") == "false":  # JOSM
                    continue
                tags = {t.get("k", ""): t.get("v", "") for t in element.iterfind("tag")}
                if element.tag == "node":
                    rest = [element.get("lat", ""), element.get("lon", "")]
                elif element.tag == "way":
                    rest = [_id(n.get("ref", "")) for n in element.iterfind("nd")]
                else:
                    rest = [
                        part
                        for m in element.iterfind("member")
                        for part in (m.get("type", ""), _id(m.get("ref", "")), m.get("role", ""))
                    ]
                yield element.tag, _id(element.get("id", "")), tags, rest
                element.clear()
    except (ET.ParseError, EOFError, OSError) as error:
        raise InputError(f"this is not OpenStreetMap XML: {error}", location=str(path)) from error


def _pbf(path: Path) -> Iterator[Item]:
    try:
        import osmium
    except ImportError:
        raise InputError(
            "PBF is read with the package osmium, which is not installed",
            location=str(path),
            remedy="pip install 'denxanh[pbf]', or convert it: osmium cat FILE.osm.pbf -o FILE.osm.gz",
        ) from None
    check_size(path)
    try:
        for item in osmium.FileProcessor(str(path)):
            tags = {tag.k: tag.v for tag in item.tags}
            if item.is_node():
                yield "node", _id(str(item.id)), tags, [f"{item.lat:.7f}", f"{item.lon:.7f}"]
            elif item.is_way():
                yield "way", _id(str(item.id)), tags, [_id(str(node.ref)) for node in item.nodes]
            elif item.is_relation():
                kinds = {"n": "node", "w": "way", "r": "relation"}
                rest = [part for m in item.members for part in (kinds[m.type], _id(str(m.ref)), m.role)]
                yield "relation", _id(str(item.id)), tags, rest
    except RuntimeError as error:
        raise InputError(f"this is not OpenStreetMap PBF: {error}", location=str(path)) from error


def _id(text: str) -> str:
    """Return the id of an object; negative ids, of objects not yet uploaded, become positive.

    SUMO names the backward edge of a way with a minus; negative ids are therefore mapped above all real ids (9·10¹¹).
    """
    return f"9{text[1:]:0>11}" if text.startswith("-") else text


def crop(extract: Extract, box: Box) -> Extract:
    """Return the part of the streets inside ``box``; a way that leaves the box and re-enters it is split."""
    west, south, east, north = box
    if west >= east or south >= north:
        raise InputError(f"the bbox {box} is empty", remedy="give west,south,east,north in degrees")
    inside = {
        id
        for id, (lat, lon, _) in extract.nodes.items()
        if south <= float(lat) <= north and west <= float(lon) <= east
    }
    ways: list[Way] = []
    for way in extract.ways:
        run: list[str] = []
        parts = 0
        for node in (*way.nodes, ""):
            if node in inside:
                run.append(node)
                continue
            if len(run) > 1:
                id = way.id if not parts else f"{parts}{way.id:0>13}"  # a new id, above all real ids
                ways.append(replace(way, id=id, nodes=tuple(run)))
                parts += 1
            run = []
    if not ways:
        raise InputError(
            f"there is no street inside the bbox {box}", remedy="give west,south,east,north in degrees"
        )
    return Extract(extract.nodes, ways, extract.restrictions, extract.sides)
