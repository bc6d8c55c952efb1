"""Lanes and streets closed to motorbikes, from the tags that netconvert ignores, put into the finished net."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from networks.osm.clean import Extract, Way
from networks.osm.report import Guesses

TWO_WHEELERS = ("motorcycle", "moped")
MOTORS = ("passenger", "bus", "truck", "taxi", "delivery", "coach", "trailer")


def apply(net: ET.Element, extract: Extract, guesses: Guesses) -> None:
    """Close lanes of ``net`` to motorbikes or to all others, as the ways they come from say.

    ``motorcycle=no`` closes a street; ``motorcycle:lanes`` (from the centre line to the kerb) closes lanes marked
    ``no`` and keeps lanes marked ``designated`` for two-wheelers. The lanes of a way must be as many as marked.
    """
    ways = {w.id: w for w in extract.ways if any(k.startswith("motorcycle") for k in w.tags)}
    for edge in net.iterfind("edge"):
        lanes = edge.findall("lane")
        origin = next((p.get("value", "") for p in edge.iter("param") if p.get("key") == "origId"), "")
        way = next((ways[id] for id in origin.split() if id in ways), None)
        if way is None or edge.get("function") == "internal":
            continue
        if way.tags.get("motorcycle") in ("no", "private"):
            for lane in lanes:
                _close(lane, TWO_WHEELERS)
            guesses.count("stretches closed to motorbikes as the map says")
            continue
        marks = _marks(way, edge.get("id", ""))
        if marks and len(marks) != len(lanes):
            guesses.count("motorcycle:lanes that do not fit the lanes, ignored")
        elif marks:
            for lane, mark in zip(lanes, reversed(marks), strict=True):  # SUMO counts from the kerb
                if mark == "no":
                    _close(lane, TWO_WHEELERS)
                elif mark == "designated":
                    _close(lane, MOTORS)
            guesses.count("stretches with lanes for motorbikes as the map says")


def _marks(way: Way, edge: str) -> list[str]:
    """Return the marks of an edge's lanes; netconvert writes a way's backward edge with a minus."""
    side = "backward" if edge.startswith("-") else "forward"
    text = way.tags.get(f"motorcycle:lanes:{side}")
    if text is None and way.tags.get("oneway") in ("yes", "1", "true"):
        text = way.tags.get("motorcycle:lanes")
    return text.split("|") if text else []


def _close(lane: ET.Element, classes: tuple[str, ...]) -> None:
    """Take vehicle classes off a lane, whichever way its permissions are written."""
    if (allowed := lane.get("allow")) is not None:
        kept = [c for c in allowed.split() if c not in classes]
        if kept:
            lane.set("allow", " ".join(kept))
        return
    lane.set("disallow", " ".join(sorted({*lane.get("disallow", "").split(), *classes})))


def allows(lane: ET.Element, vehicle_class: str) -> bool:
    """Return whether a lane admits a SUMO vehicle class."""
    allowed = lane.get("allow")
    if allowed is not None:
        return vehicle_class in allowed.split() or allowed == "all"
    banned = lane.get("disallow", "")
    return banned != "all" and vehicle_class not in banned.split()
