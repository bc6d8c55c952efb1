"""An OpenStreetMap extract made ready for netconvert: streets only, tags filled by Vietnamese law and practice.

netconvert would give 100 km/h to a primary road without ``maxspeed`` and read none of the motorcycle tags; here the
missing tags are written, the doubtful ones dropped, and each is counted.
"""

from __future__ import annotations

import gzip
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO
from xml.sax.saxutils import quoteattr

from networks import law, names
from networks.osm.report import Guesses
from sim.errors import InputError

# Lanes per direction where the tag is missing; "oneway" for carriageways of one direction.
LANES = {"trunk": 3, "primary": 3, "secondary": 2}
STREETS = ("trunk", "primary", "secondary", "tertiary", "unclassified", "residential", "living_street")
CLASSES = {*STREETS, "motorway", "motorway_link", *(f"{s}_link" for s in STREETS[:4])}
# Alleys and side streets are driven slowly whatever the legal limit: assumed, not law.
SLOW = {"unclassified", "residential", "living_street"}
SLOW_KMH = 30
KEPT_TAGS = (
    *(
        "highway",
        "name",
        "oneway",
        "lanes",
        "lanes:forward",
        "lanes:backward",
        "maxspeed",
        "junction",
        "layer",
    ),
    *("bridge", "tunnel", "turn:lanes", "turn:lanes:forward", "turn:lanes:backward", "access"),
)
Box = tuple[float, float, float, float]  # west, south, east, north in degrees


@dataclass(frozen=True, slots=True)
class Way:
    """A street of the extract: its id, its nodes in order and its tags."""

    id: str
    nodes: tuple[str, ...]
    tags: dict[str, str]


