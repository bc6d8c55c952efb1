"""The table of movements: the manual's measures by movement, lane group, approach and intersection."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.measures.signal_history import Greens, greens
from denxanh.sim.measures.signal_passages import Passages
from denxanh.sim.movements import SignalMovements, signal_movements
from denxanh.sim.network import Intersection, Network
from denxanh.sim.timing.back_of_queue import storage_ratio
from denxanh.sim.timing.hcm_delay import arrival_type, level_of_service, platoon_ratio, volume_to_capacity

Array = NDArray[np.float64]
Level = Literal["movement", "lane group", "approach", "intersection"]

COLUMNS = {
    "level": "movement, lane group, approach or intersection",
    "signal": "its id",
    "name": "of the movement (from_edge>to_edge), the lanes of the group, the edge of the approach, or the signal",
    "label": "direction of travel and turn, as NBL; empty for an intersection",
    "arrivals": "vehicles that would have come to the stop line in the measured window without delay",
    "served": "of them, past the junction at the end",
    "flow_vph": "arrivals an hour",
    "green_s": "in which at least one of its links is green",
    "capacity_vph": "saturation flow times the share of green, in vehicles of its mix",
    "vc": "flow over capacity",
    "control_delay_s": "mean over arrivals",
    "los": "A to F by delay; F for movements and lane groups where v/c exceeds 1",
    "stops": "halts per vehicle, seen every few seconds",
    "queue_p50_m": "median over the cycles of the longest back of queue",
    "queue_p95_m": "its 95th percentile",
    "storage_ratio": "that over the road in front of the stop line",
    "on_green": "share of arrivals on green",
    "platoon_ratio": "on_green over the share of green",
    "arrival_type": "1 to 6 by platoon ratio",
    "cycle_failures": "share of greens that left a waiting vehicle for a later one",
    "green_utilisation": "share of the green that its vehicles need at saturation flow",
}
"""Columns of the table and what they hold."""


@dataclass(frozen=True)
class Queues:
    """Halted vehicles, sampled through the run."""

    time: Array  # (samples,) s
    lanes: tuple[str, ...]  # stop-line lanes
    back: Array  # (samples, lanes) m from the stop line to the rear of the last halted vehicle, 0 without one
    halts: Mapping[
        str, Sequence[float]
    ]  # s, the samples in which a vehicle was first seen halted, by vehicle


@dataclass(frozen=True)
class _Group:
    """What a row is about."""

    level: Level
    name: str
    label: str
    chosen: NDArray[np.bool_]  # (passages,)
    lanes: tuple[str, ...]
    links: tuple[int, ...]
    saturation: float | None  # veh/s, None where capacity has no meaning
    storage: float  # m


@dataclass(frozen=True)
class _Facts:
    """What all rows of a signal are computed from."""

    passages: Passages  # of the signal
    weight: Array  # (passages,) veh
    pcu: Array  # (passages,)
    stops: Array  # (passages,)
    queues: Queues
    begin: float  # s
    end: float


def movement_table(
    network: Network,
    history: Mapping[str, tuple[Sequence[float], Sequence[str]]],
    passages: Passages,
    queues: Queues,
    weight: Array,
    pcu: Array,
    *,
    begin: float,
    end: float,
    history_end: float | None = None,
) -> dict[str, list[object]]:
    """The measures as columns, see COLUMNS; the rows of a signal follow each other, movements first.

    ``history`` gives the changes (times s, states) of each signal, ``weight`` and ``pcu`` (passages,) how many
    vehicles and passenger-car units (PCU) each passage stands for; saturation flows are those of cars. Counted are
    passages with an arrival in the measured window, from ``begin`` to ``end`` (s); ``history_end`` is the end of the
    run, where that is later. Values without meaning are None.
    """
    rows: dict[str, list[object]] = {name: [] for name in COLUMNS}
    by_movement: dict[str, list[int]] = {}
    for k, (start, stop) in enumerate(zip(passages.start_edge, passages.end_edge, strict=True)):
        by_movement.setdefault(f"{start}>{stop}", []).append(k)
    for signal, found in signal_movements(network).items():
        times, states = history.get(signal, ((), ()))
        number = sorted(k for movement in found.movements for k in by_movement.get(movement.name, ()))
        mine = passages.take(number)
        which = np.array(number, dtype=np.int64)
        facts = _Facts(mine, weight[which], pcu[which], _stops(mine, queues), queues, begin, end)
        for group in _groups(network.intersections[signal], found, mine):
            values = _measures(group, greens(times, states, group.links, history_end or end), facts)
            head: dict[str, object] = {
                "level": group.level,
                "signal": signal,
                "name": group.name,
                "label": group.label,
            }
            row = values | head
            for column in COLUMNS:
                rows[column].append(row[column])
    return rows


def _groups(intersection: Intersection, found: SignalMovements, passages: Passages) -> Iterator[_Group]:
    approach = {one.lane: one for one in intersection.approaches}
    pairs = np.array([f"{a}>{b}" for a, b in zip(passages.start_edge, passages.end_edge, strict=True)])
    lane = np.array(passages.lane)
    saturation = {m.name: m.saturation_flow for m in intersection.movements}

    def storage(lanes: Sequence[str]) -> float:
        return min(approach[one].reach for one in lanes)

    for movement in found.movements:
        yield _Group(
            "movement", movement.name, movement.label, pairs == movement.name, movement.lanes, movement.links,
            saturation[movement.name], storage(movement.lanes),
        )  # fmt: skip
    by_name = {movement.name: movement for movement in found.movements}
    for group in found.lane_groups:
        labels = sorted({by_name[name].label for name in group.movements})
        links = tuple(sorted({link for one in group.lanes for link in approach[one].links}))
        flow = sum(approach[one].saturation_flow for one in group.lanes)
        yield _Group(
            "lane group", " ".join(group.lanes), " ".join(labels), np.isin(lane, group.lanes), group.lanes,
            links, flow, storage(group.lanes),
        )  # fmt: skip
    for edge in dict.fromkeys(group.approach for group in found.lane_groups):
        lanes = tuple(one for group in found.lane_groups if group.approach == edge for one in group.lanes)
        links = tuple(sorted({link for one in lanes for link in approach[one].links}))
        bound = next(m.bound for m in found.movements if m.name.startswith(f"{edge}>"))
        chosen = np.array(passages.start_edge) == edge
        yield _Group("approach", edge, bound, chosen, lanes, links, None, storage(lanes))
    lanes = tuple(approach)
    links = tuple(sorted({link for one in approach.values() for link in one.links}))
    yield _Group(
        "intersection",
        intersection.id,
        "",
        np.ones(len(passages), dtype=np.bool_),
        lanes,
        links,
        None,
        storage(lanes),
    )


def _measures(group: _Group, shown: Greens, facts: _Facts) -> dict[str, object]:
    """The measures of one row by column."""
    passages, begin, end = facts.passages, facts.begin, facts.end
    chosen = group.chosen & (passages.arrival >= begin - 1e-6) & (passages.arrival < end)
    w, arrival = facts.weight[chosen], passages.arrival[chosen]
    number, duration = float(w.sum()), end - begin
    flow = number / duration * 3600
    green = shown.seconds(begin, end)
    capacity = vc = used = None
    if group.saturation is not None:
        pcu = facts.pcu[chosen]
        cars, wanted = group.saturation * green / duration * 3600, float(pcu.sum()) / duration * 3600  # PCU/h
        vc = float(volume_to_capacity(wanted, cars))
        capacity = cars * flow / wanted if wanted > 0 else None
        crossed = (passages.stop_line >= begin) & (passages.stop_line < end) & group.chosen
        used = float(facts.pcu[crossed].sum()) / (group.saturation * green) if green > 0 else None
    delay = float((w * passages.delay[chosen]).sum()) / number if number > 0 else None
    longest = _longest_queues(group.lanes, shown, facts.queues, begin, end)
    p50, p95 = map(float, np.percentile(longest, (50, 95))) if len(longest) else (None, None)
    values: dict[str, object] = {
        "arrivals": number,
        "served": float(w[passages.end[chosen] < np.inf].sum()),
        "flow_vph": flow,
        "control_delay_s": delay,
        "los": None if delay is None else level_of_service(delay, vc or 0.0),
        "stops": float((w * facts.stops[chosen]).sum()) / number if number > 0 else None,
        "queue_p50_m": p50,
        "queue_p95_m": p95,
    }
    if group.saturation is None:  # greens of several movements have no measures of their own
        return dict.fromkeys(COLUMNS) | values
    on_green = float(w[shown.contain(arrival)].sum())
    ratio = float(platoon_ratio(on_green, number, green, duration))
    late = shown.failures(arrival, passages.stop_line[chosen])
    begun = shown.start[: len(late)]
    late = late[(begun >= begin) & (begun < end)]
    return values | {
        "green_s": green,
        "capacity_vph": capacity,
        "vc": vc,
        "storage_ratio": None if p95 is None else float(storage_ratio(p95, group.storage)),
        "on_green": on_green / number if number > 0 else None,
        "platoon_ratio": None if np.isnan(ratio) else ratio,
        "arrival_type": None if np.isnan(ratio) else int(arrival_type(ratio)),
        "cycle_failures": float(late.mean()) if len(late) else None,
        "green_utilisation": used,
    }


def _longest_queues(lanes: Sequence[str], shown: Greens, queues: Queues, begin: float, end: float) -> Array:
    """The longest back of queue of each cycle, m: from the end of a green to the end of the next one."""
    columns = [k for k, lane in enumerate(queues.lanes) if lane in lanes]
    if not columns or not len(queues.time):
        return np.zeros(0)
    back = queues.back[:, columns].max(axis=1)
    ends = shown.stop[(shown.stop >= begin) & (shown.stop < end)]
    edges = ends if len(ends) > 1 else np.array([begin, end])
    cuts = np.searchsorted(queues.time, edges, side="right")
    parts = [back[first:last] for first, last in itertools.pairwise(cuts)]
    return np.array([part.max() for part in parts if len(part)])


def _stops(passages: Passages, queues: Queues) -> Array:
    """Halts within each passage, shape (passages,)."""
    ways = zip(passages.vehicle, passages.begin.tolist(), passages.end.tolist(), strict=True)
    halts = ((queues.halts.get(name, ()), begin, end) for name, begin, end in ways)
    return np.array(
        [bisect_right(times, end) - bisect_left(times, begin) for times, begin, end in halts],
        dtype=np.float64,
    )
