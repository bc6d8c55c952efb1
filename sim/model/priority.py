"""Who yields to whom, link by link, at every junction of a SUMO network, and where one may wait inside it.

``Network`` holds the first by letter for the signals we control; a queue model also needs it where no signal
stands, because a minor road's queue decides what reaches the next signal. The second comes from the split of
the way over a junction at its internal junction: the waiting room of a turner who lets others pass.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sim.conflicts import junction_positions, position_of
from sim.netfile import NetFile

Way = tuple[str, str]
"""A link by the lanes it leaves and enters."""


@dataclass(frozen=True)
class RightOfWay:
    """Ways that yield to nobody, and ways without waiting room, are left out."""

    yields: Mapping[Way, tuple[Way, ...]]  # way → ways it must let pass
    waiting: Mapping[Way, float]  # way → m from the stop line to the point inside where it waits


def right_of_way(net: NetFile) -> RightOfWay:
    """The right of way at every junction, from the request rows and the internal lanes."""
    places = junction_positions(net)
    onward = {raw.start: raw.via for raw in net.connections if raw.start.startswith(":") and raw.via}
    at: dict[str, dict[int, Way]] = defaultdict(dict)
    waiting = {}
    for raw in net.connections:
        if raw.start not in net.lanes or raw.end not in net.lanes:
            continue
        place = position_of(raw, places, onward)
        if place is not None:
            at[place[0]][place[1]] = raw.start, raw.end
        if raw.via in onward and raw.via in net.internal:
            waiting[raw.start, raw.end] = net.internal[raw.via].length
    yields = {}
    for junction, ways in at.items():
        rows = net.junctions[junction].response
        for number, way in ways.items():
            row = rows.get(number, "")[::-1]  # link 0 stands on the right
            foes = tuple(ways[k] for k, bit in enumerate(row) if bit == "1" and k in ways)
            foes = tuple(foe for foe in foes if foe[0] != way[0])
            if foes:
                yields[way] = foes
    return RightOfWay(yields, waiting)
