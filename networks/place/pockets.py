"""Right turn on red for two-wheelers: a narrow lane at the kerb for the last metres, outside the signal.

SUMO's link state ``s`` applies to all vehicles of a link, and in a shared lane the first waiting car blocks the others.
Therefore the last metres of such an approach are a separate edge with an additional lane for two-wheelers that turn
right; its connection is not controlled by the signal and yields to all streams with green. Two-wheelers change into it
from the lane beside it (decision 0437).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from itertools import pairwise

from denxanh.networks.place.geometry import Point, length
from denxanh.networks.place.place import Edge

LENGTH = 40.0  # m, assumed: a queue of a dozen motorbikes
WIDTH = 1.5  # m: one motorbike and its lateral gaps
RADIUS = 1.5  # m, of the node where the lane begins; netconvert's default takes 12 m of the street
ALLOWED = "motorcycle moped bicycle"

_SUFFIX = ".stop"


def stop_of(id: str) -> str:
    """Return the id of the edge of an approach's last metres; its lane 0 is the pocket."""
    return id + _SUFFIX


def node_of(id: str) -> str:
    """Return the id of the node where an approach's pocket begins."""
    return f"{id}.pocket"


def whole(id: str) -> str:
    """Return the id of the place's edge that an edge of the built network is, or is part of."""
    return id.removesuffix(_SUFFIX)


def expand(route: Iterable[str], pockets: Collection[str]) -> tuple[str, ...]:
    """Return a route with the edges of the built network."""
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
