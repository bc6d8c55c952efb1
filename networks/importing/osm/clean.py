"""An OpenStreetMap extract made ready for netconvert: streets only; in Vietnam filled by its law and practice.

netconvert would give 100 km/h to a primary road without ``maxspeed`` and read none of the motorcycle tags; here the
missing tags are written where the law is known, the doubtful ones dropped, and each is counted.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.sax.saxutils import quoteattr

from denxanh.networks.importing.import_report import ImportNotes
from denxanh.networks.importing.osm.extract import Extract, Way
from denxanh.networks.place import names, speed_limits
from denxanh.sim.language.text import Text

# Lanes per direction where the tag is missing; "oneway" for carriageways of one direction.
LANES = {"motorway": 2, "trunk": 3, "primary": 3, "secondary": 2}
MOST_LANES = 12  # both directions together; a larger value is an error in the tag
# Alleys and side streets are driven below the legal limit: assumed.
SLOW = {"unclassified", "residential", "living_street"}
SLOW_KMH = 30
MOTORWAY_KMH = 80  # assumed: expressways are signed one by one, and the law gives no figure for them
ONEWAY = {"yes": True, "true": True, "1": True, "-1": True, "no": False, "false": False}
_BY_NETCONVERT = ": netconvert's default", ": theo mặc định của netconvert"
# fmt: off
KEPT_TAGS = (
    "highway", "name", "oneway", "lanes", "lanes:forward", "lanes:backward", "maxspeed", "junction", "layer",
    "bridge", "tunnel", "turn:lanes", "turn:lanes:forward", "turn:lanes:backward", "access",
)
# fmt: on


def complete_tags(extract: Extract, notes: ImportNotes, *, vietnam: bool) -> Extract:
    """Return the extract as netconvert needs it; every guess and every tag that is replaced is counted.

    ``vietnam``: lanes, speeds and names by Vietnamese law and practice; else netconvert fills in what is missing.
    """
    ways = [replace(way, tags=_completed(way, notes, vietnam)) for way in extract.ways]
    return Extract(extract.nodes, ways, extract.restrictions, extract.sides)


def _completed(way: Way, notes: ImportNotes, vietnam: bool) -> dict[str, str]:
    tags = dict(way.tags)
    if vietnam and "name" in tags and (name := names.normalise(tags["name"])) != tags["name"]:
        notes.add_assumption(Text("street names normalised", "tên đường được thống nhất cách viết"))
        tags["name"] = name
    if tags.get("oneway", "no") not in ONEWAY:
        notes.add_assumption(
            Text(
                f"direction '{tags['oneway']}' not understood, taken as two-way",
                f"chiều đường '{tags['oneway']}' không hiểu được, coi là hai chiều",
            )
        )
        tags["oneway"] = "no"
    # OpenStreetMap's convention: motorways and roundabouts are one-way by default.
    implied = tags["highway"] in ("motorway", "motorway_link") or tags.get("junction") == "roundabout"
    oneway = ONEWAY.get(tags.get("oneway", ""), implied)
    _fill_lanes(tags, notes, oneway=oneway, vietnam=vietnam)
    _fill_speed(tags, notes, oneway=oneway, vietnam=vietnam)
    for key in [k for k in tags if k.startswith("turn:lanes")]:
        arrows = tags[key].split("|")
        wrong = key == "turn:lanes" and "lanes" in tags and len(arrows) != int(tags["lanes"])
        if wrong or "" in (word for part in arrows for word in part.split(";")):
            notes.add_assumption(
                Text(
                    "turn arrows inconsistent with the lanes, ignored",
                    "mũi tên rẽ không khớp với số làn, để netconvert quyết định",
                )
            )
            del tags[key]
    return tags


def _fill_lanes(tags: dict[str, str], notes: ImportNotes, *, oneway: bool, vietnam: bool) -> None:
    """Write the lanes of both directions together, or leave them to netconvert, which knows a number by class."""
    kind, given = tags["highway"], tags.pop("lanes", "")
    lanes = _lanes(tags, given)
    if lanes is not None:
        tags["lanes"] = str(lanes)
        return
    if vietnam:
        default = 1 if kind.endswith("_link") else LANES.get(kind, 1)
        tags["lanes"] = str(default if oneway else 2 * default)
    whose, whose_vi = _whose(given)
    by, by_vi = ("", "") if vietnam else _BY_NETCONVERT
    notes.add_assumption(
        Text(f"lanes of a {kind} street {whose}{by}", f"số làn của đường loại {kind} {whose_vi}{by_vi}")
    )


def _fill_speed(tags: dict[str, str], notes: ImportNotes, *, oneway: bool, vietnam: bool) -> None:
    """Write the speed limit in a form that netconvert reads, or leave it to netconvert."""
    kind, given = tags["highway"].removesuffix("_link"), tags.get("maxspeed", "")
    speed = re.fullmatch(r"([1-9]\d{0,2}(?:\.\d+)?) ?(km/?h|kph|mph|knots)?", given, re.IGNORECASE)
    if speed:
        unit = (speed[2] or "").lower()
        tags["maxspeed"] = f"{speed[1]} {unit}" if unit in ("mph", "knots") else speed[1]
        return
    whose, whose_vi = _whose(given)
    if not vietnam:
        by, by_vi = _BY_NETCONVERT
        text = Text(
            f"speed of a {kind} street {whose}{by}", f"tốc độ của đường loại {kind} {whose_vi}{by_vi}"
        )
    elif kind in SLOW:
        tags["maxspeed"] = str(SLOW_KMH)
        text = Text(
            f"speed of a side street {whose}: {SLOW_KMH} km/h, driven rather than legal",
            f"tốc độ của phố nhỏ {whose_vi}: {SLOW_KMH} km/h, theo thực tế chứ không theo luật",
        )
    elif kind == "motorway":
        tags["maxspeed"] = str(MOTORWAY_KMH)
        text = Text(
            f"speed of a motorway {whose}: {MOTORWAY_KMH} km/h, assumed",
            f"tốc độ của đường cao tốc {whose_vi}: giả định {MOTORWAY_KMH} km/h",
        )
    else:
        lanes = int(tags["lanes"])
        tags["maxspeed"] = (
            f"{speed_limits.speed_limit(lanes=lanes, oneway=oneway, divided=False) / speed_limits.KMH:.0f}"
        )
        text = Text(
            f"speed of a street {whose}: Circular 31/2019/TT-BGTVT",
            f"tốc độ của đường {whose_vi}: theo Thông tư 31/2019/TT-BGTVT",
        )
    notes.add_assumption(text)


def _whose(given: str) -> tuple[str, str]:
    """What a street is said to have instead of a tag that can be used, in both languages."""
    if not given:
        return "without the tag", "không ghi trong bản đồ"
    return f"whose tag '{given}' is not understood", f"có ghi '{given}' nhưng không hiểu được"


def _lanes(tags: dict[str, str], given: str) -> int | None:
    """Return the lanes of both directions together, or None where the tags give no plausible number."""
    number = r"[1-9]\d?"
    if re.fullmatch(number, given):
        lanes = int(given)
    else:
        both = [tags.get(f"lanes:{side}", "") for side in ("forward", "backward")]
        if not all(re.fullmatch(number, text) for text in both):
            return None
        lanes = sum(map(int, both))
    return lanes if lanes <= MOST_LANES else None


def write(extract: Extract, path: Path) -> None:
    """Write the extract as OpenStreetMap XML with the tags netconvert reads and no others."""
    used = {n for way in extract.ways for n in way.nodes}
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6">']
    for id, (lat, lon, highway) in extract.nodes.items():
        if id in used:
            tag = f'<tag k="highway" v={quoteattr(highway)}/>' if highway else ""
            lines.append(f'<node id="{id}" lat="{lat}" lon="{lon}" version="1">{tag}</node>')
    for way in extract.ways:
        nodes = "".join(f'<nd ref="{n}"/>' for n in way.nodes if n in extract.nodes)
        tags = "".join(f'<tag k="{k}" v={quoteattr(way.tags[k])}/>' for k in KEPT_TAGS if k in way.tags)
        lines.append(f'<way id="{way.id}" version="1">{nodes}{tags}</way>')
    for number, (tags_, members) in enumerate(extract.restrictions, start=1):
        inner = "".join(f'<member type="{t}" ref="{r}" role={quoteattr(role)}/>' for t, r, role in members)
        inner += "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags_.items())
        lines.append(f'<relation id="{number}" version="1">{inner}</relation>')
    path.write_text("\n".join([*lines, "</osm>", ""]), encoding="utf-8", newline="\n")
