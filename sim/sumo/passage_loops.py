"""Loops that record when each vehicle leaves an approach of a signal and when it is past the junction.

They are lane detectors of SUMO (``instantInductionLoop``), not devices of vehicles: they change neither the traffic
nor the trips that SUMO writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.sax.saxutils import unescape

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import RunError

LOOPS = "loops.xml"

_GAP = 0.1  # m between a loop and the end of its lane
_PREFIX = "denxanh."  # of a loop's id, which no detector of the user may have
_BEFORE, _BEYOND = "a", "b"  # the letter after it: at the stop line, or past the junction
_END = "</instantE1>"
_ENTER = re.compile(
    r'<instantOut id="denxanh\.(.)([^"]*)" time="([^"]*)" state="enter" vehID="([^"]*)" speed="([^"]*)"'
)


@dataclass(frozen=True)
class Crossings:
    """Fronts of vehicles over loops, in time order. Arrays (n,)."""

    vehicle: tuple[str, ...]
    lane: tuple[str, ...]
    beyond: NDArray[np.bool_]  # past the junction; else at the stop line
    time: NDArray[np.float64]  # s
    speed: NDArray[np.float64]  # m/s


def add_loops(root: Element, approaches: Iterable[str], exits: Iterable[str]) -> None:
    """Add a loop at the end of each approach lane and at the begin of each exit lane to an additional file."""
    for kind, lanes, position in ((_BEFORE, approaches, -_GAP), (_BEYOND, exits, _GAP)):
        for lane in lanes:
            ElementTree.SubElement(
                root,
                "instantInductionLoop",
                id=_PREFIX + kind + lane,
                lane=lane,
                pos=f"{position:g}",
                friendlyPos="true",
                file=LOOPS,
            )


def read_loops(path: Path) -> Crossings:
    """Read what the loops wrote; nothing where there were none. Raises RunError for a file that is cut off."""
    rows: list[tuple[str, ...]] = []
    last = _END
    if path.exists():
        with path.open(encoding="utf-8") as lines:  # line by line: hundreds of megabytes in a large network
            for line in lines:
                last = line if line.strip() else last
                found = _ENTER.search(line)
                if found:
                    rows.append(found.groups())
    if _END not in last and not last.rstrip().endswith("/>"):
        raise RunError(f"{path.name} is cut off or damaged: the disk may be full")
    return Crossings(
        vehicle=tuple(unescape(row[3]) for row in rows),
        lane=tuple(unescape(row[1]) for row in rows),
        beyond=np.array([row[0] == _BEYOND for row in rows], dtype=np.bool_),
        time=np.array([float(row[2]) for row in rows]),
        speed=np.array([float(row[4]) for row in rows]),
    )
