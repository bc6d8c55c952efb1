"""Capacity of signalised approaches under a plan, permissive left turns included."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Set
from itertools import combinations

from denxanh.networks.place.place import Edge, Place, Signal, Turn

# Webster's 525 pcu/h per metre of approach (Webster 1958; in motorcycles 525 · 3.4 = 1 785 /h/m).
SATURATION_FLOW = 525 / 3600  # PCU/s per metre of approach
CRITICAL_GAP = 4.5  # s, permissive left turn (HCM 2000, chapter 16)
FOLLOW_UP = 2.5  # s, idem
RIGHT = 1 / 0.85  # through-PCU equivalent of a right turn (HCM 2000, exhibit 16-7)
# the same from a shared lane where most are two-wheelers: 2.2 to 2.9 in `lane`, 3.4 in `sublane` (decision 1140)
SHARED_RIGHT_EQUIVALENT = 2.5
MIN_UNBLOCKED = 0.1  # minimum, of the green: some left turns always complete at the end of green


def saturation_flow(edge: Edge) -> float:
    """Return the saturation flow of an approach in PCU/s."""
    return SATURATION_FLOW * edge.lanes * edge.lane_width


def approach_capacity(place: Place, flow: Mapping[str, float]) -> dict[str, float]:
    """Return the capacity in PCU/s of every edge that ends at a signal, given the ``flow`` in PCU/s on every edge.

    A turn needs ``share · e · C/g`` of a lane, with e the equivalent of a turn. Any set of turns must fit
    into the lanes open to at least one of them; the most restrictive set determines the capacity (Hall 1935).
    """
    found: dict[str, float] = {}
    slow = _slow_rights(place)
    for signal in place.signals:
        for edge, equivalents in _equivalents(place, signal, flow, slow):
            need = {t: t.share * e * place.plan.cycle / _green(signal, t) for t, e in equivalents.items()}
            found[edge.id] = SATURATION_FLOW * edge.lane_width / _load_per_lane(need)
    return found


def critical_flow_ratio(place: Place, flow: Mapping[str, float]) -> dict[str, float]:
    """Return Webster's Y of every signal: the sum over its stages of the largest flow ratio of an approach.

    ``flow`` is in PCU/s on every edge. A turn that several stages serve is divided in proportion to their greens.
    """
    found: dict[str, float] = {}
    slow = _slow_rights(place)
    for signal in place.signals:
        largest = [0.0] * len(signal.stages)
        for edge, equivalents in _equivalents(place, signal, flow, slow):
            lane = SATURATION_FLOW * edge.lane_width
            for k, (stage, green) in enumerate(zip(signal.stages, signal.green, strict=True)):
                load = {
                    t: flow[edge.id] * t.share * e * green / _green(signal, t)
                    for t, e in equivalents.items()
                    if (t.start, t.end) in stage
                }
                if load:
                    largest[k] = max(largest[k], _load_per_lane(load) / lane)
        found[signal.node] = sum(largest)
    return found


def _equivalents(
    place: Place, signal: Signal, flow: Mapping[str, float], slow: Set[Turn]
) -> Iterator[tuple[Edge, dict[Turn, float]]]:
    """Yield every approach of a signal with the through-PCU equivalents of its turns, those of ``slow`` among them."""
    arriving = [e for e in place.edges.values() if e.end == signal.node]
    turns = {e.id: [t for t in place.turns if t.start == e.id] for e in arriving}
    for edge in arriving:
        found: dict[Turn, float] = {}
        for turn in turns[edge.id]:
            green = _green(signal, turn)
            opposing = [
                other
                for other in arriving
                if turn.direction == "left" and other is not edge and _crosses(signal, turn, turns[other.id])
            ]
            factor = max((_left_equivalent(place, o, flow[o.id], green) for o in opposing), default=1.0)
            if turn.direction == "right":
                factor = SHARED_RIGHT_EQUIVALENT if turn in slow else RIGHT
            found[turn] = factor
        yield edge, found


def _slow_rights(place: Place) -> set[Turn]:
    """Return the right turns that hold up two-wheelers beside them; where these have a lane to turn, only cars do."""
    if not place.side_by_side:
        return set()
    return {turn for turn, _ in place.shared_rights() if turn.start not in place.pockets}


def _load_per_lane(load: Mapping[Turn, float]) -> float:
    """Return the load of the set of turns that has the largest load for each lane open to it (Hall 1935)."""
    return max(
        sum(load[t] for t in chosen) / len({lane for t in chosen for lane, _ in t.lanes})
        for size in range(1, len(load) + 1)
        for chosen in combinations(load, size)
    )


def _green(signal: Signal, turn: Turn) -> float:
    """Return the green time of a turn in a cycle, s."""
    return sum(g for g, s in zip(signal.green, signal.stages, strict=True) if (turn.start, turn.end) in s)


def _crosses(signal: Signal, left: Turn, others: list[Turn]) -> bool:
    """Return whether the through turns among ``others`` share every stage of the left turn."""
    mine = [s for s in signal.stages if (left.start, left.end) in s]
    return any(o.direction == "through" and all((o.start, o.end) in s for s in mine) for o in others)


def _left_equivalent(place: Place, opposing: Edge, flow: float, green: float) -> float:
    """Return the through-PCU equivalent of a permissive left turn across ``opposing`` (HCM 2000, chapter 16).

    Gap acceptance s_p = v e^(−v t_c) / (1 − e^(−v t_f)) in the part of the green after the opposing queue
    has cleared, g_u/g = (1 − x)/(1 − y).
    """
    full = saturation_flow(opposing)
    y = min(flow / full, 0.9)
    x = min(y * place.plan.cycle / green, 1.0)
    unblocked = max((1 - x) / (1 - y), MIN_UNBLOCKED)
    filtered = flow * math.exp(-flow * CRITICAL_GAP) / -math.expm1(-flow * FOLLOW_UP)
    lane = SATURATION_FLOW * opposing.lane_width
    return max(1.0, lane / filtered / unblocked)