@dataclass(slots=True)
class Extract:
    """What is kept of an OpenStreetMap file."""

    nodes: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # lat, lon, value of highway=…
    ways: list[Way] = field(default_factory=list)
    restrictions: list[tuple[dict[str, str], list[tuple[str, str, str]]]] = field(default_factory=list)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open an OSM XML file, packed or not."""
    if path.name.endswith(".pbf"):
        raise InputError(
            "PBF is not read", where=str(path), remedy="convert it: osmium cat FILE.osm.pbf -o FILE.osm.gz"
        )
    if not path.is_file():
        raise InputError("there is no such file", where=str(path))
    with gzip.open(path, "rb") if path.name.endswith(".gz") else path.open("rb") as stream:
        yield stream  # type: ignore[misc]


def read(path: Path) -> Extract:
    """Return the streets, nodes and turn restrictions of an OpenStreetMap XML file (.osm, .osm.gz)."""
    extract = Extract()
    try:
        with _opened(path) as stream:
            for _, element in ET.iterparse(stream):
                if element.tag not in ("node", "way", "relation"):
                    continue
                tags = {t.get("k", ""): t.get("v", "") for t in element.iterfind("tag")}
                if element.tag == "node":
                    place = (element.get("lat", ""), element.get("lon", ""), tags.get("highway", ""))
                    extract.nodes[element.get("id", "")] = place
                elif element.tag == "way" and tags.get("highway") in CLASSES:
                    nodes = tuple(n.get("ref", "") for n in element.iterfind("nd"))
                    extract.ways.append(Way(element.get("id", ""), nodes, tags))
                elif tags.get("type") == "restriction":
                    members = [
                        (m.get("type", ""), m.get("ref", ""), m.get("role", ""))
                        for m in element.iterfind("member")
                    ]
                    extract.restrictions.append((tags, members))
                element.clear()
    except (ET.ParseError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"this is not OpenStreetMap XML: {error}", where=str(path)) from error
    if not extract.ways:
        raise InputError("it holds no streets", where=str(path), remedy="check the extract or the bbox")
    return extract


def crop(extract: Extract, box: Box) -> Extract:
    """Return the part of the streets inside ``box``; a way that leaves it and comes back is cut in parts."""
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
        for node in (*way.nodes, ""):
            if node in inside:
                run.append(node)
                continue
            if len(run) > 1:
                ways.append(replace(way, nodes=tuple(run)))
            run = []
    if not ways:
        raise InputError(
            f"no street lies inside the bbox {box}", remedy="give west,south,east,north in degrees"
        )
    return Extract(extract.nodes, ways, extract.restrictions)


def fill(extract: Extract, guesses: Guesses) -> Extract:
    """Return the extract with names, lanes and speeds as netconvert needs them; every guess is counted."""
    return Extract(
        extract.nodes, [replace(w, tags=_filled(w, guesses)) for w in extract.ways], extract.restrictions
    )


def _filled(way: Way, guesses: Guesses) -> dict[str, str]:
    tags = dict(way.tags)
    kind = tags["highway"].removesuffix("_link")
    if "name" in tags and (name := names.normalise(tags["name"])) != tags["name"]:
        guesses.count("names brought to one spelling")
        tags["name"] = name
    if tags.get("oneway") not in (None, "yes", "no", "-1", "true", "false", "1"):
        guesses.count(f"direction '{tags['oneway']}' not understood, taken as two-way")
        del tags["oneway"]
    oneway = tags.get("oneway") in ("yes", "-1", "true", "1") or tags.get("junction") == "roundabout"
    if not re.fullmatch(r"[1-9]\d?", tags.get("lanes", "")):
        default = 1 if tags["highway"].endswith("_link") else LANES.get(kind, 1)
        tags["lanes"] = str(default if oneway else 2 * default)
        guesses.count(f"lanes of a {tags['highway']} street without the tag")
    lanes = int(tags["lanes"])
    speed = re.fullmatch(r"(\d+)( ?km/?h)?", tags.get("maxspeed", ""))
    if speed:
        tags["maxspeed"] = speed[1]
    elif kind in SLOW:
        tags["maxspeed"] = str(SLOW_KMH)
        guesses.count(f"speed of a side street without the tag: {SLOW_KMH} km/h, driven rather than legal")
    else:
        tags["maxspeed"] = f"{law.speed_limit(lanes=lanes, oneway=oneway, divided=False) / law.KMH:.0f}"
        guesses.count("speed of a street without the tag: Circular 31/2019/TT-BGTVT")
    for key in [k for k in tags if k.startswith("turn:lanes")]:
        arrows = tags[key].split("|")
        wrong = key == "turn:lanes" and len(arrows) != lanes
        if wrong or "" in (word for part in arrows for word in part.split(";")):
            guesses.count("turn arrows that do not fit the lanes, left to netconvert")
            del tags[key]
    return tags


def write(extract: Extract, path: Path) -> None:
    """Write the extract as OpenStreetMap XML with the tags netconvert reads and no others."""
    used = {n for way in extract.ways for n in way.nodes}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']
    for id, (lat, lon, highway) in extract.nodes.items():
        if id in used:
            tag = f'<tag k="highway" v={quoteattr(highway)}/>' if highway else ""
            lines.append(f'<node id="{id}" lat="{lat}" lon="{lon}" version="1">{tag}</node>')
    seen: dict[str, int] = {}
    for way in extract.ways:
        seen[way.id] = part = seen.get(way.id, -1) + 1
        # A way cut by the bbox needs an id of its own: far above any real one.
        id = way.id if not part else f"{way.id}{part:03d}000000"
        nodes = "".join(f'<nd ref="{n}"/>' for n in way.nodes if n in extract.nodes)
        tags = "".join(f'<tag k="{k}" v={quoteattr(way.tags[k])}/>' for k in KEPT_TAGS if k in way.tags)
        lines.append(f'<way id="{id}" version="1">{nodes}{tags}</way>')
    for number, (tags_, members) in enumerate(extract.restrictions, start=1):
        inner = "".join(f'<member type="{t}" ref="{r}" role={quoteattr(role)}/>' for t, r, role in members)
        inner += "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags_.items())
        lines.append(f'<relation id="{number}" version="1">{inner}</relation>')
    path.write_text("\n".join([*lines, "</osm>", ""]), encoding="utf-8", newline="\n")
