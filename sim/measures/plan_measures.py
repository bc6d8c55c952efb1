"""The manual's measures of a fixed-time plan without a simulation: delay, level of service and back of queue.

Chapters 19 and 31 of the HCM for pretimed signals (sim/timing/hcm_delay.py, back_of_queue.py), in quarters of an
hour one after the other: what a quarter leaves queued is the initial queue of the next (d3). Arrivals are random and
filtered by no signal (PF 1, I 1), the effective green is the green shown, and a yielding green counts like any other,
as in the table ``movements``: turns that yield, and streets in coordination, are simulated rather than computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from denxanh.sim.movements import LaneGroup, crossing_names, signal_movements
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.timing import back_of_queue as queue
from denxanh.sim.timing import hcm_delay as hcm
from denxanh.sim.world import QUEUE_SPACING

Array = NDArray[np.float64]

PERIOD = 900.0
"""s, the analysis period of the manual (T = 0.25 h)."""
_ROUNDS = 50  # of spreading movements over their lanes; each brings the loads nearer to one another

COLUMNS = {
    "level": "lane group, approach, intersection or crossing",
    "signal": "its id",
    "name": "the lanes of the group, the edge of the approach, the signal, or the crossing's name on the sheet",
    "label": "direction of travel and turns, as NBL NBT; empty for intersections and crossings",
    "flow_pcu_h": "mean flow, passenger-car units (PCU) an hour",
    "green_s": "green in a cycle; of a crossing the time in which people may begin to cross",
    "cycle_s": "cycle length",
    "capacity_pcu_h": "saturation flow of cars times the share of green",
    "vc": "flow over capacity in the quarter of an hour with most flow",
    "d1_s": "uniform delay",
    "d2_s": "incremental delay",
    "d3_s": "delay of the initial queues of the quarters",
    "delay_s": "their sum, s/veh; of a crossing the mean wait, s/person",
    "los": "A to F; F for a lane group with v/c above 1; empty for crossings",
    "queue_m": "mean back of queue on the longest lane, m, in the worst quarter",
    "queue_p95_m": "its 95th percentile, m",
    "storage_ratio": "that over the road in front of the stop line",
}
"""Columns of the table and what they hold."""


def plan_measures(
    network: Network, flows: Mapping[str, Array], period: float = PERIOD
) -> dict[str, list[object]]:
    """The measures as columns, see COLUMNS, of the programs in ``network`` (see ``with_plan``).

    ``flows`` by signal: PCU/h of each movement in each period, shape (periods, movements); ``period`` in s. The rows of
    a signal follow each other, lane groups first. Values without meaning are None.
    """
    rows: dict[str, list[object]] = {name: [] for name in COLUMNS}

    def add(row: Mapping[str, object]) -> None:
        for column in COLUMNS:
            rows[column].append(row.get(column))

    for signal, found in signal_movements(network).items():
        intersection = network.intersections[signal]
        lanes = lane_flows(intersection, flows[signal])
        labels = {movement.name: movement.label for movement in found.movements}
        groups = []
        for group in found.lane_groups:
            measured = _lane_group(intersection, group, lanes, period / 3600.0)
            label = " ".join(sorted({labels[name] for name in group.movements}))
            groups.append({"signal": signal, "approach": group.approach, "label": label, **measured})
            add(groups[-1])
        for edge in dict.fromkeys(group.approach for group in found.lane_groups):
            mine = [one for one in groups if one["approach"] == edge]
            bound = next(
                movement.bound for movement in found.movements if movement.name.startswith(f"{edge}>")
            )
            add({"level": "approach", "signal": signal, "name": edge, "label": bound, **_together(mine)})
        add({"level": "intersection", "signal": signal, "name": signal, "label": "", **_together(groups)})
        for name, link in crossing_names(intersection).items():
            walk, cycle = _green(intersection, (link,)), intersection.program.cycle
            wait = float(hcm.pedestrian_delay(cycle, walk)) if walk > 0 else None
            add(
                {
                    "level": "crossing", "signal": signal, "name": name, "label": "", "green_s": walk,
                    "cycle_s": cycle, "delay_s": wait, "los": "",
                }
            )  # fmt: skip
    return rows


def lane_flows(intersection: Intersection, flows: Array) -> dict[str, Array]:
    """Flow of each stop-line lane, PCU/h, shape (periods,), with movements spread evenly over their lanes.

    ``flows`` (periods, movements). Drivers who may choose take the lane with the least flow over saturation flow, until
    these ratios are equal (HCM, chapter 19: equal flow ratios on the lanes of a group).
    """
    saturation = np.array([approach.saturation_flow for approach in intersection.approaches])
    load = np.zeros((len(flows), len(saturation)))  # (periods, lanes)
    shares = [np.zeros((len(flows), len(movement.approaches))) for movement in intersection.movements]
    for _ in range(_ROUNDS):
        for number, movement in enumerate(intersection.movements):
            serving = list(movement.approaches)
            if not serving:
                continue
            load[:, serving] -= shares[number]
            shares[number] = _filled(load[:, serving], saturation[serving], flows[:, number])
            load[:, serving] += shares[number]
    return {approach.lane: load[:, k] for k, approach in enumerate(intersection.approaches)}


def _filled(load: Array, saturation: Array, flow: Array) -> Array:
    """``flow`` (periods,) on top of ``load`` (periods, lanes), so that the fullest lanes that get some are equal."""
    ratio = load / saturation
    order = np.argsort(ratio, axis=1)
    sorted_load = np.take_along_axis(load, order, axis=1).cumsum(axis=1)
    sorted_capacity = saturation[order].cumsum(axis=1)
    levels = (flow[:, None] + sorted_load) / sorted_capacity  # if only the first lanes get some
    level = levels.min(axis=1)  # the number of lanes for which the level is least is the right one
    return np.asarray(np.maximum(level[:, None] * saturation - load, 0.0), dtype=np.float64)


def _green(intersection: Intersection, links: Sequence[int]) -> float:
    """Seconds of a cycle in which at least one of the links is green."""
    return sum(
        duration
        for state, duration in intersection.program.steps()
        if any(state[link] in GREEN for link in links)
    )


def _lane_group(
    intersection: Intersection, group: LaneGroup, lanes: Mapping[str, Array], hours: float
) -> dict[str, object]:
    """The measures of one lane group; ``hours`` is the length of a period."""
    approaches = [one for one in intersection.approaches if one.lane in group.lanes]
    links = tuple(sorted({link for one in approaches for link in one.links}))
    cycle, green = intersection.program.cycle, min(_green(intersection, links), intersection.program.cycle)
    flow = np.sum([lanes[one.lane] for one in approaches], axis=0)  # (periods,) veh/h
    saturation = 3600.0 * sum(one.saturation_flow for one in approaches)  # veh/h
    capacity = saturation * green / cycle
    head: dict[str, object] = {
        "level": "lane group", "name": " ".join(group.lanes), "flow_pcu_h": float(flow.mean()), "green_s": green,
        "cycle_s": cycle, "capacity_pcu_h": capacity,
    }  # fmt: skip
    if green <= 0:
        return head
    x = hcm.volume_to_capacity(flow, capacity)
    n = len(approaches)
    always = green >= cycle
    uniform = np.zeros_like(x) if always else hcm.uniform_delay(cycle, green, x)
    incremental = hcm.incremental_delay(x, capacity, hours)
    left, initial, backs, p95 = 0.0, [], [], []
    speed = queue.approach_speed(max(one.speed for one in approaches))
    stop = queue.acceleration_deceleration_delay(speed)
    for k, v in enumerate(flow):
        initial.append(float(hcm.initial_queue_delay(v, capacity, left, hours)))
        first = (
            0.0
            if always
            else float(queue.first_term(v / n, saturation / n, green, cycle, green / cycle, stop))
        )
        second = float(queue.second_term(capacity, incremental[k], n))
        third = float(queue.third_term(v, capacity, left, hours, n))
        backs.append(first + second + third)
        p95.append(float(queue.percentile_back_of_queue(first, second, third, 95, x[k], green / cycle)))
        left = float(hcm.unmet_demand(v, capacity, left, hours)[1])
    means = [hcm.mean_delay(part, flow) for part in (uniform, incremental, np.array(initial))]
    delay, most = sum(means), float(x.max())
    longest = QUEUE_SPACING * max(p95)
    return head | {
        "vc": most,
        "d1_s": means[0],
        "d2_s": means[1],
        "d3_s": means[2],
        "delay_s": delay,
        "los": hcm.level_of_service(delay, most),
        "queue_m": QUEUE_SPACING * max(backs),
        "queue_p95_m": longest,
        "storage_ratio": float(queue.storage_ratio(longest, min(one.reach for one in approaches))),
    }


def _together(groups: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """The measures of an approach or an intersection: means of its lane groups by flow (eqs. 19-28 and 19-29)."""
    flows = np.array([one["flow_pcu_h"] for one in groups], dtype=np.float64)
    found: dict[str, object] = {"flow_pcu_h": float(flows.sum())}
    if any(one.get("delay_s") is None and flow > 0 for one, flow in zip(groups, flows, strict=True)):
        return found | {"los": hcm.WORST_LEVEL}  # vehicles come where nothing is ever green
    for column in ("d1_s", "d2_s", "d3_s", "delay_s"):
        values = np.array([one.get(column) or 0.0 for one in groups], dtype=np.float64)
        found[column] = hcm.mean_delay(values, flows)
    return found | {"los": hcm.level_of_service(float(str(found["delay_s"])))}
