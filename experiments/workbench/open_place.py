"""A place as the editor has it: its signals and streets as data, and the queue model ready to evaluate plans."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from denxanh.experiments.optimize.tuning_problem import counted, demand_of
from denxanh.experiments.report.decision.names import place_title
from denxanh.experiments.report.drawing.green_bands import Band, Stop, band
from denxanh.experiments.report.drawing.stage_diagram import approach_name, groups
from denxanh.experiments.specification.run_options import RunOptions
from denxanh.experiments.specification.run_specification import absolute, with_window
from denxanh.experiments.workbench.plan_edits import EditRules, minimum_greens
from denxanh.experiments.workbench.workbench_page import json_text
from denxanh.networks.scenarios import open_scenario
from denxanh.sim.demand.movement_flows import with_flows
from denxanh.sim.errors import InputError
from denxanh.sim.language.text import Text, same
from denxanh.sim.model import COLUMNS, Model, build
from denxanh.sim.model.build import QUEUE_COLUMNS
from denxanh.sim.model.plan_arrays import encode
from denxanh.sim.model.right_of_way import right_of_way
from denxanh.sim.network import GREEN, Intersection, Network
from denxanh.sim.network_reader import network_of, timings
from denxanh.sim.plan import Plan, Timing
from denxanh.sim.scenario import Scenario
from denxanh.sim.sumo.netfile import read_net
from denxanh.sim.timing.arterials import Arterial, arterials

MOST_STREETS = 8


@dataclass(frozen=True)
class Road:
    """One road that leads to a signal: its stop-line lanes in the model."""

    name: Text
    lanes: tuple[int, ...]  # indices into Model.lanes
    room: float  # m from the stop line upstream that belong to the approach


@dataclass(frozen=True)
class OpenPlace:
    """A place with its model. ``existing`` is the plan that the network came with."""

    name: str
    scenario: Scenario
    network: Network
    model: Model
    existing: Plan
    streets: tuple[Arterial, ...]
    roads: dict[str, tuple[Road, ...]]  # by signal
    rules: EditRules
    lock: threading.Lock  # one evaluation at a time

    def evaluate(
        self, plan: Plan, street: int = 0, before: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        """Delay, queues and the green bands of one street as JSON data, or the reason why the plan must not run.

        ``before`` is called when the turn of this evaluation has come, and may raise.
        """
        with self.lock:
            before()
            return self._evaluated(plan, street)

    def _evaluated(self, plan: Plan, street: int) -> dict[str, Any]:
        fault = self.rules.fault(plan)
        if fault is not None:
            return {"refused": json_text(fault)}
        plans = encode(self.network, [plan])
        values, queues = self.model.figures(plans, threads=1)
        lanes = queues[0]
        figures = dict(zip(COLUMNS, values[0].tolist(), strict=True))
        return {
            "delay": figures["delay"],
            "stops": figures["stops"],
            "unfinished": round(figures["unfinished"] + figures["never_inserted"]),
            "roads": {
                signal: [_queue(lanes, road) for road in roads] for signal, roads in self.roads.items()
            },
            "bands": self._bands(self.streets[street], plan) if street < len(self.streets) else None,
        }

    def _bands(self, street: Arterial, plan: Plan) -> dict[str, Any]:
        stops = street_stops(self.network, street, plan)
        try:
            out = {"up": _direction(stops, [hop.length / hop.time for hop in street.hops], back=False)}
            if street.two_way:
                out["down"] = _direction(stops, [hop.length / hop.time for hop in street.back], back=True)
        except InputError:  # no common cycle: a wave through all signals does not exist
            return {
                "none": json_text(
                    Text(
                        "no green band: the signals have no common cycle",
                        "không có dải xanh: các nút không cùng chu kỳ",
                    )
                )
            }
        return out

    def signals(self, plan: Plan) -> dict[str, Any]:
        """What the page draws of each signal under the stages of a plan, as JSON data."""
        return {
            name: _signal_data(self.network.intersections[name], timing, self.network, self.roads[name])
            for name, timing in plan.timings.items()
        }

    def data(self) -> dict[str, Any]:
        """Everything that the page draws, as JSON data."""
        return {
            "place": self.name,
            "title": json_text(place_title(self.scenario.name)),
            "assumed": self.scenario.plan_is_assumed,
            "begin": self.scenario.begin,
            "hours": (self.model.end - self.model.begin) / 3600.0,
            "vehicles": len(self.model.demand),
            "plan": self.existing.to_json(),
            "streets": [_street_data(self.network, street) for street in self.streets],
            "signals": self.signals(self.existing),
            "left": [json_text(same(f"{k}: {v}")) for k, v in self.network.left_to_sumo.items()],
        }


def open_place(name: str) -> OpenPlace:
    """Read a place, build its model and evaluate the existing plan once, which compiles the model.

    Raises InputError where it has no signal or no traffic.
    """
    scenario = absolute(open_scenario(name))
    network = with_flows(network_of(scenario), scenario)
    if not network.intersections:
        raise InputError("there is no signal that a plan can control", location=name)
    windowed, options = with_window(scenario, RunOptions())
    cuts = float(options.warm_up), float(options.flush)
    demand = counted(demand_of(windowed, network), windowed.begin + cuts[0], windowed.end - cuts[1])
    if not len(demand):
        raise InputError("no vehicle departs, so there is nothing to time", location=name)
    rules = right_of_way(read_net(scenario.net))
    model = build(network, demand, right_of_way=rules, sublane=scenario.sublane)
    place = OpenPlace(
        name,
        scenario,
        network,
        model,
        Plan(timings(network)),
        streets := arterials(network)[:MOST_STREETS],
        {id: _roads(one, network, model) for id, one in network.intersections.items()},
        EditRules(network, [street.signals for street in streets]),
        threading.Lock(),
    )
    place.evaluate(place.existing)
    return place


def street_stops(network: Network, street: Arterial, plan: Plan) -> list[Stop]:
    """The signals of a street with their timings under a plan."""
    distance, stops = 0.0, []
    for k, signal in enumerate(street.signals):
        intersection = network.intersections[signal]
        back = street.back_links[k] if street.two_way else ()
        timing = plan.timings.get(signal, intersection.program)
        stops.append(Stop(intersection.name, distance, timing, street.links[k], back))
        if k < len(street.hops):
            distance += street.hops[k].length
    return stops


def _direction(stops: Sequence[Stop], speeds: Sequence[float], *, back: bool) -> dict[str, Any]:
    """The band through all signals of one direction; without one, the longest stretch that has a band, in signals.

    ``between`` are the bands from each signal to the next, in the order of the street.
    """
    through = band(stops, speeds, back=back)
    best: tuple[int, int, Band] | None = None
    first, last = 0, 1
    while through is None and last < len(stops):  # a stretch has no band where a part of it has none
        found = band(stops[first : last + 1], speeds[first:last], back=back)
        if found is None:
            first += 1
            last = max(last, first + 1)
            continue
        size = last - first + 1
        if best is None or (size, found.window.width) > (best[1], best[2].window.width):
            best = first, size, found
        last += 1
    between = [band(stops[k : k + 2], speeds[k : k + 1], back=back) for k in range(len(speeds))]
    return {
        "through": _band_data(through),
        "between": [_band_data(one) for one in between],
        "longest": None if best is None else {"first": best[0], "signals": best[1], **_band_data(best[2])},
    }


def _band_data(found: Band | None) -> Any:
    if found is None:
        return None
    return {
        "start": found.window.start,
        "width": found.window.width,
        "share": found.share,
        "arrivals": list(found.arrivals),
    }


def _roads(intersection: Intersection, network: Network, model: Model) -> tuple[Road, ...]:
    position = {lane: k for k, lane in enumerate(model.lanes)}
    found: dict[str, list[int]] = {}
    room: dict[str, float] = {}
    for approach in intersection.approaches:
        if approach.lane in position:
            edge = network.lanes[approach.lane].edge
            found.setdefault(edge, []).append(position[approach.lane])
            room[edge] = max(room.get(edge, 0.0), approach.reach)
    return tuple(
        Road(approach_name(edge, network), tuple(lanes), room[edge]) for edge, lanes in found.items()
    )


def _queue(lanes: np.ndarray[Any, np.dtype[np.float64]], road: Road) -> dict[str, float]:
    """Figures of a road: vehicle-hours lost at its stop line, its longest queue in m, and times blocked from ahead."""
    own = {name: lanes[list(road.lanes), k] for k, name in enumerate(QUEUE_COLUMNS)}
    return {
        "lost": float(own["delay"].sum()) / 3600.0,
        "queue": float(own["max_queue"].max()),
        "blocked": float(own["blocked"].sum()),
    }


def _street_data(network: Network, street: Arterial) -> dict[str, Any]:
    names = [network.intersections[street.signals[k]].name for k in (0, -1)]
    return {
        "name": f"{names[0]} → {names[1]}",
        "signals": list(street.signals),
        "hops": [[hop.length, hop.time] for hop in street.hops],
        "back": [[hop.length, hop.time] for hop in street.back],
        "links": [list(links) for links in street.links],
        "backLinks": [list(links) for links in street.back_links],
    }


def _signal_data(
    intersection: Intersection, timing: Timing, network: Network, roads: Sequence[Road]
) -> dict[str, Any]:
    found = groups(intersection, timing, network)
    return {
        "name": intersection.name,
        "minimum": minimum_greens(intersection, timing),
        "groups": [{"name": json_text(group.name), "link": group.links[0]} for group in found],
        "stages": [json_text(_served(found, stage.state)) for stage in timing.stages],
        "roads": [{"name": json_text(road.name), "room": road.room} for road in roads],
    }


def _served(found: Sequence[Any], state: str) -> Text:
    """Names of the groups with green in a stage."""
    served = [group.name for group in found if state[group.links[0]] in GREEN]
    return Text(", ".join(name.en for name in served), ", ".join(name.vi for name in served))
