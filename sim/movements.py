"""Movements of a signal as an engineer names them: approach, turn, and lane groups by the HCM's rule.

An approach is a road that leads to a stop line of the signal; it is named by its direction of travel ("NB" is
northbound), for which the network's y axis must point north, as netconvert makes it of maps. Turns are those on the
map, on whichever side traffic drives: SUMO's letters say the same in left-hand traffic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from denxanh.sim.network import TURN_AROUND, Intersection, Movement, Network

Turn = Literal["left", "through", "right", "u-turn"]

POINTS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")
"""The eight compass points, clockwise from north."""

_TURNS: dict[str, Turn] = {"s": "through", "l": "left", "L": "left", "r": "right", "R": "right"}
_LETTERS: dict[Turn, str] = {"left": "L", "through": "T", "right": "R", "u-turn": "U"}


@dataclass(frozen=True)
class SignalMovement:
    """A movement of a signal with its engineer's names."""

    signal: str
    name: str  # "from_edge>to_edge", as Movement.name
    bound: str  # direction of travel at the stop line: "NB", "NEB", …
    turn: Turn
    opposed: bool  # it turns across oncoming traffic
    label: str  # "NBL" is northbound left, then T through, R right, U U-turn; two movements may share one
    links: tuple[int, ...]  # positions of its letters in the state string
    lanes: tuple[str, ...]  # stop-line lanes, from the kerb
    lane_groups: tuple[int, ...]  # indices of the lane groups that serve it


@dataclass(frozen=True)
class LaneGroup:
    """Stop-line lanes that the HCM analyses together (7th ed., exhibit 19-19)."""

    signal: str
    approach: str  # edge
    lanes: tuple[str, ...]
    movements: tuple[str, ...]  # names of the movements that it serves
    shared: bool  # it serves several turns, and is one lane


@dataclass(frozen=True)
class SignalMovements:
    """All movements of a signal, in the order of ``Intersection.movements``, and its lane groups."""

    movements: tuple[SignalMovement, ...]
    lane_groups: tuple[LaneGroup, ...]


def signal_movements(network: Network) -> dict[str, SignalMovements]:
    """Movements and lane groups by signal; crossings of people on foot are none."""
    return {name: _of(network, intersection) for name, intersection in network.intersections.items()}


def crossing_names(intersection: Intersection) -> dict[str, int]:
    """The links of crossings with a letter of their own, named P1, P2, … in the order of their letters."""
    driven = {link for movement in intersection.movements for link in movement.links}
    return {f"P{k}": link for k, link in enumerate(sorted(intersection.crossings.keys() - driven), 1)}


def compass(degrees: float) -> str:
    """The nearest of the eight compass points of a bearing in degrees clockwise from north.

    >>> compass(50.0), compass(350.0)
    ('NE', 'N')
    """
    return POINTS[round(degrees / 45) % 8]


def comes_from(bound: str) -> str:
    """The compass point that traffic of a direction of travel comes from.

    >>> comes_from("NB"), comes_from("SWB")
    ('S', 'NE')
    """
    return POINTS[(POINTS.index(bound.removesuffix("B")) + 4) % 8]


def turn_of(direction: str) -> Turn:
    """The turn of a SUMO direction letter: s, l, L, r, R, t or T."""
    return "u-turn" if direction in TURN_AROUND else _TURNS[direction]


def _of(network: Network, intersection: Intersection) -> SignalMovements:
    served: dict[str, list[Movement]] = {}  # by stop-line lane
    for movement in intersection.movements:
        for number in movement.approaches:
            served.setdefault(intersection.approaches[number].lane, []).append(movement)
    groups = _lane_groups(network, intersection, served)
    movements = []
    for movement in intersection.movements:
        bound = bound_of(network, movement.start)
        turn = turn_of(movement.direction)
        lanes = {intersection.approaches[number].lane for number in movement.approaches}
        movements.append(
            SignalMovement(
                signal=intersection.id,
                name=movement.name,
                bound=bound,
                turn=turn,
                opposed=movement.direction in network.opposed_turns,
                label=bound + _LETTERS[turn],
                links=movement.links,
                lanes=tuple(lane for lane in network.edges[movement.start].lanes if lane in lanes),
                lane_groups=tuple(k for k, group in enumerate(groups) if movement.name in group.movements),
            )
        )
    return SignalMovements(tuple(movements), groups)


def _lane_groups(
    network: Network, intersection: Intersection, served: Mapping[str, Sequence[Movement]]
) -> tuple[LaneGroup, ...]:
    """A shared lane is a group of its own; the exclusive lanes of a turn that the same vehicles may use are one.

    Those who turn around count with the turn that they make it from, across oncoming traffic.
    """
    across: Turn = "right" if network.lefthand else "left"
    groups: dict[tuple[object, ...], list[str]] = {}
    shared: set[str] = set()
    for edge in dict.fromkeys(movement.start for movement in intersection.movements):
        for lane in (lane for lane in network.edges[edge].lanes if lane in served):
            turns = {turn_of(movement.direction) for movement in served[lane]}
            turns = {across if turn == "u-turn" else turn for turn in turns}
            if len(turns) > 1:
                groups[edge, lane] = [lane]
                shared.add(lane)
            else:
                groups.setdefault((edge, *turns, network.lanes[lane].allow), []).append(lane)
    return tuple(
        LaneGroup(
            signal=intersection.id,
            approach=network.lanes[lanes[0]].edge,
            lanes=tuple(lanes),
            movements=tuple(sorted({movement.name for lane in lanes for movement in served[lane]})),
            shared=lanes[0] in shared,
        )
        for lanes in groups.values()
    )


def bound_of(network: Network, edge: str) -> str:
    """The direction of travel at the end of a road: "NB" is northbound."""
    return f"{compass(_bearing(network, edge))}B"


def _bearing(network: Network, edge: str) -> float:
    """Direction of travel at the end of a road, degrees clockwise from north; of its last two points that differ."""
    shape = network.lanes[network.edges[edge].lanes[-1]].shape or network.edges[edge].shape
    end = shape[-1]
    start = next((point for point in reversed(shape) if point != end), end)
    return math.degrees(math.atan2(end[0] - start[0], end[1] - start[1])) % 360
