"""Right of way of every junction of a SUMO network, link by link, and the waiting positions inside it.

``Network`` holds the first by letter for the signals we control; a queue model also needs it where no signal
stands, because a minor road's queue decides what reaches the next signal. The second comes from the split of
the way over a junction at its internal junction: the waiting room of a yielding turn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.network import TURN_AROUND
from denxanh.sim.sumo.conflicts import junction_positions, position_of
from denxanh.sim.sumo.netfile import InternalLane, NetFile

PARTED = 2.5  # m between two ways from one lane, from which vehicles on them pass each other in SUMO (MSLink)
_STEP = 0.25  # m between the points where that is looked at

Way = tuple[str, str]
"""A link by the lanes it leaves and enters."""


@dataclass(frozen=True)
class RightOfWay:
    """Right of way; ways that do not yield, and ways without waiting room, are left out."""

    yields: Mapping[Way, tuple[Way, ...]]  # way → ways it must let pass
    waiting: Mapping[Way, float]  # way → m from the stop line to the point inside where it waits
    parting: Mapping[Way, float] = field(default_factory=dict)
    """Way with waiting room on a lane that leads elsewhere too → m from the stop line to where it has parted from those
    other ways by PARTED; inf if it waits before that. Who waits with its back before this point holds up its lane."""


def right_of_way(net: NetFile) -> RightOfWay:
    """The right of way at every junction, from the request rows and the internal lanes."""
    places = junction_positions(net)
    onward = {raw.start: raw.via for raw in net.connections if raw.start.startswith(":") and raw.via}
    at: dict[str, dict[int, Way]] = defaultdict(dict)
    waiting = {}
    inside: dict[str, dict[Way, InternalLane]] = defaultdict(dict)  # lane → its ways, except for turning back
    for raw in net.connections:
        if raw.start not in net.lanes or raw.end not in net.lanes:
            continue
        place = position_of(raw, places, onward)
        if place is not None:
            at[place[0]][place[1]] = raw.start, raw.end
        if raw.via in net.internal and raw.direction not in TURN_AROUND:
            inside[raw.start][raw.start, raw.end] = net.internal[raw.via]
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
    parting = {}
    for way in waiting:
        others = [lane for other, lane in inside[way[0]].items() if other != way]
        if others and way in inside[way[0]]:
            parting[way] = max(_parting(inside[way[0]][way], other) for other in others)
    return RightOfWay(yields, waiting, parting)


def _parting(lane: InternalLane, other: InternalLane) -> float:
    """How far along ``lane`` it comes PARTED from ``other``, which begins where it does, m; inf if it does not."""
    along, points = _points(lane)
    _, theirs = _points(other)
    apart = np.hypot(*(points[:, None] - theirs[None]).transpose(2, 0, 1)).min(axis=1)
    near = np.flatnonzero(apart <= PARTED)
    last = int(near[-1]) if near.size else -1
    return float("inf") if last + 1 == len(along) else float(along[last + 1])


def _points(lane: InternalLane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances along a lane, m, and the points there, (n, 2)."""
    corners = np.array(lane.shape, dtype=np.float64)
    at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))])
    along = np.arange(0.0, at[-1] + _STEP, _STEP)
    return along, np.column_stack([np.interp(along, at, corners[:, k]) for k in (0, 1)])
