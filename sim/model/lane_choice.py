"""Which lanes a route may use on each of its roads, and what choosing each of them costs further on.

For every position of a route: the lanes that lead to the next road, the link each would take, and a bias:
the lane changes that choosing it will need later, each worth ``change / length`` metres of queue on the
road where it happens. On a long road changing is nearly free, on one of ten metres nearly impossible.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.errors import InputError
from denxanh.sim.network import Link, Network

LOOK_AHEAD = 6  # roads; farther ones no longer matter for the choice of lane


@dataclass(frozen=True)
class LaneChoice:
    """Choices as arrays: block c covers entries ``first[c] : first[c + 1]``."""

    start: NDArray[np.int32]  # (routes + 1,) first position of each route in ``block``
    block: NDArray[np.int32]  # (positions,) block of choices, −1 on a route's last road
    first: NDArray[np.int32]  # (blocks + 1,)
    lane: NDArray[np.int32]  # (entries,)
    link: NDArray[np.int32]  # (entries,)
    bias: NDArray[np.float32]  # (entries,) m of queue


Choice = dict[int, tuple[float, int]]  # lane → (bias in m, link)


class _Planner:
    def __init__(self, network: Network, links: Sequence[Link], change: float, vclass: str) -> None:
        self.network = network
        self.number = {name: i for i, name in enumerate(network.lanes)}
        self.change = change
        self.between: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.links = links
        for k, link in enumerate(links):
            if not {vclass} <= network.lanes[link.start].allow & network.lanes[link.end].allow:
                continue
            pair = network.lanes[link.start].edge, network.lanes[link.end].edge
            self.between[pair].append(k)
        self.known: dict[tuple[str, ...], Choice] = {}

    def choice(self, ahead: tuple[str, ...]) -> Choice:
        """Lanes of ``ahead[0]`` that lead to ``ahead[1]``, looking at the roads after it."""
        found = self.known.get(ahead)
        if found is None:
            later = self.choice(ahead[1:]) if len(ahead) > 2 else {}
            length = max(self.network.edges[ahead[1]].length, 1.0)
            found = {}
            for k in self.between.get((ahead[0], ahead[1]), ()):
                start, end = self.number[self.links[k].start], self.number[self.links[k].end]
                cost = min(
                    (bias + abs(lane - end) * self.change / length for lane, (bias, _) in later.items()),
                    default=0.0,
                )
                if start not in found or cost < found[start][0]:
                    found[start] = (cost, k)
            self.known[ahead] = found
        return found


def joined(
    network: Network, links: Sequence[Link], routes: Sequence[tuple[tuple[str, ...], str]], change: float
) -> list[bool]:
    """Whether ``links`` lead along each route, given with its SUMO vehicle class."""
    planners = {
        vclass: _Planner(network, links, change, vclass) for vclass in {vclass for _, vclass in routes}
    }
    return [all(planners[vclass].between.get(pair) for pair in pairwise(way)) for way, vclass in routes]


def lane_choice(
    network: Network, links: Sequence[Link], routes: Sequence[tuple[tuple[str, ...], str]], change: float
) -> LaneChoice:
    """Choices along each route, given with its SUMO vehicle class.

    Raises InputError for a route with two roads that no lane of the class joins.
    """
    planners = {
        vclass: _Planner(network, links, change, vclass) for vclass in {vclass for _, vclass in routes}
    }
    blocks: dict[tuple[tuple[int, int, float], ...], int] = {}
    seen: dict[tuple[str, tuple[str, ...]], int] = {}
    start, position = [0], []
    for route, vclass in routes:
        for i in range(len(route) - 1):
            ahead = route[i : i + LOOK_AHEAD]
            block = seen.get((vclass, ahead))
            if block is None:
                found = planners[vclass].choice(ahead)
                if not found:
                    raise InputError(
                        f"no lane leads from road {ahead[0]!r} to {ahead[1]!r}",
                        location=network.name,
                        remedy="use routes made for this network and vehicle class",
                    )
                least = min(bias for bias, _ in found.values())
                key = tuple((lane, k, round(bias - least, 3)) for lane, (bias, k) in sorted(found.items()))
                block = seen[vclass, ahead] = blocks.setdefault(key, len(blocks))
            position.append(block)
        position.append(-1)
        start.append(len(position))
    entries = [entry for key in blocks for entry in key]
    return LaneChoice(
        start=np.array(start, dtype=np.int32),
        block=np.array(position, dtype=np.int32),
        first=np.cumsum([0, *(len(key) for key in blocks)]).astype(np.int32),
        lane=np.array([e[0] for e in entries], dtype=np.int32),
        link=np.array([e[1] for e in entries], dtype=np.int32),
        bias=np.array([e[2] for e in entries], dtype=np.float32),
    )
