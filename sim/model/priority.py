"""Who yields to whom, link by link, at every junction of a SUMO network: from the junctions' request rows.

``Network`` holds this by letter for the signals we control; a queue model also needs it where no signal
stands, because a minor road's queue decides what reaches the next signal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from sim.conflicts import junction_positions, position_of
from sim.netfile import NetFile

Way = tuple[str, str]
"""A link by the lanes it leaves and enters."""


def yields_of(net: NetFile) -> Mapping[Way, tuple[Way, ...]]:
    """Ways that each way over a junction must yield to; ways that yield to nobody are left out."""
    places = junction_positions(net)
    onward = {raw.start: raw.via for raw in net.connections if raw.start.startswith(":") and raw.via}
    at: dict[str, dict[int, Way]] = defaultdict(dict)
    for raw in net.connections:
        if raw.start in net.lanes and raw.end in net.lanes:
            place = position_of(raw, places, onward)
            if place is not None:
                at[place[0]][place[1]] = raw.start, raw.end
    out = {}
    for junction, ways in at.items():
        rows = net.junctions[junction].response
        for number, way in ways.items():
            row = rows.get(number, "")[::-1]  # link 0 stands on the right
            foes = tuple(
                ways[k] for k, bit in enumerate(row) if bit == "1" and k in ways and ways[k][0] != way[0]
            )
            if foes:
                out[way] = foes
    return out
