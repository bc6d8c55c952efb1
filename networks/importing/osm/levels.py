"""Grade separation: main streets that cross others on a bridge or in a tunnel.

Traffic of a flyover or an underpass is not controlled by the signals of the junction that it crosses; the import report
states this. Two ways cross if their lines intersect in plan and they share no node.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from denxanh.networks.importing.import_report import ImportNotes
from denxanh.networks.importing.osm.extract import Extract, Way
from denxanh.sim.language.text import Text, joined, same

MAIN = {"motorway", "trunk", "primary", "secondary", "tertiary"}
NO_NAME = Text("a street without a name", "một đường không tên")
LEVELS = {"bridge": "cầu", "tunnel": "hầm"}
Array = NDArray[np.float64]


def find_grade_separations(extract: Extract, notes: ImportNotes) -> None:
    """Add a finding for each main bridge or tunnel that crosses other main streets."""
    main = [w for w in extract.ways if w.tags["highway"] in MAIN]
    start, end, owner = _segments(main, extract)
    crossed: dict[tuple[Text, str], set[Text]] = defaultdict(set)
    for way in main:
        level = next((k for k in ("bridge", "tunnel") if way.tags.get(k, "no") != "no"), None)
        if level is None:
            continue
        for other in {
            int(owner[k]) for a, b in _segments_of(way, extract) for k in _crossings(a, b, start, end)
        }:
            if not set(main[other].nodes) & set(way.nodes) and _layer(main[other]) != _layer(way):
                crossed[_name(way), level].add(_name(main[other]))
    for (name, level), others in sorted(crossed.items(), key=lambda entry: (entry[0][0].en, entry[0][1])):
        others.discard(name)
        if others:
            streets = sorted(others, key=lambda other: other.en)
            crossed_names = joined(streets, ", ")
            notes.add_finding(
                Text(
                    f"{name.capitalised().en} is grade-separated ({level}): its traffic passes"
                    f" {crossed_names.en} without signal control there.",
                    f"{name.capitalised().vi} là đường khác mức ({LEVELS[level]}): xe đi theo đường này không"
                    f" giao cắt với {crossed_names.vi} nên không gặp đèn tín hiệu ở đó.",
                )
            )


def _name(way: Way) -> Text:
    return same(way.tags["name"]) if "name" in way.tags else NO_NAME


def _layer(way: Way) -> str:
    level = (
        "1" if way.tags.get("bridge", "no") != "no" else "-1" if way.tags.get("tunnel", "no") != "no" else "0"
    )
    return way.tags.get("layer", level)


def _segments_of(way: Way, extract: Extract) -> list[tuple[Array, Array]]:
    points = [np.array(extract.nodes[n][1::-1], dtype=float) for n in way.nodes if n in extract.nodes]
    return list(pairwise(points))


def _segments(ways: list[Way], extract: Extract) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return all straight segments of the ways: start and end (n, 2) in degrees, index of the way (n,)."""
    segments = [(a, b, i) for i, way in enumerate(ways) for a, b in _segments_of(way, extract)]
    start = np.array([p[0] for p in segments]).reshape(-1, 2)
    end = np.array([p[1] for p in segments]).reshape(-1, 2)
    return start, end, np.array([p[2] for p in segments], dtype=np.int64)


def _crossings(a: Array, b: Array, start: Array, end: Array) -> NDArray[np.int64]:
    """Return the indices of the segments that cross the segment from ``a`` to ``b`` (not at its ends)."""

    def side(p: Array, q: Array, r: Array) -> Array:
        cross: Array = (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (
            r[..., 0] - p[..., 0]
        )
        return cross

    apart = side(a, b, start) * side(a, b, end) < 0
    return np.flatnonzero(apart & (side(start, end, a) * side(start, end, b) < 0))
