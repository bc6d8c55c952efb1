"""Prepare an OpenStreetMap extract for netconvert: streets only, missing tags by Vietnamese law and practice.

netconvert assumes 100 km/h for a primary road without ``maxspeed``; here missing tags are added, inconsistent ones are
removed, and every change is counted.
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
# fmt: off
KEPT_TAGS = (
    "highway", "name", "oneway", "lanes", "lanes:forward", "lanes:backward", "maxspeed", "junction", "layer",
    "bridge", "tunnel", "turn:lanes", "turn:lanes:forward", "turn:lanes:backward", "access",
)
# fmt: on


def complete_tags(extract: Extract, notes: ImportNotes) -> Extract:
    """Return the extract with names, lanes and speeds as netconvert needs them; ``notes`` counts every assumption."""
    return Extract(
        extract.nodes, [replace(w, tags=_completed(w, notes)) for w in extract.ways], extract.restrictions
    )


def _completed(way: Way, notes: ImportNotes) -> dict[str, str]:
    tags = dict(way.tags)
    kind = tags["highway"].removesuffix("_link")
    if "name" in tags and (name := names.normalise(tags["name"])) != tags["name"]:
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
    lanes = _lanes(tags)
    if lanes is None:
        default = 1 if tags["highway"].endswith("_link") else LANES.get(kind, 1)
        lanes = default if oneway else 2 * default
        notes.add_assumption(
            Text(
                f"lanes of a {tags['highway']} street without the tag",
                f"số làn của đường loại {tags['highway']} không ghi trong bản đồ",
            )
        )
    tags["lanes"] = str(lanes)
    speed = re.fullmatch(r"([1-9]\d{0,2})( ?km/?h)?", tags.get("maxspeed", ""))
    if speed:
        tags["maxspeed"] = speed[1]
    elif kind in SLOW:
        tags["maxspeed"] = str(SLOW_KMH)
        notes.add_assumption(
            Text(
                f"speed of a side street without the tag: {SLOW_KMH} km/h, assumed actual speed, not the legal limit",
                f"tốc độ của phố nhỏ không ghi trong bản đồ: {SLOW_KMH} km/h, theo thực tế chứ không theo luật",
            )
        )
    elif kind == "motorway":
        tags["maxspeed"] = str(MOTORWAY_KMH)
        notes.add_assumption(
            Text(
                f"speed of a motorway without the tag: {MOTORWAY_KMH} km/h, assumed",
                f"tốc độ của đường cao tốc không ghi trong bản đồ: giả định {MOTORWAY_KMH} km/h",
            )
        )
    else:
        tags["maxspeed"] = (
            f"{speed_limits.speed_limit(lanes=lanes, oneway=oneway, divided=False) / speed_limits.KMH:.0f}"
        )
        notes.add_assumption(
            Text(
                "speed of a street without the tag: Circular 31/2019/TT-BGTVT",
                "tốc độ của đường không ghi trong bản đồ: theo Thông tư 31/2019/TT-BGTVT",
            )
        )
    for key in [k for k in tags if k.startswith("turn:lanes")]:
        arrows = tags[key].split("|")
        wrong = key == "turn:lanes" and len(arrows) != lanes
        if wrong or "" in (word for part in arrows for word in part.split(";")):
            notes.add_assumption(
                Text(
                    "turn arrows inconsistent with the lanes, ignored",
                    "mũi tên rẽ không khớp với số làn, để netconvert quyết định",
                )
            )
            del tags[key]
    return tags


def _lanes(tags: dict[str, str]) -> int | None:
    """Return the lanes of both directions together, or None where the tags give no valid number."""
    number = r"[1-9]\d?"
    if re.fullmatch(number, tags.get("lanes", "")):
        lanes = int(tags["lanes"])
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
