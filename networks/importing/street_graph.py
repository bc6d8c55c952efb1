"""The edges of a SUMO network that one vehicle class may use, as a graph."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from denxanh.networks.importing.permissions import allows
from denxanh.sim.network import TURN_AROUND

Array = NDArray[np.float64]
# Share of the saturation flow available to a lane without a signal, by SUMO's state letter of the connection. The
# values are cautious because right of way is not modelled.
SHARE = {"M": 0.8, "m": 0.35, "=": 0.4, "s": 0.3, "w": 0.35, "Z": 0.5}
PERMISSIVE = 0.5  # share of the saturation flow in a permissive green
TURN = 5.0  # s added per turn; avoids zigzag routes


@dataclass(frozen=True, slots=True)
class Graph:
    """The edges that one vehicle class may use."""

    ids: tuple[str, ...]
    time: Array  # (edges,) s at free flow
    speed: Array  # (edges,) m/s allowed
    capacity: Array  # (edges,) PCU/s at the downstream end
    lanes: NDArray[np.int64]  # (edges,) open to the class
    start: Array  # (edges, 2) m, where each edge begins
    end: Array  # (edges, 2) m, where it ends
    follows: sparse.csr_matrix  # (edges, edges) 1 where a connection leads from row to column

    def entries(self) -> NDArray[np.int64]:
        """Return the edges without predecessor; all edges if every edge has one."""
        return self._ends(axis=0)

    def exits(self) -> NDArray[np.int64]:
        """Return the edges without successor; all edges if every edge has one."""
        return self._ends(axis=1)

    def _ends(self, *, axis: int) -> NDArray[np.int64]:
        found = np.flatnonzero(np.asarray(self.follows.sum(axis=axis)).ravel() == 0)
        return found if len(found) else np.arange(len(self.ids))

    def costs(self, time: Array) -> sparse.csr_matrix:
        """Return the arc costs, in s, of entering each edge at the given times."""
        arcs = self.follows.tocoo()
        return sparse.csr_matrix((time[arcs.col] + TURN, (arcs.row, arcs.col)), shape=arcs.shape)


def build_graph(net: ET.Element, vehicle_class: str, saturation_flow: float) -> Graph:
    """Return the graph of the edges of ``net`` open to ``vehicle_class``.

    ``saturation_flow`` in PCU/s per lane. Capacity is the sum over lanes of the saturation flow times the mean
    share of the lane's connections: the green share at a signal, else ``SHARE``.
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
                    (float(first.get("length", "0")), float(first.get("speed", "1"))),
                    len(lanes),
                    (shape[0], shape[-1]),
                    {int(lane.get("index", "-1")) for lane in lanes},
                )
            )
    position = {row[0]: i for i, row in enumerate(rows)}
    green = _green_shares(net)
    arcs: set[tuple[int, int]] = set()
    shares: dict[tuple[int, str], list[float]] = {}
    for c in net.iterfind("connection"):
        a, b = position.get(c.get("from", "")), position.get(c.get("to", ""))
        if a is None or b is None or c.get("dir") in TURN_AROUND:  # nobody turns round on a shortest way
            continue
        if int(c.get("fromLane", "-1")) in rows[a][4] and int(c.get("toLane", "-1")) in rows[b][4]:
            arcs.add((a, b))
            unsignalised = SHARE.get(c.get("state", ""), 0.35)
            share = green.get((c.get("tl", ""), c.get("linkIndex", "")), unsignalised)
            shares.setdefault((a, c.get("fromLane", "")), []).append(share)
    lanes_ = np.array([row[2] for row in rows], dtype=np.int64)
    usable = np.array(
        [float(row[2]) for row in rows]
    )  # lanes without connections, at the boundary, have their full capacity
    for i in {a for a, _ in shares}:
        usable[i] = sum(float(np.mean(shares[i, lane])) for lane in {n for a, n in shares if a == i})
    ordered = sorted(arcs)
    follows = sparse.csr_matrix(
        (np.ones(len(ordered)), ([a for a, _ in ordered], [b for _, b in ordered])),
        shape=(len(rows), len(rows)),
    )
    return Graph(
        ids=tuple(row[0] for row in rows),
        time=np.array([row[1][0] / row[1][1] for row in rows]),
        speed=np.array([row[1][1] for row in rows]),
        capacity=saturation_flow * usable,
        lanes=lanes_,
        start=np.array([row[3][0] for row in rows]),
        end=np.array([row[3][1] for row in rows]),
        follows=follows,
    )


def _green_shares(net: ET.Element) -> dict[tuple[str, str], float]:
    """Return for each signal and link index the effective share of green in the cycle."""
    found: dict[tuple[str, str], float] = {}
    worth = {"G": 1.0, "g": PERMISSIVE, "O": SHARE["M"], "o": SHARE["m"]}
    for program in net.iterfind("tlLogic"):
        phases = [(float(p.get("duration", "0")), p.get("state", "")) for p in program.findall("phase")]
        cycle = sum(duration for duration, _ in phases)
        for index in range(max((len(state) for _, state in phases), default=0)):
            green = sum(t * worth.get(state[index : index + 1], 0.0) for t, state in phases)
            found[program.get("id", ""), str(index)] = green / cycle if cycle > 0 else 0.0
    return found
