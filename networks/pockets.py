"""Right turn on red for two-wheelers: a narrow lane at the kerb for the last metres, outside the signal.

SUMO's letter ``s`` lets everyone turn who uses a link, and a lane shared with cars is blocked by the first that waits.
So the last metres of such an approach are an edge of their own with one lane more, for two-wheelers that turn right;
its connection is not controlled by the signal and gives way to all who have green. Two-wheelers change into it from the
lane beside it (decision 0437).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from itertools import pairwise

from networks.geometry import Point, length
from networks.place import Edge

LENGTH = 40.0  # m, assumed: room for a dozen motorbikes one behind another
WIDTH = 1.5  # m: one motorbike and its gaps
RADIUS = 1.5  # m of the node where it begins; the default of netconvert takes 12 m of the street
ALLOWED = "motorcycle moped bicycle"

_SUFFIX = ".stop"


def stop_of(id: str) -> str:
    """Return the id of an approach's last metres, where its lanes are counted from the pocket."""
    return id + _SUFFIX


def node_of(id: str) -> str:
    """Return the id of the node where an approach's pocket begins."""
    return f"{id}.pocket"


def whole(id: str) -> str:
    """Return the id of the edge in the place that an edge of the built net is, or is part of."""
    return id.removesuffix(_SUFFIX)


def expand(route: Iterable[str], pockets: Collection[str]) -> tuple[str, ...]:
    """Return a route over the edges of the built net."""
    return tuple(part for id in route for part in ((id, stop_of(id)) if id in pockets else (id,)))


def cut(edge: Edge) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
    """Return the lines before and along the pocket."""
    left = length(edge.line) - LENGTH
    before = [edge.line[0]]
    for index, (a, b) in enumerate(pairwise(edge.line)):
        size = math.dist(a, b)
        if left <= size:
            at = a[0] + (b[0] - a[0]) * left / size, a[1] + (b[1] - a[1]) * left / size
            return (*before, at), (at, *edge.line[index + 1 :])
        left -= size
        before.append(b)
    raise AssertionError("a line is as long as its parts")
