"""The streets of a SUMO net as a graph of edges, one vehicle class at a time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from networks.osm.motorbikes import allows

Array = NDArray[np.float64]
UNSIGNALISED = 0.35  # of the saturation flow; right of way is not modelled, so a cautious share is taken
TURN = 5.0  # s a turn costs beside the time on the street; keeps ways from zigzagging


@dataclass(frozen=True, slots=True)
class Graph:
    """The edges one vehicle class may use."""

    ids: tuple[str, ...]
    time: Array  # (edges,) s at free flow
    capacity: Array  # (edges,) PCU/s at the downstream end
    lanes: NDArray[np.int64]  # (edges,) open to the class
    start: Array  # (edges, 2) m, where each edge begins
    end: Array  # (edges, 2) m, where it ends
    follows: sparse.csr_matrix  # (edges, edges) 1 where a connection leads from row to column

    def entries(self) -> NDArray[np.int64]:
        """Return the edges that nothing leads into."""
        return np.flatnonzero(np.asarray(self.follows.sum(axis=0)).ravel() == 0)

    def exits(self) -> NDArray[np.int64]:
        """Return the edges that lead nowhere."""
        return np.flatnonzero(np.asarray(self.follows.sum(axis=1)).ravel() == 0)

    def costs(self, time: Array) -> sparse.csr_matrix:
        """Return the arc costs, in s, of entering each edge at the given times."""
        arcs = self.follows.tocoo()
        return sparse.csr_matrix((time[arcs.col] + TURN, (arcs.row, arcs.col)), shape=arcs.shape)


def build(net: ET.Element, vehicle_class: str, saturation_flow: float) -> Graph:
    """Return the graph of the edges of ``net`` open to ``vehicle_class``.

    ``saturation_flow`` in PCU/s per lane. Capacity is lanes times saturation flow times the share of green at a
    signal, or ``UNSIGNALISED`` at any other junction where streets meet.
    """
    rows = []
    for edge in net.iterfind("edge"):
        lanes = [lane for lane in edge.findall("lane") if allows(lane, vehicle_class)]
        if edge.get("function") is None and lanes:
            shape = [tuple(map(float, p.split(",")[:2])) for p in lanes[0].get("shape", "").split()]
            first = lanes[0]
            rows.append(
                (
                    edge.get("id", ""),
                    float(first.get("length", "0")) / float(first.get("speed", "1")),
                    len(lanes),
                    (shape[0], shape[-1]),
                    {int(lane.get("index", "-1")) for lane in lanes},
                )
            )
    position = {row[0]: i for i, row in enumerate(rows)}
    green = _green_shares(net)
    arcs: set[tuple[int, int]] = set()
    shares: dict[int, list[float]] = {}
    for c in net.iterfind("connection"):
        a, b = position.get(c.get("from", "")), position.get(c.get("to", ""))
        if a is None or b is None:
            continue
        if int(c.get("fromLane", "-1")) in rows[a][4] and int(c.get("toLane", "-1")) in rows[b][4]:
            arcs.add((a, b))
            shares.setdefault(a, []).append(
                green.get((c.get("tl", ""), c.get("linkIndex", "")), UNSIGNALISED)
            )
    lanes_ = np.array([row[2] for row in rows], dtype=np.int64)
    best = np.array([max(shares.get(i, [1.0])) for i in range(len(rows))])
    ordered = sorted(arcs)
    follows = sparse.csr_matrix(
        (np.ones(len(ordered)), ([a for a, _ in ordered], [b for _, b in ordered])),
        shape=(len(rows), len(rows)),
    )
    return Graph(
        ids=tuple(row[0] for row in rows),
        time=np.array([row[1] for row in rows]),
        capacity=saturation_flow * lanes_ * best,
        lanes=lanes_,
        start=np.array([row[3][0] for row in rows]),
        end=np.array([row[3][1] for row in rows]),
        follows=follows,
    )


def _green_shares(net: ET.Element) -> dict[tuple[str, str], float]:
    """Return for each signal and link index the share of the cycle in which it is green."""
    found: dict[tuple[str, str], float] = {}
    for program in net.iterfind("tlLogic"):
        phases = [(float(p.get("duration", "0")), p.get("state", "")) for p in program.findall("phase")]
        cycle = sum(duration for duration, _ in phases)
        for index in range(len(phases[0][1])):
            green = sum(duration for duration, state in phases if state[index] in "Gg")
            found[program.get("id", ""), str(index)] = green / cycle
    return found
