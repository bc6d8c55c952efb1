"""On which side of the road traffic drives, as an extract itself shows it.

Coordinates do not tell: outlines of countries are wrong where it matters, at borders. What tells is a ``driving_side``
tag; the way round a roundabout, clockwise where traffic drives on the left; and where the other carriageway of a
divided street lies, on the right hand there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import cos, radians

import numpy as np
from numpy.typing import NDArray

from denxanh.networks.importing.osm.extract import Extract, Way

CLEAR = 2 / 3  # of what tells; below it nothing is taken as shown
FARTHEST = 40.0  # m between two carriageways of one street
NEAREST = 3.0  # m, closer are two lines drawn for the same one
PARALLEL = -0.94  # cosine between their directions: 20 degrees from opposite
CURVE = 0.5  # rad that a roundabout's part must turn to say which way round it is
DEGREE = 111_320.0  # m of a degree of latitude
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shown:
    """How many roundabouts, divided streets and tags show each side."""

    left: int
    right: int

    @property
    def lefthand(self) -> bool | None:
        """Whether traffic drives on the left; None where nothing tells, or not clearly."""
        most = max(self.left, self.right)
        return None if not most or most < CLEAR * (self.left + self.right) else self.left > self.right


def side_of(extract: Extract) -> Shown:
    """Return what the extract shows; ``driving_side`` tags outweigh the rest."""
    tags = [side for key, side in extract.sides if key == "driving_side"]
    tags += [way.tags["driving_side"] for way in extract.ways if "driving_side" in way.tags]
    if "left" in tags or "right" in tags:
        return Shown(tags.count("left"), tags.count("right"))
    sides = [side for _, side in extract.sides]
    turns = (_turned(points) for points in _roundabouts(extract))
    sides += ["right" if turn > 0 else "left" for turn in turns if abs(turn) > CURVE]
    sides += _divided(extract)
    return Shown(sides.count("left"), sides.count("right"))


def _points(way: Way, extract: Extract) -> Array:
    """The points of a way in the direction of travel, (n, 2) m east and north."""
    places = [
        (float(extract.nodes[n][1]), float(extract.nodes[n][0])) for n in way.nodes if n in extract.nodes
    ]
    points = np.array(places).reshape(-1, 2) * DEGREE
    if len(points):
        points[:, 0] *= cos(radians(points[0, 1] / DEGREE))
    return points[::-1] if way.tags.get("oneway") == "-1" else points


def _roundabouts(extract: Extract) -> Iterator[Array]:
    for way in extract.ways:
        if way.tags.get("junction") in ("roundabout", "circular"):
            yield _points(way, extract)


def _turned(points: Array) -> float:
    """By how much a line turns on its way, rad, to the left positive."""
    steps = np.diff(points, axis=0)
    steps = steps[np.hypot(*steps.T) > 0]
    headings = np.arctan2(steps[:, 1], steps[:, 0])
    return float(((np.diff(headings) + np.pi) % (2 * np.pi) - np.pi).sum())


def _divided(extract: Extract) -> Iterable[str]:
    """The side that each street with two carriageways of one name shows."""
    streets: dict[str, list[Array]] = defaultdict(list)
    for way in extract.ways:
        one_way = way.tags.get("oneway") in ("yes", "true", "1", "-1")
        if one_way and "name" in way.tags and "junction" not in way.tags:
            streets[way.tags["name"]].append(_points(way, extract))
    for carriageways in streets.values():
        start = np.concatenate([points[:-1] for points in carriageways])
        step = np.concatenate([np.diff(points, axis=0) for points in carriageways])
        long = np.hypot(*step.T) > 0
        if balance := _other_side(start[long], step[long]):
            yield "right" if balance > 0 else "left"


def _other_side(start: Array, step: Array) -> float:
    """Metres of a street whose other carriageway lies to the left of its direction, less those where to the right.

    ``start`` and ``step`` (n, 2) m: its straight pieces.
    """
    length = np.hypot(*step.T)
    ahead = step / length[:, None]
    middle = start + step / 2
    balance = 0.0
    for k in range(len(start)):
        to = middle[k] - start  # (n, 2) from the beginning of each piece
        along = (to * ahead).sum(axis=1)
        beside = (along >= 0) & (along <= length) & (ahead @ ahead[k] < PARALLEL)
        foot = start + along[:, None] * ahead - middle[k]
        offset = ahead[k, 0] * foot[:, 1] - ahead[k, 1] * foot[:, 0]  # to the left positive
        near = beside & (np.abs(offset) >= NEAREST) & (np.abs(offset) <= FARTHEST)
        if near.any():
            nearest = offset[near][np.argmin(np.abs(offset[near]))]
            balance += length[k] * float(np.sign(nearest))
    return balance
