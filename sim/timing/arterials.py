"""Arterials: chains of signals along one road, found from the straight-on movements of the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from denxanh.sim.network import Intersection, Movement, Network

FARTHEST = 1000.0  # m between two signals beyond which platoons have spread (HCM 2010: 1 to 2 min of travel)


@dataclass(frozen=True)
class Hop:
    """The way from one signal's stop line to the next one's."""

    length: float  # m
    time: float  # s at the legal limits


@dataclass(frozen=True)
class Arterial:
    """Signals in outbound order. ``links`` and ``back_links`` are the link indices that go straight on.

    ``back`` and ``back_links`` are empty where the road is one-way or its ways differ.
    """

    signals: tuple[str, ...]
    links: tuple[tuple[int, ...], ...]
    hops: tuple[Hop, ...]  # hop k leads from signal k to signal k + 1
    back_links: tuple[tuple[int, ...], ...] = ()
    back: tuple[Hop, ...] = ()  # hop k leads from signal k + 1 to signal k

    @property
    def two_way(self) -> bool:
        """Whether the opposite direction passes the same signals."""
        return bool(self.back)


def arterials(network: Network, *, least: int = 2) -> tuple[Arterial, ...]:
    """Chains of at least ``least`` signals, the longest first; each road's two directions are one arterial."""
    finder = _Finder(network)
    after = {start: finder.after(start) for start in finder.through}
    followed = {hop[0] for hop in after.values() if hop is not None}
    chains = [_chain(start, after) for start in sorted(finder.through) if start not in followed]
    chains += _rings(after, chains)
    ways = [finder.way(chain) for chain in chains if len(chain) >= least]
    return _paired(ways)


class _Finder:
    """Follows roads from signal to signal."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.through: dict[str, tuple[Intersection, Movement]] = {}  # approach road → its way straight on
        for intersection in network.intersections.values():
            for movement in intersection.movements:
                if movement.direction == "s":
                    kept = self.through.get(movement.start)
                    if kept is None or kept[1].saturation_flow < movement.saturation_flow:
                        self.through[movement.start] = (intersection, movement)
        self.straight: dict[str, set[str]] = {}  # road → roads that follow without a signal
        for link in network.links:
            if link.index < 0 and link.start in network.lanes and link.end in network.lanes:
                roads = network.lanes[link.start].edge, network.lanes[link.end].edge
                if link.direction == "s":
                    self.straight.setdefault(roads[0], set()).add(roads[1])

    def after(self, start: str) -> tuple[str, Hop] | None:
        """The next approach road straight on and the way to its stop line."""
        edge = self.network.edges.get(self.through[start][1].end)
        if edge is None:
            return None
        length, time, seen = edge.length, edge.length / edge.speed, {edge.id}
        while edge.id not in self.through:
            onward = self.straight.get(edge.id, set()) - seen
            if len(onward) != 1 or length > FARTHEST:
                return None
            edge = self.network.edges[next(iter(onward))]
            seen.add(edge.id)
            length, time = length + edge.length, time + edge.length / edge.speed
        return (edge.id, Hop(length, time)) if length <= FARTHEST else None

    def way(self, chain: list[str]) -> Arterial:
        """One direction as an Arterial."""
        places = [self.through[start] for start in chain]
        hops = [self.after(start) for start in chain[:-1]]
        return Arterial(
            tuple(intersection.id for intersection, _ in places),
            tuple(movement.links for _, movement in places),
            tuple(hop[1] for hop in hops if hop is not None),
        )


def _chain(start: str, after: Mapping[str, tuple[str, Hop] | None]) -> list[str]:
    chain = [start]
    while (hop := after[chain[-1]]) is not None and hop[0] not in chain:
        chain.append(hop[0])
    return chain


def _rings(after: Mapping[str, tuple[str, Hop] | None], chains: list[list[str]]) -> list[list[str]]:
    """Ring roads have no first signal: they are cut at their smallest name."""
    seen = {start for chain in chains for start in chain}
    out = []
    for start in sorted(after):
        if start not in seen:
            out.append(_chain(start, after))
            seen |= set(out[-1])
    return out


def _paired(ways: list[Arterial]) -> tuple[Arterial, ...]:
    """Join each way with the one that passes the same signals in reverse."""
    ways = sorted(ways, key=lambda way: (-len(way.signals), way.signals))
    out, used = [], set()
    for k, way in enumerate(ways):
        if k in used or len(set(way.signals)) < len(way.signals):
            continue
        reverse = next(
            (j for j, w in enumerate(ways) if j != k and j not in used and w.signals == way.signals[::-1]),
            None,
        )
        if reverse is not None:
            used.add(reverse)
            other = ways[reverse]
            way = Arterial(way.signals, way.links, way.hops, other.links[::-1], other.hops[::-1])
        used.add(k)
        out.append(way)
    return tuple(out)
