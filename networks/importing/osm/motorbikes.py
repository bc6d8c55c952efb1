"""Apply motorcycle tags, which netconvert ignores, to the lane permissions of the converted network."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from denxanh.networks.importing.import_report import ImportNotes
from denxanh.networks.importing.osm.extract import Extract, Way
from denxanh.networks.importing.permissions import close
from denxanh.sim.language.text import Text

TWO_WHEELERS = ("motorcycle", "moped")
MOTORS = ("passenger", "bus", "truck", "taxi", "delivery", "coach", "trailer")


def apply(net: ET.Element, extract: Extract, notes: ImportNotes, *, lefthand: bool = False) -> None:
    """Close lanes of ``net`` to motorbikes or to all others, as the ways they come from say.

    ``motorcycle=no`` closes a street; ``motorcycle:lanes`` (from left to right, so that the kerb's is the last, or the
    first where traffic drives on the left) closes lanes marked ``no`` and keeps lanes marked ``designated`` for
    two-wheelers. The lanes of a way must be as many as marked.
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
                close(lane, TWO_WHEELERS)
            notes.add_assumption(Text("edges closed to motorbikes by the map", "đoạn cấm xe máy theo bản đồ"))
            continue
        marks = _marks(way, edge.get("id", ""))
        if marks and len(marks) != len(lanes):
            notes.add_assumption(
                Text(
                    "motorcycle:lanes inconsistent with the lanes, ignored",
                    "motorcycle:lanes không khớp với số làn, bỏ qua",
                )
            )
        elif marks:
            outward = marks if lefthand else marks[::-1]
            for lane, mark in zip(lanes, outward, strict=True):  # SUMO counts from the kerb
                if mark == "no":
                    close(lane, TWO_WHEELERS)
                elif mark == "designated":
                    close(lane, MOTORS)
            notes.add_assumption(
                Text("edges with motorbike lanes by the map", "đoạn có làn xe máy theo bản đồ")
            )


def _marks(way: Way, edge: str) -> list[str]:
    """Return the marks of an edge's lanes; netconvert names the backward edge of a way with a minus."""
    side = "backward" if edge.startswith("-") else "forward"
    text = way.tags.get(f"motorcycle:lanes:{side}")
    if text is None and way.tags.get("oneway") in ("yes", "1", "true"):
        text = way.tags.get("motorcycle:lanes")
    return text.split("|") if text else []
