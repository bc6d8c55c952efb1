"""Lanes and streets closed to motorbikes, from the tags that netconvert ignores, put into the finished net."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from networks.importing.lanes import close
from networks.importing.report import Guesses
from networks.osm.extract import Extract, Way
from sim.text import Text

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
                close(lane, TWO_WHEELERS)
            guesses.count(
                Text("stretches closed to motorbikes as the map says", "đoạn cấm xe máy theo bản đồ")
            )
            continue
        marks = _marks(way, edge.get("id", ""))
        if marks and len(marks) != len(lanes):
            guesses.count(
                Text(
                    "motorcycle:lanes that do not fit the lanes, ignored",
                    "motorcycle:lanes không khớp với số làn, bỏ qua",
                )
            )
        elif marks:
            for lane, mark in zip(lanes, reversed(marks), strict=True):  # SUMO counts from the kerb
                if mark == "no":
                    close(lane, TWO_WHEELERS)
                elif mark == "designated":
                    close(lane, MOTORS)
            guesses.count(
                Text("stretches with lanes for motorbikes as the map says", "đoạn có làn xe máy theo bản đồ")
            )


def _marks(way: Way, edge: str) -> list[str]:
    """Return the marks of an edge's lanes; netconvert writes a way's backward edge with a minus."""
    side = "backward" if edge.startswith("-") else "forward"
    text = way.tags.get(f"motorcycle:lanes:{side}")
    if text is None and way.tags.get("oneway") in ("yes", "1", "true"):
        text = way.tags.get("motorcycle:lanes")
    return text.split("|") if text else []
