"""Which links of a signal cross or merge, and which of them must yield, from the junctions' request rows.

Only links of one junction are compared: rows of different junctions of a joined signal say nothing of each
other. One letter may drive several links: the letters conflict if any of their links do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.network import Bools
from denxanh.sim.sumo.netfile import NetFile, RawConnection


def junction_positions(net: NetFile) -> dict[str, tuple[str, int]]:
    """Internal lane → (junction, link number within it).

    A network without internal lanes has the same numbers: its links by incoming lane and in the order of the file,
    under the name that ``_ways`` gives them.
    """
    out = {lane: (j.id, k) for j in net.junctions.values() for k, lane in enumerate(j.int_lanes)}
    leaving: dict[str, list[RawConnection]] = {}
    for connection in net.connections:
        leaving.setdefault(connection.start, []).append(connection)
    for j in net.junctions.values():
        if not j.int_lanes and j.foes:
            links = [connection for lane in j.inc_lanes for connection in leaving.get(lane, ())]
            out.update((_ways(connection), (j.id, k)) for k, connection in enumerate(links))
    return out


def _ways(connection: RawConnection) -> str:
    """A name for a connection without internal lane; no id of SUMO's holds '>'."""
    return f"{connection.start}>{connection.end}"


def position_of(
    connection: RawConnection,
    places: dict[str, tuple[str, int]],
    onward: dict[str, str],
) -> tuple[str, int] | None:
    """Where a connection stands in its junction's rows; follows internal junctions along ``via``.

    ``onward`` maps an internal lane to the via of the connection that starts at it.
    """
    if not connection.via and (place := places.get(_ways(connection))) is not None:
        return place
    lane = connection.via or connection.end  # a crossing has no via: it is the lane itself
    seen = set()
    while lane not in places:
        seen.add(lane)
        lane = onward.get(lane, "")
        if not lane or lane in seen:
            return None
    return places[lane]


def conflict_matrices(
    n_links: int, placed: Sequence[tuple[int, tuple[str, int] | None]], net: NetFile
) -> tuple[Bools, Bools]:
    """``foes`` and ``yields``, each (n_links, n_links), from pairs (link index, place in a junction)."""
    foes = np.zeros((n_links, n_links), dtype=np.bool_)
    yields = np.zeros((n_links, n_links), dtype=np.bool_)
    by_junction: dict[str, list[tuple[int, int]]] = {}  # (link index, place)
    for a, location in placed:
        if location is not None:
            by_junction.setdefault(location[0], []).append((a, location[1]))
    unknown = [
        a for a, location in placed if location is None or location[1] not in net.junctions[location[0]].foes
    ]
    for a in {*unknown}:  # may conflict with any other: green together only where the program shows it
        foes[a, [b for b, _ in placed if b != a]] = True
    for junction, pairs in by_junction.items():
        links, places = np.array(pairs).T
        requests = net.junctions[junction]
        for matrix, rows in ((foes, requests.foes), (yields, requests.response)):
            found = np.array([_bits(rows.get(int(k), ""), places) for k in places])
            np.logical_or.at(matrix, np.ix_(links, links), found & (links[:, None] != links[None, :]))
    return foes | foes.T, yields


def beyond_the_signal(placed: Sequence[tuple[int, tuple[str, int] | None]], net: NetFile) -> frozenset[int]:
    """Link indices whose way crosses or joins one that no letter of this signal drives, or whose place is unknown."""
    driven = {location for _, location in placed}
    out = set()
    for index, location in placed:
        row = net.junctions[location[0]].foes.get(location[1], "")[::-1] if location is not None else "1"
        if location is None or any(
            bit == "1" and (location[0], k) not in driven for k, bit in enumerate(row)
        ):
            out.add(index)
    return frozenset(out)


def junctions_by_letter(placed: Sequence[tuple[int, tuple[str, int] | None]]) -> dict[int, frozenset[str]]:
    """The junctions that the links of each letter cross, by link index; unknown places are left out."""
    out: dict[int, frozenset[str]] = {}
    for index, location in placed:
        if location is not None:
            out[index] = out.get(index, frozenset()) | {location[0]}
    return out


def _bits(row: str, places: NDArray[np.int64]) -> Bools:
    """The bits of a request row at these places; rows are written with link 0 on the right."""
    bits = np.zeros(max(int(places.max()) + 1, len(row)), dtype=np.bool_)
    bits[: len(row)] = np.frombuffer(row[::-1].encode(), dtype=np.uint8) == ord("1")
    return bits[places]
